//! The server, by what a client sees of it.

mod artifacts;
mod client;
mod faults;
mod gradle;
mod limits;
mod nx;
mod openapi;
mod program;
mod served;
mod sockets;
mod turbo;
mod users;
mod workspace;

use cortado::conformance;
use cortado::stores::Http;

use served::Served;

#[test]
fn our_own_store_conforms_against_it() {
    let served = Served::new();
    conformance::check(&Http::new(served.url("/v1/artifacts")).open().unwrap()).unwrap();
}
