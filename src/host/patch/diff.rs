//! A diff: what a patch says about one file, once it has been read.

/// What a patch says about one file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct FileDiff {
    /// Its name before, as written; `None` for `/dev/null`.
    pub(super) old: Option<Vec<u8>>,
    /// Its name afterwards.
    pub(super) new: Option<Vec<u8>>,
    /// The names come from `rename` or `copy` lines, which have no `a/` and `b/`.
    pub(super) bare_names: bool,
    pub(super) change: Change,
    /// The mode that git states for afterwards.
    pub(super) new_mode: Option<u32>,
    /// An empty result means that the file goes: its new date is the epoch.
    pub(super) ends_in_nothing: bool,
    pub(super) hunks: Vec<Hunk>,
}

/// What becomes of the file as such.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    #[default]
    Modify,
    Create,
    Delete,
    Rename,
    Copy,
}

/// Lines to change, among lines that stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Its first line in the old file, from 1; where it has no old lines, the line before it.
    pub(super) old_start: usize,
    pub(super) lines: Vec<Line>,
}

/// One line of a hunk, with its line end if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) text: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Context,
    Remove,
    Add,
}

impl FileDiff {
    /// Its name in messages, as written in the patch.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(self.new.as_ref().or(self.old.as_ref()).map_or(b"", |name| name)).into_owned()
    }

    /// Whether it says nothing: what should have been its hunks was damaged.
    pub(super) fn is_empty(&self) -> bool {
        self.hunks.is_empty() && self.change == Change::Modify && self.new_mode.is_none()
    }

    /// Whether there is no old text at all, as where a file is made without git saying so.
    pub(super) fn starts_from_nothing(&self) -> bool {
        matches!(self.hunks.as_slice(), [hunk] if hunk.old_start == 0 && hunk.before().next().is_none())
    }
}

impl Hunk {
    /// The lines before.
    pub(super) fn before(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.lines.iter().filter(|line| line.kind != Kind::Add).map(|line| line.text.as_slice())
    }

    /// The lines afterwards.
    pub(super) fn after(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.lines.iter().filter(|line| line.kind != Kind::Remove).map(|line| line.text.as_slice())
    }
}
