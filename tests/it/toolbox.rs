//! A product of five real packages, built from what their authors released: built, wiped, restored, and changed.
//!
//! The releases lie in the directory that `CORTADO_TEST_SOURCES` names, and are found there by checksum. Without that
//! variable nothing is built, and the test says so.

mod product;
mod programs;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use product::Product;

use crate::support::Look;

const PACKAGES: [&str; 5] = ["bzip2", "libarchive", "lua", "pcre2", "xz"];
const NONE: [PathBuf; 0] = [];

#[test]
fn five_packages_are_built_wiped_restored_and_changed() {
    let Some(sources) = sources() else { return };
    let toolbox = Product::new(sources);

    let run = toolbox.run();
    assert_eq!(run.ended("built"), PACKAGES);
    let (built, artifacts) = (toolbox.installed(), toolbox.artifacts());
    assert_eq!(toolbox.installed_with(toolbox.work_dir()), NONE, "where it was built shows");
    programs::try_out(toolbox.install_dir());

    toolbox.wipe_install_dir();
    let run = toolbox.run();
    assert_eq!((run.ended("installed"), run.steps), (PACKAGES.to_vec(), 0));
    assert_eq!(differences(&built, &toolbox.installed()), NONE);

    toolbox.wipe_install_dir();
    toolbox.wipe_work_dir();
    let run = toolbox.run();
    assert_eq!((run.ended("restored"), run.steps), (PACKAGES.to_vec(), 0));
    assert_eq!(differences(&built, &toolbox.installed()), NONE);
    assert_eq!(toolbox.artifacts(), artifacts);

    toolbox.edit_recipe("\"--disable-doc\"", "\"--disable-doc\", \"--disable-scripts\"");
    let run = toolbox.run();
    assert_eq!(run.ended("built"), ["libarchive", "xz"]);
    assert_eq!(run.ended("up to date"), ["bzip2", "lua", "pcre2"]);
    let gone = differences(&built, &toolbox.installed());
    assert!(gone.contains(&"bin/xzgrep".into()), "{gone:?}");
    let scripts = |path: &PathBuf| path.starts_with("bin") || path.starts_with("share/man/man1");
    assert!(gone.iter().all(scripts), "more than the scripts of xz: {gone:?}");
    // Built a second time and of the same sources, libarchive is the same to the byte.
    assert_eq!(toolbox.artifacts()["libarchive"], artifacts["libarchive"]);
}

#[test]
fn the_recipe_says_all_that_a_release_engineer_has_to_know() {
    let project = Product::new(PathBuf::new()).project();
    let names: Vec<_> = project.tasks().iter().map(cortado::Task::name).collect();
    assert_eq!(names, ["bzip2", "xz", "lua", "pcre2", "libarchive"]);
    for task in project.tasks() {
        assert!(!task.licensing().files.is_empty(), "{} comes without a licence text", task.name());
    }
    let upstreams = |name: &str| project.task(name).unwrap().upstreams().to_vec();
    assert_eq!(
        (upstreams("pcre2"), upstreams("libarchive")),
        (vec!["bzip2".into()], vec!["bzip2".into(), "xz".into()])
    );
}

/// The directory of the releases, if there is one.
fn sources() -> Option<PathBuf> {
    let sources = std::env::var_os("CORTADO_TEST_SOURCES").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    if sources.is_none() {
        let notice = b"toolbox: left out, because CORTADO_TEST_SOURCES names no directory of releases\n";
        std::io::stderr().write_all(notice).unwrap();
    }
    sources
}

/// The paths at which two trees are not the same.
fn differences(one: &BTreeMap<PathBuf, Look>, other: &BTreeMap<PathBuf, Look>) -> Vec<PathBuf> {
    let paths: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    paths.into_iter().filter(|path| one.get(*path) != other.get(*path)).cloned().collect()
}
