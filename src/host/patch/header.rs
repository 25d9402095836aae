//! What a patch says about a file above its hunks: its names, and the lines that git adds.
//!
//! Format: "Generating patch text" of `git-diff(1)`.

use super::diff::{Change, FileDiff};

/// `a/x b/x`: the names of a diff that may have no others, as when only the mode changes.
pub(super) fn git_header(names: &[u8]) -> FileDiff {
    let (old, new) = match names {
        [b'"', ..] => {
            let (old, rest) = unquote(names);
            (old, file_name(trim(rest.trim_ascii_start())))
        }
        // Both names are the same here, for a rename says its names once more: the blank in the middle parts them.
        _ => {
            let (old, new) = names.split_at(names.len() / 2);
            (old.to_vec(), new.strip_prefix(b" ").unwrap_or(new).to_vec())
        }
    };
    FileDiff { old: Some(old), new: Some(new), ..FileDiff::default() }
}

/// Adds what a line between the names of git and the first hunk says; prose says nothing.
pub(super) fn git_line(diff: &mut FileDiff, line: &[u8]) -> Result<(), String> {
    let after = |prefix: &str| line.strip_prefix(prefix.as_bytes());
    if let Some(mode) = after("new file mode ") {
        (diff.change, diff.new_mode) = (Change::Create, Some(file_mode(mode)?));
    } else if let Some(mode) = after("deleted file mode ") {
        file_mode(mode)?;
        diff.change = Change::Delete;
    } else if let Some(mode) = after("new mode ") {
        diff.new_mode = Some(file_mode(mode)?);
    } else if let Some(name) = after("rename from ").or_else(|| after("copy from ")) {
        (diff.old, diff.bare_names) = (Some(file_name(name)), true);
    } else if let Some(name) = after("rename to ") {
        (diff.new, diff.change) = (Some(file_name(name)), Change::Rename);
    } else if let Some(name) = after("copy to ") {
        (diff.new, diff.change) = (Some(file_name(name)), Change::Copy);
    } else if line == b"GIT binary patch" || line.starts_with(b"Binary files ") {
        return Err("it changes a binary file, which is not supported".to_owned());
    }
    Ok(())
}

fn file_mode(text: &[u8]) -> Result<u32, String> {
    let mode = std::str::from_utf8(text).ok().and_then(|text| u32::from_str_radix(text.trim(), 8).ok());
    match mode {
        Some(mode) if mode & 0o170_000 == 0o100_000 => Ok(mode),
        _ => Err("it makes or removes something that is no regular file, which is not supported".to_owned()),
    }
}

/// Adds what the `---` and `+++` lines say.
pub(super) fn named(mut diff: FileDiff, old: &[u8], new: &[u8]) -> FileDiff {
    let (old_name, new_name) = (file_name(old), file_name(new));
    if diff.change == Change::Modify {
        diff.change = match (old_name.as_slice(), new_name.as_slice()) {
            (b"/dev/null", _) => Change::Create,
            (_, b"/dev/null") => Change::Delete,
            _ => Change::Modify,
        };
    }
    if !diff.bare_names {
        let real = |name: Vec<u8>| (name != b"/dev/null").then_some(name);
        (diff.old, diff.new) = (real(old_name), real(new_name));
    }
    let date = new.split(|byte| *byte == b'\t').nth(1).unwrap_or_default();
    diff.ends_in_nothing = date.starts_with(b"1970-01-01") || date.starts_with(b"1969-12-31");
    diff
}

/// A name up to the tab before its date; unquoted, where git quoted it.
fn file_name(text: &[u8]) -> Vec<u8> {
    match text {
        [b'"', ..] => unquote(text).0,
        _ => text.split(|byte| *byte == b'\t').next().unwrap_or_default().trim_ascii_end().to_vec(),
    }
}

/// The name within the quotes at the start of `text`, and what follows them. Escapes are those of C.
fn unquote(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut name = Vec::new();
    let mut rest = text.get(1..).unwrap_or_default();
    loop {
        rest = match rest {
            [] => return (name, rest),
            [b'"', after @ ..] => return (name, after),
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                name.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                after
            }
            [b'\\', escaped, after @ ..] => {
                name.push(match escaped {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                });
                after
            }
            [byte, after @ ..] => {
                name.push(*byte);
                after
            }
        };
    }
}

/// A line without its line end.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
