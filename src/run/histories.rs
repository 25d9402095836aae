//! The histories of all tasks, in one file: a build of thousands of tasks would make thousands of small ones.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::history::{FORMAT, History};
use crate::error::{Error, Result};
use crate::host::fs;

/// The histories of a work directory's tasks: the line `cortado histories 1 <bytes>`, then a record as JSON on each
/// line. The last one of a task counts.
///
/// A line is written by one call; one that a crash has torn is passed over. So many bytes of records as the first line
/// says were in the file when it was last written anew, which is done when it has grown to twice that and 1 MiB.
#[derive(Debug)]
pub(crate) struct Histories {
    path: PathBuf,
    /// Opened for the first record of a run.
    file: Mutex<Option<File>>,
}

const HEADER: &str = "cortado histories 1 ";

/// Records that count no more are kept until they are more than this and than what counts.
const OUTDATED: u64 = 1 << 20;

impl Histories {
    /// Those in the file at `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::default() }
    }

    /// Writes a record down.
    pub(crate) fn add(&self, history: &History) -> Result<()> {
        let failed = || Error::io("write", &self.path);
        let mut line = serde_json::to_vec(history).map_err(|error| failed()(error.into()))?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = Some(open(&self.path).map_err(failed())?);
        }
        file.as_mut().map_or(Ok(()), |file| file.write_all(&line)).map_err(failed())
    }

    /// The record of a task; `None` if there is none that this version can read.
    pub(crate) fn of(&self, task: &str) -> Result<Option<History>> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &self.path)(error)),
        };
        let last = text.rsplit(|byte| *byte == b'\n').find(|line| task_of(line).as_deref() == Some(task));
        Ok(last.and_then(|line| serde_json::from_slice(line).ok()).filter(|history: &History| history.format == FORMAT))
    }
}

/// Opens the file for additions: made if it is not there, written anew if most of it counts no more.
fn open(path: &Path) -> io::Result<File> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    let mut start = [0; 64];
    let count = file.read(&mut start)?;
    match start.get(..count).and_then(live) {
        Some(live) if length <= 2 * live + OUTDATED => {
            // A torn line ends here, so that the next one is whole.
            if !ends_a_line(&file, length)? {
                file.write_all(b"\n")?;
            }
            Ok(file)
        }
        _ => {
            write_anew(path)?;
            File::options().append(true).open(path)
        }
    }
}

fn ends_a_line(file: &File, length: u64) -> io::Result<bool> {
    let mut last = [0];
    file.read_exact_at(&mut last, length.saturating_sub(1))?;
    Ok(last == *b"\n")
}

/// How many bytes counted when the file that begins like this was written anew.
fn live(start: &[u8]) -> Option<u64> {
    let line = start.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.strip_prefix(HEADER)?.parse().ok()
}

/// Leaves out all but the last record of each task.
fn write_anew(path: &Path) -> io::Result<()> {
    let text = std::fs::read(path)?;
    let lines = text.split(|byte| *byte == b'\n');
    let last: BTreeMap<_, _> = lines.filter_map(|line| Some((task_of(line)?, line))).collect();
    let kept = last.values().flat_map(|line| [*line, b"\n"]).collect::<Vec<_>>().concat();
    let text = [format!("{HEADER}{}\n", kept.len()).as_bytes(), &kept].concat();
    fs::write_atomic(path, &text).map_err(io::Error::other)
}

/// The task that a line is about; `None` if it is no record.
fn task_of(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct About {
        task: String,
    }
    serde_json::from_slice(line).ok().map(|About { task }| task)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn history(task: &str, time: u64) -> History {
        let fields = serde_json::from_str("[]").unwrap();
        History { format: FORMAT, task: task.into(), tag: "t".into(), shasum: Digest::of(task), time, fields }
    }

    fn time(histories: &Histories, task: &str) -> Option<u64> {
        histories.of(task).unwrap().map(|history| history.time)
    }

    #[test]
    fn the_last_record_of_a_task_counts_in_this_run_and_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let file = || Histories::new(dir.path().join("histories"));
        assert_eq!(time(&file(), "zlib"), None);
        let histories = file();
        for (task, time) in [("zlib", 1), ("app", 2), ("zlib", 3)] {
            histories.add(&history(task, time)).unwrap();
        }
        assert_eq!((time(&histories, "zlib"), time(&histories, "app")), (Some(3), Some(2)));
        file().add(&history("app", 4)).unwrap();
        assert_eq!((time(&file(), "zlib"), time(&file(), "app"), time(&file(), "other")), (Some(3), Some(4), None));
    }

    #[test]
    fn a_torn_record_costs_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("histories");
        let lengths = [1, 2].map(|time| {
            Histories::new(path.clone()).add(&history("zlib", time)).unwrap();
            std::fs::read(&path).unwrap().len()
        });
        let text = std::fs::read(&path).unwrap();
        for end in 0..text.len() {
            std::fs::write(&path, &text[..end]).unwrap();
            let whole = lengths.iter().filter(|length| end + 1 >= **length).count() as u64;
            let histories = Histories::new(path.clone());
            assert_eq!(time(&histories, "zlib"), Some(whole).filter(|whole| *whole > 0), "after {end} bytes");
            histories.add(&history("app", 3)).unwrap();
            assert_eq!(
                (time(&histories, "zlib"), time(&histories, "app")),
                (Some(whole).filter(|whole| *whole > 0), Some(3))
            );
        }
    }

    #[test]
    fn what_counts_no_more_is_left_out_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("histories");
        let mut large = history("zlib", 1);
        large.tag = "x".repeat(OUTDATED as usize / 2);
        for _ in 0..9 {
            Histories::new(path.clone()).add(&large).unwrap();
        }
        Histories::new(path.clone()).add(&history("app", 2)).unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 3 * OUTDATED);
        assert_eq!(
            (time(&Histories::new(path.clone()), "zlib"), time(&Histories::new(path), "app")),
            (Some(1), Some(2))
        );
    }
}
