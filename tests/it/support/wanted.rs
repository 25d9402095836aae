//! Other people's programs, which stories want to run.
//!
//! They are looked for in the directory that `CORTADO_TEST_SERVERS` names (`venv/bin`, `npm/node_modules/.bin`) and on
//! `PATH`. Where one is missing, its story says so and is not told; with `CORTADO_TEST_SERVERS` set, that is a failure.

use std::path::PathBuf;

/// Where a program lies that a story cannot do without. `None` where there is none.
pub(crate) fn wanted(name: &str) -> Option<PathBuf> {
    let found = find(name);
    if found.is_none() {
        assert!(std::env::var_os("CORTADO_TEST_SERVERS").is_none(), "`{name}` is not among the test servers");
        eprintln!("NOT RUN: there is no `{name}` on this machine; .ci/run installs it");
    }
    found
}

/// Where a program lies.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let servers = std::env::var_os("CORTADO_TEST_SERVERS").map(PathBuf::from);
    let own = servers.into_iter().flat_map(|dir| [dir.join("venv/bin"), dir.join("npm/node_modules/.bin")]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = own.chain(std::env::split_paths(&path)).chain([PathBuf::from("/usr/sbin")]);
    dirs.map(|dir| dir.join(name)).find(|program| program.is_file())
}
