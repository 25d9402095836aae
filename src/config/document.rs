//! The document: a configuration file, read into entries that know their lines.

use std::path::Path;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::{Entry, Said, Section, mistake};
use super::origin::{SettingOrigin, Whose};
use crate::error::Result;
use crate::text;

/// The tables of a file, and those of a server's.
const TABLES: &[&str] = &["cache", "stores", "projects"];
const SERVER_TABLES: &[&str] = &["server", "stores"];

/// A text of TOML, and which file it comes from.
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) path: &'a Path,
    pub(super) whose: Whose,
}

impl Document<'_> {
    /// Everything that the file says.
    ///
    /// # Errors
    /// Where it is no TOML, or has a table that nobody knows.
    pub(super) fn entries(&self) -> Result<Vec<Entry>> {
        let document = DeTable::parse(self.text).map_err(|error| {
            let line = error.span().map_or(0, |span| self.line(span.start));
            mistake(&self.at(line), format!("this is no TOML: {}", error.message()), "")
        })?;
        let mut entries = Vec::new();
        for (name, value) in document.get_ref() {
            match name.get_ref().as_ref() {
                other if !self.tables().contains(&other) => return Err(self.unknown_table(other, name.span().start)),
                "server" => self.section(&Section::Server, "server", value, &mut entries)?,
                "cache" => self.section(&Section::Cache, "cache", value, &mut entries)?,
                "stores" => self.sections(&Section::Store, "stores", value, &mut entries)?,
                _ => self.sections(&Section::Project, "projects", value, &mut entries)?,
            }
        }
        Ok(entries)
    }

    /// `[stores.far]`, `[stores.near]`.
    fn sections(
        &self,
        section: &dyn Fn(String) -> Section,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        entries: &mut Vec<Entry>,
    ) -> Result<()> {
        for (name, value) in self.table(path, value)? {
            let name = name.get_ref().to_string();
            self.section(&section(name.clone()), &format!("{path}.{name}"), value, entries)?;
        }
        Ok(())
    }

    fn section(
        &self,
        section: &Section,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        entries: &mut Vec<Entry>,
    ) -> Result<()> {
        let dir = self.path.parent().unwrap_or(self.path);
        for (key, value) in self.table(path, value)? {
            entries.push(Entry {
                section: section.clone(),
                key: key.get_ref().to_string(),
                said: Said::Value(plain(value.get_ref())),
                whose: self.whose,
                origin: self.at(self.line(key.span().start)),
                dir: dir.to_path_buf(),
            });
        }
        Ok(())
    }

    fn table<'v, 'd>(&self, path: &str, value: &'v Spanned<DeValue<'d>>) -> Result<&'v DeTable<'d>> {
        value.get_ref().as_table().ok_or_else(|| {
            let hint = format!("write `[{path}]` on a line of its own, and the keys below");
            mistake(&self.at(self.line(value.span().start)), format!("`{path}` must be a table"), hint)
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        if self.whose == Whose::Server { SERVER_TABLES } else { TABLES }
    }

    fn unknown_table(&self, name: &str, start: usize) -> crate::error::Error {
        let tables = self.tables();
        let hint = text::nearest(name, tables.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let hint = hint.unwrap_or_else(|| format!("known tables: {}", tables.join(", ")));
        mistake(&self.at(self.line(start)), format!("unknown table or key `{name}`"), hint)
    }

    fn at(&self, line: usize) -> SettingOrigin {
        SettingOrigin::File(self.path.to_path_buf(), line)
    }

    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }
}

/// A value without its places. Times and numbers that nobody can mean stay texts, which no key takes.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| number.to_string().into(), Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| plain(item.get_ref())).collect(),
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(name, value)| (name.get_ref().to_string(), plain(value.get_ref())));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Result<Vec<String>> {
        let document = Document { text, path: Path::new("cortado.toml"), whose: Whose::Project };
        let entries = document.entries()?;
        Ok(entries.iter().map(|entry| format!("{} {} {:?}", entry.origin, entry.path(), entry.said)).collect())
    }

    fn told(text: &str) -> String {
        let error = entries(text).unwrap_err();
        format!("{error} ({})", error.hint().unwrap_or_default())
    }

    #[test]
    fn every_key_knows_its_line() {
        let text = "# mine\n[cache]\nmode = 'off'\n\n[stores.far]\nurl = 'x'\nretries = 0x10\n";
        let expected = [
            "cortado.toml:3 cache.mode Value(String(\"off\"))",
            "cortado.toml:7 stores.far.retries Value(Number(16))",
            "cortado.toml:6 stores.far.url Value(String(\"x\"))",
        ];
        assert_eq!(entries(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_configuration_is_told_with_its_line() {
        assert_eq!(told("\n[chache]\n"), "cortado.toml:2: unknown table or key `chache` (did you mean `cache`?)");
        assert_eq!(
            told("jobs = 3"),
            "cortado.toml:1: unknown table or key `jobs` (known tables: cache, stores, projects)"
        );
        assert_eq!(
            told("cache = 'off'"),
            "cortado.toml:1: `cache` must be a table (write `[cache]` on a line of its own, and the keys below)"
        );
        assert!(told("[stores]\nfar = 1").starts_with("cortado.toml:2: `stores.far` must be a table"));
        assert!(
            told("[cache]\nmode = off").starts_with("cortado.toml:2: this is no TOML: "),
            "{}",
            told("[cache]\nmode = off")
        );
    }
}
