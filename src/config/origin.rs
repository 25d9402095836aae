//! The origin: who set something, and where that stands.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

/// Who set something; whoever comes later in this list wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Whose {
    /// Nobody: it is so unless somebody says otherwise.
    Default,
    /// The user's own file.
    User,
    /// The file beside the recipe. It may come from a stranger.
    Project,
    /// The recipe. It may come from a stranger.
    Recipe,
    /// The user's own file, for this project alone.
    UserForProject,
    /// The file of a server, for the server alone.
    Server,
    /// An environment variable.
    Environment,
    /// An option of the command line.
    Option,
}

impl Whose {
    /// Whether whoever wrote it may be a stranger: it came with the project.
    pub(super) fn is_foreign(self) -> bool {
        matches!(self, Self::Project | Self::Recipe)
    }
}

/// Where something was set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingOrigin {
    /// Nowhere.
    Default,
    /// In a file, on a line from 1; 0 where the line is not known.
    File(PathBuf, usize),
    /// By an environment variable of that name.
    Variable(String),
    /// By an option, `--cache-mode`.
    Option(String),
}

impl fmt::Display for SettingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingOrigin::Default => f.write_str("default"),
            SettingOrigin::File(path, 0) => write!(f, "{}", path.display()),
            SettingOrigin::File(path, line) => write!(f, "{}:{line}", path.display()),
            SettingOrigin::Variable(name) | SettingOrigin::Option(name) => f.write_str(name),
        }
    }
}

impl Serialize for SettingOrigin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
