//! The survey: what the store holds, looked at for people.

mod group;
mod lately;
mod search;
mod summary;

pub(super) use self::group::Group;
pub(super) use self::lately::{Lately, Made, Seen};
pub(super) use self::search::{REACH, Results, Search};
pub(super) use self::summary::{Label, Project, Summary, Task};
use super::problem::Problem;
use super::site::Site;

/// What was lately seen of the store.
#[derive(Debug, Default)]
pub(super) struct Survey {
    summary: Lately<Summary>,
}

impl Survey {
    /// Looks for objects, when nobody else goes through the store.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub(super) async fn search(site: &Site, search: Search, skip: usize, limit: usize) -> Result<Results, Problem> {
        site.walks.look(move |store| search.run(store, skip, limit)).await
    }
}
