//! Users: everybody who may come in, as a file says it.
//!
//! ```text
//! # name:hash[:rights]
//! anna:$2y$10$…
//! ci:$6$…:artifacts=writer,bazel=reader
//! robot:{TOKEN}<SHA-256 of the token, as 64 hex digits>:writer
//! ```
//!
//! That is Apache's format; Apache and nginx ignore what follows the hash. Who has no rights there is a writer everywhere.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use constant_time_eq::constant_time_eq_32;

use super::password::Password;
use super::role::{Rights, Role};
use crate::Digest;

/// A line's beginning that says that the hash is a token's.
const TOKEN: &str = "{TOKEN}";

/// Passwords that are remembered to be right, so that not every request takes milliseconds.
const REMEMBERED: usize = 4096;

/// Somebody who has come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct User {
    pub(super) name: Arc<str>,
    pub(super) rights: Arc<Rights>,
}

/// Everybody, as of one state of the file.
#[derive(Debug, Default)]
pub(in crate::server) struct Users {
    passwords: HashMap<Arc<str>, (Password, User)>,
    tokens: Vec<(Digest, User)>,
    /// What is wrong with lines of the file.
    pub(super) faults: Vec<String>,
    right: Mutex<HashSet<Digest>>,
    salt: RandomState,
}

impl Users {
    /// Reads a file's text. A line that cannot be understood lets nobody in, and harms no other.
    pub(in crate::server) fn parse(text: &str) -> Self {
        let mut users = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty()
                && !line.starts_with('#')
                && let Err(fault) = users.add(line)
            {
                users.faults.push(format!("line {}: {fault}", number + 1));
            }
        }
        users
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        let (name, rest) = line.split_once(':').ok_or("there is no `:` in it")?;
        let (hash, rights) = rest.split_once(':').map_or((rest, None), |(hash, rights)| (hash, Some(rights)));
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err("a user has a name".into());
        }
        let rights = rights.map_or_else(|| Ok(Rights::everywhere(Role::Writer)), str::parse)?;
        let user = User { name: name.into(), rights: Arc::new(rights) };
        if let Some(token) = hash.strip_prefix(TOKEN) {
            let digest = token.parse().map_err(|error| format!("after `{TOKEN}`: {error}"))?;
            self.tokens.push((digest, user));
            return Ok(());
        }
        let password = Password::parse(hash)?;
        if self.passwords.contains_key(name) {
            return Err(format!("`{name}` is there already; the first one counts"));
        }
        self.passwords.insert(user.name.clone(), (password, user));
        Ok(())
    }

    /// What is wrong with lines of the file.
    #[cfg(any(test, fuzzing))]
    pub(in crate::server) fn faults(&self) -> &[String] {
        &self.faults
    }

    /// How many there are.
    pub(in crate::server) fn count(&self) -> usize {
        self.passwords.len() + self.tokens.len()
    }

    /// Whose token that is. It takes the same time whichever it is.
    pub(in crate::server) fn by_token(&self, token: &str) -> Option<User> {
        let digest = Digest::of(token);
        let fold = |found, (known, user): &(Digest, User)| {
            if constant_time_eq_32(known.as_bytes(), digest.as_bytes()) { Some(user.clone()) } else { found }
        };
        self.tokens.iter().fold(None, fold)
    }

    /// Somebody whose password was verified before.
    pub(in crate::server) fn remembered(&self, name: &str, password: &str) -> Option<User> {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, user) =
            right.contains(&self.fingerprint(name, password)).then(|| self.passwords.get(name)).flatten()?;
        Some(user.clone())
    }

    /// Somebody by name and password. It takes milliseconds, also for a name that nobody has.
    pub(super) fn by_password(&self, name: &str, password: &str) -> Option<User> {
        let Some((hash, user)) = self.passwords.get(name) else {
            // Who tries names must not learn by the time that it takes which ones there are.
            self.passwords.values().next().map(|(hash, _)| hash.verify(password.as_bytes()));
            return None;
        };
        if !hash.verify(password.as_bytes()) {
            return None;
        }
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= REMEMBERED {
            right.clear();
        }
        right.insert(self.fingerprint(name, password));
        Some(user.clone())
    }

    /// What is kept of a right password: neither itself, nor what could be looked up in a table.
    fn fingerprint(&self, name: &str, password: &str) -> Digest {
        let salt = self.salt.hash_one(0);
        Digest::of(format!("{salt:016x}{}:{name}{password}", name.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APR1: &str = "$apr1$r31xyzAB$Y06M2WUVxtJafDnRSxFf0.";

    #[test]
    fn lines_let_in_whom_they_name() {
        let token = Digest::of("beans");
        let users =
            Users::parse(&format!("# shop\nanna:{APR1}\n\nci:{APR1}:reader\nrobot:{{TOKEN}}{token}:artifacts=admin\n"));
        assert_eq!((users.count(), users.faults.len()), (3, 0));
        let role = |user: Option<User>| user.and_then(|user| user.rights.role("artifacts"));
        assert!(users.remembered("anna", "espresso").is_none());
        assert_eq!(role(users.by_password("anna", "espresso")), Some(Role::Writer));
        assert_eq!(role(users.remembered("anna", "espresso")), Some(Role::Writer));
        assert_eq!(role(users.by_password("ci", "espresso")), Some(Role::Reader));
        assert_eq!(role(users.by_token("beans")), Some(Role::Admin));
        for (name, password) in [("anna", "Espresso"), ("bert", "espresso"), ("robot", "beans"), ("", "")] {
            assert!(users.by_password(name, password).is_none() && users.remembered(name, password).is_none());
        }
        assert!(users.by_token("").is_none() && users.by_token("espresso").is_none());
    }

    #[test]
    fn a_bad_line_is_named_and_harms_no_other() {
        let text = format!("nobody\nanna:plain\n:{APR1}\nx:{APR1}:king\ny:{{TOKEN}}12\nanna:{APR1}\nanna:{APR1}:admin");
        let users = Users::parse(&text);
        assert_eq!(users.count(), 1);
        assert_eq!(
            users.faults,
            [
                "line 1: there is no `:` in it",
                "line 2: the password is not hashed by bcrypt, SHA-crypt or apr1; `htpasswd -B` does it",
                "line 3: a user has a name",
                "line 4: `king` is no role: use `reader`, `writer` or `admin`",
                "line 5: after `{TOKEN}`: a SHA-256 digest is 64 hex digits",
                "line 7: `anna` is there already; the first one counts",
            ]
        );
    }
}
