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

/// What was lately seen of the store, and who looks at it.
#[derive(Debug, Default)]
pub(super) struct Survey {
    summary: Lately<Summary>,
    /// Who searches the store waits for whoever else does.
    turn: tokio::sync::Mutex<()>,
}

impl Survey {
    /// Looks for objects.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub(super) async fn search(site: &Site, search: Search, skip: usize, limit: usize) -> Result<Results, Problem> {
        let _turn = site.survey.turn.lock().await;
        site.shelf.work(move |store| search.run(store, skip, limit)).await
    }
}
