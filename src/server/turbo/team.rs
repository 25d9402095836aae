//! The team that a request is made for. Teams that share a server do not see each other's artifacts.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::Deserialize;

use crate::server::problem::Problem;

/// The longest name, in bytes.
const LONGEST: usize = 128;

/// A team, by its name; none has the empty one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Team(String);

/// What the query of a request says of it. The client has an id or a slug, as it was set up.
#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "teamId")]
    id: Option<String>,
    slug: Option<String>,
}

impl Team {
    /// Of two names, the id counts.
    fn new(id: Option<String>, slug: Option<String>) -> Result<Self, Problem> {
        let name = id.filter(|id| !id.is_empty()).or(slug).unwrap_or_default();
        // What is no UTF-8 has become a replacement character, and two names would be one.
        if name.len() > LONGEST || name.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
            return Err(Problem::bad_request(format!(
                "a team's name has up to {LONGEST} bytes and no control characters"
            )));
        }
        Ok(Self(name))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Team {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asked = Query::<Asked>::from_request_parts(parts, state).await;
        let Query(Asked { id, slug }) = asked.map_err(|error| Problem::bad_request(error.body_text()))?;
        Self::new(id, slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_has_an_id_or_a_slug() {
        let name = |id: Option<&str>, slug: Option<&str>| {
            Team::new(id.map(Into::into), slug.map(Into::into)).map(|team| team.0).map_err(|problem| problem.status())
        };
        assert_eq!(name(Some("team_1"), None), Ok("team_1".into()));
        assert_eq!(name(Some("team_1"), Some("beans")), Ok("team_1".into()));
        assert_eq!(name(Some(""), Some("beans")), Ok("beans".into()));
        assert_eq!(name(None, None), Ok(String::new()));
        for bad in ["a\nb", "a\0", "a\u{fffd}", &"x".repeat(129)] {
            assert!(name(Some(bad), None).is_err() && name(None, Some(bad)).is_err(), "{bad:?}");
        }
    }
}
