//! The server: one directory of artifacts for many machines, over HTTP.
//!
//! `docs/server.md` describes what it speaks, `docs/design/server.md` why it is made so. It is an outsider to the rest of
//! the crate: whatever it does to objects, it does through [`Store`](crate::Store).
//!
//! ```no_run
//! use cortado::DirectoryStore;
//! use cortado::server::Server;
//!
//! # fn main() -> cortado::Result<()> {
//! let store = DirectoryStore::open("/srv/cortado")?;
//! let server = Server::new(store).bind("127.0.0.1:8000")?;
//! println!("listening on {}", server.address());
//! server.run()?;
//! # Ok(())
//! # }
//! ```
//!
//! A request goes: listener → connection (`connection`) → router (`router`) → who asks (`auth`) → a protocol
//! (`artifacts` is ours; those of other tools are alike, see
//! `keyed`) → the shelf (`shelf`), which is the only one to touch the store.

mod address;
mod answer;
mod artifacts;
mod ask;
mod auth;
mod bazel;
mod body;
mod buffers;
mod ccache;
mod connection;
mod curdling;
mod digests;
mod event;
mod forward;
mod gradle;
mod health;
mod history;
mod in_path;
mod intake;
mod keyed;
mod known;
mod labels;
mod leftover;
mod line;
mod listener;
mod metrics;
mod name;
mod nx;
mod options;
mod pace;
mod page;
mod patience;
mod problem;
mod range;
mod refill;
mod refusal;
mod reports;
mod route;
mod router;
mod running;
mod scrape;
mod shelf;
mod site;
mod stamp;
mod stop;
mod streams;
mod survey;
mod task_hash;
mod tls;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod trial;
mod turbo;
mod upload;
mod vetted;
mod walk;
mod watch;
mod webdav;

pub use auth::Role;
pub use event::{Access, Event};
pub use listener::Listener;
pub use options::ServerOptions;
pub use running::{Bound, Server};
pub use stop::Stop;
pub use tls::Tls;
