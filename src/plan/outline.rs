//! The outline of a key: the fields that count into it, for people.

use serde::{Deserialize, Serialize};

use super::reader::Reader;

/// One field of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Where the field stands: `task/build/2/command/line`.
    pub label: String,
    /// Its value. Secrets are shown as digests; where a value is not UTF-8, all its bytes beyond ASCII are shown as
    /// `\xff`.
    pub value: String,
}

/// All fields of a key, in the order in which they are hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Outline {
    /// The fields.
    pub fields: Vec<Field>,
}

/// Collects the fields that it is told.
#[derive(Default)]
pub(super) struct Collector {
    outline: Outline,
    groups: Vec<Group>,
}

struct Group {
    place: String,
    /// Fields so far that had no label of their own.
    numbered: usize,
}

impl Collector {
    pub(super) fn finish(self) -> Outline {
        self.outline
    }

    fn place(&mut self, label: &str) -> String {
        match self.groups.last_mut() {
            None => label.to_owned(),
            Some(group) if label.is_empty() => group.number(),
            Some(group) => format!("{}/{label}", group.place),
        }
    }

    fn push(&mut self, label: String, value: &[u8]) {
        let value = std::str::from_utf8(value).map_or_else(|_| value.escape_ascii().to_string(), str::to_owned);
        self.outline.fields.push(Field { label, value });
    }
}

impl Group {
    fn number(&mut self) -> String {
        self.numbered += 1;
        format!("{}/{}", self.place, self.numbered)
    }
}

impl Reader for Collector {
    fn bytes(&mut self, label: &str, value: &[u8]) {
        let label = self.place(label);
        self.push(label, value);
    }

    fn open(&mut self, label: &str, _count: usize) {
        let place = self.place(label);
        self.groups.push(Group { place, numbered: 0 });
    }

    fn close(&mut self) {
        self.groups.pop();
    }

    fn open_item(&mut self, kind: &str, _count: usize) {
        let place = format!("{}/{kind}", self.place(""));
        self.groups.push(Group { place, numbered: 0 });
    }

    fn optional(&mut self, label: &str, value: Option<&[u8]>) {
        let label = self.place(label);
        value.into_iter().for_each(|value| self.push(label.clone(), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(tell: impl FnOnce(&mut Collector)) -> Vec<(String, String)> {
        let mut collector = Collector::default();
        tell(&mut collector);
        collector.finish().fields.into_iter().map(|field| (field.label, field.value)).collect()
    }

    #[test]
    fn places_are_the_labels_from_the_outside_in() {
        let outline = outline(|reader| {
            reader.open("build", 2);
            reader.open_item("bin", 2);
            reader.list("args", ["-v", ""].iter());
            reader.optional("dir", Some(b"src"));
            reader.close();
            reader.open_item("emit", 1);
            reader.text("is", "hello");
            reader.close();
            reader.close();
        });
        let labels: Vec<_> = outline.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(labels, ["build/1/bin/args/1", "build/1/bin/args/2", "build/1/bin/dir", "build/2/emit/is"]);
    }

    #[test]
    fn values_that_are_not_utf8_stay_different() {
        let shown = outline(|reader| [b"\xff", b"\xfe"].iter().for_each(|value| reader.bytes("x", *value)));
        assert_eq!(shown, [("x".into(), "\\xff".into()), ("x".into(), "\\xfe".to_owned())]);
    }
}
