//! The record: one line of a log, something that happened to an object.

use serde::{Deserialize, Serialize};

use super::entry::Entry;

/// A line of a log or of the journal, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Record {
    /// Who writes this log: its first line.
    Writer {
        /// `process 4711 on mill`.
        who: String,
        /// Bytes that were reserved for objects whose records are in the journal already.
        held: u64,
    },
    /// A file is about to become an object. It has, if an object of that name is this very file.
    Put {
        /// The inode of the file.
        file: u64,
        /// What is known about it.
        entry: Entry,
    },
    /// Another was first, or writing failed: the record of that file means nothing.
    Void {
        /// The object's name.
        name: String,
        /// The inode of the file.
        file: u64,
    },
    /// An object is about to be removed.
    Gone {
        /// Its name.
        name: String,
    },
    /// An object was asked for.
    Use {
        /// Its name.
        name: String,
        /// When.
        at: u64,
    },
}

impl Record {
    /// The line, with its end.
    pub(super) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// The records of a log. A line that is none, such as one that a dying process has not finished, is passed over.
pub(super) fn records(log: &[u8]) -> impl Iterator<Item = Record> {
    log.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_and_foreign_lines_are_passed_over() {
        let mut log = b"{\"put\":{\"fi\n\n[]\n".to_vec();
        log.extend(Record::Use { name: "b".into(), at: 7 }.line());
        log.extend(b"{\"use\":{\"name\":\"b\",\"at\":9");
        assert_eq!(records(&log).collect::<Vec<_>>(), [Record::Use { name: "b".into(), at: 7 }]);
    }
}
