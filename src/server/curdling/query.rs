//! A query for a package: `zlib>=1.2,<2;whl`.

use std::str::FromStr;

use super::package::{Package, normal};
use super::version::Constraint;

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// The name of the package, as PEP 503 writes it.
    pub(super) name: String,
    constraints: Vec<Constraint>,
    format: Option<Format>,
}

/// What kind of file it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    Is(String),
    IsNot(String),
}

impl Query {
    /// The best of some packages: of the highest version that will do, the file that is preferred.
    pub(super) fn best<'a>(&self, packages: impl IntoIterator<Item = &'a Package>) -> Option<&'a Package> {
        let fitting: Vec<_> = packages.into_iter().filter(|package| self.is_met(package)).collect();
        let highest = fitting.iter().map(|package| &package.version).max()?;
        let best = fitting.iter().filter(|package| package.version == *highest);
        best.min_by(|one, other| one.preference().cmp(&other.preference())).copied()
    }

    fn is_met(&self, package: &Package) -> bool {
        let has_format = match &self.format {
            None => true,
            Some(Format::Is(format)) => package.has_format(format),
            Some(Format::IsNot(format)) => !package.has_format(format),
        };
        has_format && self.constraints.iter().all(|constraint| constraint.is_met(&package.version))
    }
}

impl FromStr for Query {
    type Err = ();

    /// `name`, `name==1.0`, `name[extra] (>= 1.0, < 2)`, each with a `;format` or `;~format` behind it.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (wanted, format) = text.split_once(';').map_or((text, None), |(wanted, format)| (wanted, Some(format)));
        let wanted = wanted.trim();
        let end = wanted.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(wanted.len());
        let (name, rest) = wanted.split_at(end);
        Ok(Self {
            name: normal(name).filter(|name| !name.is_empty()).ok_or(())?,
            constraints: constraints(rest.trim())?,
            format: format.map(format_of).transpose()?,
        })
    }
}

fn constraints(text: &str) -> Result<Vec<Constraint>, ()> {
    let text = match text.strip_prefix('[') {
        Some(extras) => extras.split_once(']').ok_or(())?.1.trim(),
        None => text,
    };
    let bare = match text.strip_prefix('(') {
        Some(inner) => inner.strip_suffix(')').ok_or(())?,
        // A version without parentheses needs an operator.
        None if text.is_empty() || text.starts_with(['=', '!', '<', '>']) => text,
        None => return Err(()),
    };
    if bare.trim().is_empty() { Ok(Vec::new()) } else { bare.split(',').map(str::parse).collect() }
}

fn format_of(text: &str) -> Result<Format, ()> {
    let (is_not, name) = text.strip_prefix('~').map_or((false, text), |name| (true, name));
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    let name = name.to_owned();
    let format = if is_not { Format::IsNot(name) } else { Format::Is(name) };
    is_name.then_some(format).ok_or(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILES: [&str; 6] = [
        "beans-1.0.tar.gz",
        "beans-1.2.tar.gz",
        "beans-1.10-py3-none-any.whl",
        "beans-1.10.tar.gz",
        "beans-2.0b1.zip",
        "beans-0.9-py3-none-any.whl",
    ];

    fn best(query: &str) -> Option<&'static str> {
        let packages = FILES.map(|file| Package::parse(file).unwrap());
        let best = query.parse::<Query>().unwrap().best(&packages)?.file.clone();
        FILES.into_iter().find(|file| *file == best)
    }

    #[test]
    fn the_best_is_the_highest_that_will_do() {
        for (query, file) in [
            ("beans", 4),
            ("Beans<2.0b1", 2),
            ("beans==1.10", 2),
            ("beans==1.10;gz", 3),
            ("beans==1.10;~whl", 3),
            ("beans;whl", 2),
            ("beans;tar.gz", 3),
            ("beans;zip", 4),
            ("beans (1.0)", 0),
            ("beans[milk] (>= 1.0, < 1.10)", 1),
            ("beans>=1.0,!=1.10,<2.0b1", 1),
            ("beans<1.0", 5),
        ] {
            assert_eq!(best(query), Some(FILES[file]), "{query}");
        }
        assert_eq!([best("beans>3"), best("beans==1.0;whl")], [None, None]);
    }

    #[test]
    fn what_is_no_query_is_told_apart() {
        for bad in [
            "",
            ";whl",
            "==1.0",
            "beans 1.0",
            "beans==",
            "beans;",
            "beans;a;b",
            "beans;~",
            "beans(1.0",
            "beans[x>=1",
            "../beans",
            "b\0",
        ] {
            assert_eq!(bad.parse::<Query>(), Err(()), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in "\\PC{0,60}|beans[ \\[\\]()<>=!,.;~0-9a-z]{0,30}") {
            _ = text.parse::<Query>();
        }
    }
}
