//! A reader of the list of fields. The list exists once, in `fields`; hashing it and explaining it are two readers.

use crate::model::Digest;

/// Is told every field that counts into a key, in order.
pub(super) trait Reader {
    /// A value under its label.
    fn bytes(&mut self, label: &str, value: &[u8]);

    /// A group of exactly `count` fields follows, up to the matching [`close`](Reader::close).
    fn open(&mut self, label: &str, count: usize);

    /// The group opened last ends.
    fn close(&mut self);

    /// A group that is one of several in a row and is labelled by its kind alone.
    fn open_item(&mut self, kind: &str, count: usize) {
        self.open(kind, count);
    }

    /// A group of one value, labelled `is`, or none.
    fn optional(&mut self, label: &str, value: Option<&[u8]>) {
        self.open(label, usize::from(value.is_some()));
        if let Some(value) = value {
            self.bytes("is", value);
        }
        self.close();
    }

    /// A text under its label.
    fn text(&mut self, label: &str, value: &str) {
        self.bytes(label, value.as_bytes());
    }

    /// `yes` or `no`.
    fn flag(&mut self, label: &str, value: bool) {
        self.text(label, if value { "yes" } else { "no" });
    }

    /// A number, in decimal.
    fn number(&mut self, label: &str, value: u64) {
        self.text(label, &value.to_string());
    }

    /// Permission bits, in octal.
    fn mode(&mut self, label: &str, value: u32) {
        self.text(label, &format!("{value:o}"));
    }

    /// A digest, in hex.
    fn digest(&mut self, label: &str, value: Digest) {
        self.bytes(label, &value.hex());
    }

    /// A group of values without labels of their own.
    fn list<T: AsRef<[u8]>>(&mut self, label: &str, values: impl ExactSizeIterator<Item = T>)
    where
        Self: Sized,
    {
        self.open(label, values.len());
        values.for_each(|value| self.bytes("", value.as_ref()));
        self.close();
    }
}
