//! The server, by what a client sees of it.

mod artifacts;
mod bazel;
mod ccache;
mod client;
mod clients;
mod config;
mod curdling;
mod faults;
mod gradle;
mod limits;
mod lists;
mod nx;
mod openapi;
mod page;
mod program;
mod served;
mod sockets;
mod streams;
mod turbo;
mod upstream;
mod users;
mod webdav;
mod workspace;

use cortado::conformance;
use cortado::stores::Http;

use served::Served;

#[test]
fn our_own_store_conforms_against_it() {
    let served = Served::new();
    conformance::check(&Http::new(served.url("/v1/artifacts")).open().unwrap()).unwrap();
}

#[cfg(feature = "stores")]
#[test]
fn our_own_webdav_store_conforms_against_it() {
    let served = Served::new();
    let mut below = cortado::stores::Webdav::new(served.url("/webdav"));
    conformance::check(&below.open().unwrap()).unwrap();
    below.prefix = "team/shop".into();
    conformance::check(&below.open().unwrap()).unwrap();
}
