//! Names of objects, as a server takes them from strangers.

use std::fmt;

use crate::Digest;

/// The longest name of an object, in bytes: it is a file name.
const LONGEST: usize = 255;

/// The namespace of what was found to be corrupt.
pub(super) const QUARANTINE: &str = "quarantine";

/// The name of an object in the store, checked.
///
/// The own protocol has the names that cortado gives to artifacts. Every other protocol keeps its objects in a namespace of
/// its own, as `<namespace>~<key>`; since `~` is in no name of ours, they never meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name(String);

/// The text is no name. What is kept of it is its beginning, fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name: use up to {LONGEST} letters, digits, `.`, `_`, `+`, `-`, beginning with a letter or digit")]
pub(super) struct NotAName(String);

impl Name {
    /// A name of the own protocol: letters, digits and `._+-`, beginning with a letter or digit.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn parse(text: &str) -> Result<Self, NotAName> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts_well && text.len() <= LONGEST && text.bytes().all(is_plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(NotAName(text.chars().take(60).flat_map(char::escape_debug).collect()))
    }

    /// A name of the own protocol, or that of an object of another: a server that stands behind another one is asked for both.
    /// What was put aside is nobody's.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn parse_any(text: &str) -> Result<Self, NotAName> {
        let is_namespace = |name: &str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            !name.is_empty() && name != QUARANTINE && name.bytes().all(plain)
        };
        match text.split_once('~') {
            Some((namespace, key))
                if is_namespace(namespace)
                    && text.len() <= LONGEST
                    && key.bytes().all(|byte| is_plain(byte) || byte == b'~') =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Self::parse(text),
        }
    }

    /// Whose the object is, where it is another protocol's.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.0.split_once('~').map(|(namespace, _)| namespace)
    }

    /// The name of a key of another protocol. `namespace` has letters, digits and `-`; a key may be anything, and two
    /// keys never have one name.
    pub(super) fn within(namespace: &str, key: &str) -> Self {
        let mut name = format!("{namespace}~");
        for byte in key.bytes() {
            match byte {
                byte if is_plain(byte) => name.push(char::from(byte)),
                byte => name.push_str(&format!("~{byte:02x}")),
            }
        }
        if name.len() > LONGEST { Self(format!("{namespace}~~~{}", Digest::of(key))) } else { Self(name) }
    }

    /// The key that has that name in a namespace; none for other names, and where the key was too long for a name.
    pub(super) fn key_within(name: &str, namespace: &str) -> Option<String> {
        let mut rest = name.strip_prefix(namespace)?.strip_prefix('~')?;
        let mut key = Vec::with_capacity(rest.len());
        while let Some((plain, escaped)) = rest.split_once('~') {
            key.extend(plain.bytes());
            key.extend(hex::decode(escaped.get(..2)?).ok()?);
            rest = escaped.get(2..)?;
        }
        key.extend(rest.bytes());
        String::from_utf8(key).ok()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the object is an artifact, by its name: then it can be told whether it is whole.
    pub(super) fn is_artifact(&self) -> bool {
        self.0.ends_with(".tar.gz") && !self.0.contains('~')
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._+-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_artifacts() {
        assert!(Name::parse("shop-zlib-0a.tar.gz").is_ok_and(|name| name.is_artifact()));
        assert!(Name::parse("X.bin").is_ok_and(|name| !name.is_artifact()));
        let long = "x".repeat(256);
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", "a\0b", ".hidden", "a~b", "ä", "-x", "a b", "a%2fb", &long] {
            assert!(Name::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_name_is_told_with_the_rule() {
        let told = |text: &str| Name::parse(text).unwrap_err().to_string();
        let rule = "use up to 255 letters, digits, `.`, `_`, `+`, `-`, beginning with a letter or digit";
        assert_eq!(told("a\nb"), format!("`a\\nb` is no name: {rule}"));
        assert_eq!(told(&"x".repeat(256)), format!("`{}` is no name: {rule}", "x".repeat(60)));
    }

    #[test]
    fn servers_in_line_know_names_of_all_protocols() {
        let any = |text: &str| Name::parse_any(text).ok().map(|name| name.namespace().map(str::to_owned));
        assert_eq!(any("a.tar.gz"), Some(None));
        for name in [Name::within("gradle", "a/b"), Name::within("gradle", &"x".repeat(300))] {
            assert_eq!(any(name.as_str()), Some(Some("gradle".into())));
        }
        for bad in ["quarantine~a", "~a", "A~b", "a~b/c", "a~\0", ".a~b", "a.b~c", &format!("a~{}", "x".repeat(254))] {
            assert_eq!(any(bad), None, "{bad}");
        }
    }

    #[test]
    fn namespaces_keep_keys_apart() {
        let name = |key: &str| Name::within("dav", key).0;
        assert_eq!(name("a/B.c"), "dav~a~2fB.c");
        let keys = ["a/b", "a~2fb", "a", "b", &"x".repeat(300), &"x".repeat(301), "~", ""];
        let names: std::collections::BTreeSet<_> = keys.iter().map(|key| name(key)).collect();
        assert_eq!(names.len(), keys.len());
        assert!(names.iter().all(|name| name.len() <= LONGEST && Name::parse(name).is_err()));
    }

    #[test]
    fn keys_are_read_off_names() {
        for key in ["a/B.c", "~", "", "a~2fb", "ä", "~~"] {
            let name = Name::within("dav", key);
            assert_eq!(Name::key_within(name.as_str(), "dav").as_deref(), Some(key));
        }
        let long = Name::within("dav", &"x".repeat(300));
        for other in ["dav", "davy~a", "a", "dav~~zz", "dav~a~2", "dav~~ff", "dav~~aé", long.as_str()] {
            assert_eq!(Name::key_within(other, "dav"), None, "{other}");
        }
    }
}
