//! What was counted outlives the server, and two servers of one directory count together.

use std::path::Path;

use tempfile::TempDir;

use super::super::program::Program;
use super::super::served::Served;
use super::{page, words};
use crate::server::client::Request;

fn serve(dir: TempDir) -> Served {
    let history = dir.path().join("store/server");
    Served::in_dir(dir, |options| options.history = Some(history))
}

#[test]
fn a_restart_loses_no_count() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_owned();
    let served = serve(dir);
    served.put("a", "beans");
    served.get("a");
    served.get("b");
    let dir = served.close();
    let served = serve(dir);
    assert!(words(&page(&served, "/")).contains("50.0 % of 2 requests"));
    assert!(findings(&root.join("store")).is_empty(), "the store knows that directory");
}

/// What a repair of the store would find.
fn findings(store: &Path) -> Vec<String> {
    let findings = cortado::DirectoryStore::open(store).unwrap().repair(true).unwrap();
    findings
        .into_iter()
        .map(|finding| finding.path.display().to_string())
        .filter(|path| path.contains("server"))
        .collect()
}

#[test]
fn the_program_keeps_its_counts_in_the_directory_that_it_serves() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (Program::start(dir.path(), &[]), Program::start(dir.path(), &[]));
    first.put("a", "beans");
    first.get("a");
    second.get("a");
    let ends = |mut program: Program| {
        program.signal(rustix::process::Signal::TERM);
        program.child.wait().unwrap();
    };
    ends(first);
    let seen = |program: &Program| {
        let answer = Request::new("GET", "/").send(program.address);
        words(&String::from_utf8(answer.body).unwrap())
    };
    assert!(seen(&second).contains("100 % of 2 requests"), "one has counted, and so has the other: {}", seen(&second));
    ends(second);
    let third = Program::start(dir.path(), &[]);
    assert!(seen(&third).contains("100 % of 2 requests"), "{}", seen(&third));
}
