//! Roles: what somebody may do, and where.

use std::fmt;
use std::str::FromStr;

/// What somebody may do. Each may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// Reads and lists objects.
    Reader,
    /// Adds objects. What is there stays as it is, but for the objects of tools that mean theirs to be replaced or removed.
    Writer,
    /// Replaces and removes objects.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "reader" => Ok(Self::Reader),
            "writer" => Ok(Self::Writer),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("`{}` is no role: use `reader`, `writer` or `admin`", text.escape_debug())),
        }
    }
}

/// The roles that somebody has, by namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rights {
    everywhere: Option<Role>,
    namespaces: Vec<(String, Role)>,
}

impl Rights {
    /// The same role everywhere.
    pub(super) fn everywhere(role: Role) -> Self {
        Self { everywhere: Some(role), namespaces: Vec::new() }
    }

    /// The role in a namespace. What is said of that namespace counts, not what is said of all.
    pub(super) fn role(&self, namespace: &str) -> Option<Role> {
        let named = self.namespaces.iter().find(|(name, _)| name == namespace);
        named.map(|(_, role)| *role).or(self.everywhere)
    }
}

impl FromStr for Rights {
    type Err = String;

    /// `writer`, or `artifacts=writer,bazel=reader`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut rights = Self::default();
        for part in text.split(',') {
            match part.trim().split_once('=') {
                None => rights.everywhere = Some(part.trim().parse()?),
                Some(("", _)) => return Err("a namespace has a name".into()),
                Some((namespace, role)) => rights.namespaces.push((namespace.to_owned(), role.parse()?)),
            }
        }
        Ok(rights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_by_namespace() {
        let rights: Rights = "reader, artifacts=admin".parse().unwrap();
        assert_eq!((rights.role("artifacts"), rights.role("bazel")), (Some(Role::Admin), Some(Role::Reader)));
        let rights: Rights = "bazel=writer".parse().unwrap();
        assert_eq!((rights.role("artifacts"), rights.role("bazel")), (None, Some(Role::Writer)));
        assert_eq!("king".parse::<Rights>(), Err("`king` is no role: use `reader`, `writer` or `admin`".into()));
        assert!("".parse::<Rights>().is_err() && "=reader".parse::<Rights>().is_err());
    }
}
