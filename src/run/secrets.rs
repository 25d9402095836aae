//! The secrets of a task: values that must not appear in its output, and what stands there instead.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::{PoisonError, RwLock};

use crate::error::Error;
use crate::model::{Env, Paths};

/// What stands in output in place of a secret.
const MASK: &[u8] = b"***";

/// Of a secret of several lines, a line shorter than this gives nothing away, and masking it would hide too much.
const SHORTEST_LINE: usize = 4;

/// The values of secret variables, as steps see them. A block's steps may add to them while the task runs.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    /// Longest first, so that none is cut in two by another that is a part of it.
    values: RwLock<Vec<Vec<u8>>>,
}

impl Secrets {
    /// The secrets that some environments declare.
    pub(crate) fn of<'e>(envs: impl IntoIterator<Item = &'e Env>, paths: &Paths) -> Self {
        let secrets = Self::default();
        envs.into_iter().for_each(|env| secrets.add(env, paths));
        secrets
    }

    /// Adds the secrets of one more environment.
    pub(crate) fn add(&self, env: &Env, paths: &Paths) {
        for (_, value) in env.iter().filter(|(_, value)| value.secret) {
            let text = paths.expand(OsStr::new(&value.text));
            let lines = text.as_bytes().split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
            let several = text.as_bytes().contains(&b'\n');
            lines.filter(|line| !several || line.len() >= SHORTEST_LINE).for_each(|line| self.insert(line));
        }
    }

    /// A line of output with every secret masked.
    pub(crate) fn mask<'l>(&self, line: &'l [u8]) -> Cow<'l, [u8]> {
        let mut line = Cow::Borrowed(line);
        for secret in self.values.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(masked) = replace(&line, secret) {
                line = Cow::Owned(masked);
            }
        }
        line
    }

    /// A text with every secret masked.
    pub(crate) fn mask_text(&self, text: String) -> String {
        match self.mask(text.as_bytes()) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => String::from_utf8_lossy(&masked).into_owned(),
        }
    }

    /// An error of a step with every secret masked that may have got into its texts.
    pub(crate) fn mask_error(&self, error: Error) -> Error {
        match error {
            Error::Command { command, code, signal } => {
                Error::Command { command: self.mask_text(command), code, signal }
            }
            Error::TimedOut { command, limit } => Error::TimedOut { command: self.mask_text(command), limit },
            Error::Step { step, problem } => {
                Error::Step { step: self.mask_text(step), problem: self.mask_text(problem) }
            }
            Error::Template { template, reason } => Error::Template { template, reason: self.mask_text(reason) },
            other => other,
        }
    }

    fn insert(&self, secret: &[u8]) {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        if !secret.is_empty() && !values.iter().any(|known| known == secret) {
            let place = values.partition_point(|known| known.len() >= secret.len());
            values.insert(place, secret.to_vec());
        }
    }
}

/// `line` with every `secret` masked; `None` if there is none in it.
fn replace(line: &[u8], secret: &[u8]) -> Option<Vec<u8>> {
    let find = |rest: &[u8]| rest.windows(secret.len()).position(|window| window == secret);
    let mut rest = line;
    let mut masked = Vec::new();
    while let Some(start) = find(rest) {
        let (before, after) = rest.split_at(start);
        masked.extend_from_slice(before);
        masked.extend_from_slice(MASK);
        rest = after.get(secret.len()..).unwrap_or_default();
    }
    if masked.is_empty() {
        return None;
    }
    masked.extend_from_slice(rest);
    Some(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(env: Env, line: &str) -> String {
        let paths = Paths { install_dir: "/opt/shop".into(), ..Paths::default() };
        Secrets::of([&env], &paths).mask_text(line.into())
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let env = || Env::new().secret("TOKEN", "hunter2");
        assert_eq!(masked(env(), "a hunter2, hunter2"), "a ***, ***");
        assert_eq!(masked(env(), "hunter2"), "***");
        assert_eq!(masked(env(), "hunter"), "hunter");
    }

    #[test]
    fn the_longest_secret_is_masked_first() {
        let env = Env::new().secret("A", "ab").secret("B", "abc").set("C", "abcd").secret("EMPTY", "");
        assert_eq!(masked(env, "abc ab abcd"), "*** *** ***d");
    }

    #[test]
    fn every_line_of_a_long_secret_is_one() {
        let env = Env::new().secret("KEY", "-----BEGIN\r\nMIIE\n=\n");
        assert_eq!(masked(env, "x MIIE y = -----BEGIN"), "x *** y = ***");
    }

    #[test]
    fn a_secret_is_masked_as_steps_see_it() {
        assert_eq!(masked(Env::new().secret("A", "@{install_dir}/key"), "cat /opt/shop/key"), "cat ***");
    }
}
