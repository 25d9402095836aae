//! The netrc file: passwords by machine, as ftp and curl have them.

use std::path::{Path, PathBuf};

use crate::stores::Http;
use crate::{Error, Result};

/// Gives a web server the user and password that `$NETRC`, or else `~/.netrc`, has for it.
pub(super) fn fill(server: &mut Http) -> Result<()> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let path = variable("NETRC").or_else(|| Some(variable("HOME")?.join(".netrc")));
    let invalid = |problem| Error::Invalid { place: "netrc".into(), problem, hint: String::new() };
    let Some((path, machine)) = path.zip(machine(server.url.expose())) else { return Ok(()) };
    if let Some(found) = login(&path, machine).map_err(invalid)? {
        server.username = Some(found.username);
        server.password = Some(found.password.into());
    }
    Ok(())
}

/// The host of an address.
fn machine(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => host.split(':').next(),
    }
}

/// Who one is on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Login {
    username: String,
    password: String,
}

/// What the file says about a machine. Its `default` does not count: it would send a password to anybody.
///
/// # Errors
/// A file that cannot be read; one that is not there says nothing.
fn login(path: &Path, machine: &str) -> Result<Option<Login>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(find(&text, machine)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("could not read `{}`: {error}", path.display())),
    }
}

fn find(text: &str, machine: &str) -> Option<Login> {
    let mut words = text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut ours, mut username, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" if ours => break,
            "machine" => ours = words.next().is_some_and(|name| name.eq_ignore_ascii_case(machine)),
            "login" if ours => username = words.next(),
            "password" if ours => password = words.next(),
            _ => {}
        }
    }
    Some(Login { username: username?.to_owned(), password: password?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# machine cache.example.org login no password no\n\
                        machine git.example.org login ann password one\n\
                        machine Cache.example.org\n  login kai\n  password two\n\
                        default login anybody password three\n";

    #[test]
    fn a_server_is_known_by_its_host() {
        for url in ["https://Cache.example.org:8443/x", "https://a:b@Cache.example.org", "http://Cache.example.org?x"] {
            assert_eq!(machine(url), Some("Cache.example.org"));
        }
        assert_eq!(machine("http://[::1]:80/"), Some("::1"));
    }

    #[test]
    fn a_machine_has_its_login_and_strangers_have_none() {
        let login = |machine| find(FILE, machine).map(|login| (login.username, login.password));
        assert_eq!(login("cache.example.org"), Some(("kai".into(), "two".into())));
        assert_eq!(login("git.example.org"), Some(("ann".into(), "one".into())));
        assert_eq!(login("evil.example.org"), None);
    }
}
