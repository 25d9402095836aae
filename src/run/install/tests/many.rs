//! Stories of many: threads, files, and moves in whatever order.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::super::*;
use super::machine::Staged::{self, *};
use super::machine::{Machine, machine};
use crate::error::Error;

#[test]
fn tasks_install_from_many_threads_at_once() {
    let machine = machine();
    let tasks: Vec<String> = (0..8).map(|task| format!("task{task}")).collect();
    let trees: Vec<Tree> = tasks
        .iter()
        .map(|task| {
            let own = format!("share/deep/{task}");
            machine.tree(task, &[(&own, File(task)), ("share/deep/LICENSE", File("text"))])
        })
        .collect();
    let installer = machine.installer();
    std::thread::scope(|scope| {
        for (task, tree) in tasks.iter().zip(&trees) {
            let installer = &installer;
            scope.spawn(move || installer.install(task, task, tree, &[]).unwrap());
        }
    });
    assert!(tasks.iter().all(|task| installer.verify(task, task, &[]) == Verdict::Intact));
    assert_eq!(machine.installed().len(), 2 + 8 + 1);
    for task in &tasks {
        installer.remove(task).unwrap();
    }
    assert!(machine.installed().is_empty());
}

#[test]
fn many_files_are_put_by_many_hands_and_are_where_they_belong() {
    for link_mode in [LinkMode::Hardlink, LinkMode::Copy] {
        let mut machine = machine();
        machine.options.link_mode = link_mode;
        let paths: Vec<String> = (0..600).map(|number| format!("share/{}/{number}", number % 7)).collect();
        let mut staged: Vec<(&str, Staged<'_>)> = paths.iter().map(|path| (path.as_str(), File(path))).collect();
        staged.extend([("share/3", Locked), ("share/3/link", Link("10"))]);
        let counts = machine.install("app", "1", &staged).unwrap();
        assert_eq!((counts.written, counts.kept), (601, 0));
        for path in &paths {
            assert_eq!(fs::read_to_string(machine.at(path)).unwrap(), *path);
        }
        assert_eq!(fs::metadata(machine.at("share/3")).unwrap().permissions().mode() & 0o777, 0o555);
        assert_eq!(machine.installer().verify("app", "1", &[]), Verdict::Intact);
        let owned = machine.state.lock().unwrap().installed("app").unwrap().owned;
        assert!(owned.is_sorted_by_key(|owned| owned.path.as_os_str().to_owned()));
    }
}

/// What is at every path below the install directory: kind, mode, content.
fn snapshot(machine: &Machine) -> Vec<String> {
    let Ok(listing) = crate::host::listing::Listing::of(&machine.options.install_dir) else { return Vec::new() };
    let describe = |entry: crate::host::listing::Entry| {
        let content = fs::read_to_string(machine.options.install_dir.join(&entry.path)).unwrap_or_default();
        format!("{:?} {:?} {:o} {content}", entry.path, entry.kind, entry.mode)
    };
    listing.entries.into_iter().map(describe).collect()
}

/// A tree that can be: nothing below what is not a directory.
fn consistent(choices: &[u8]) -> Vec<(&'static str, Staged<'static>)> {
    const PATHS: [&str; 7] = ["a", "a/b", "a/b/c", "a/d", "e", "e/f", "g"];
    let mut staged: Vec<(&str, Staged<'_>)> = Vec::new();
    for (path, choice) in PATHS.into_iter().zip(choices) {
        let kind = match choice {
            0 => File("one"),
            1 => File("two"),
            2 => Exec("one"),
            3 => Link("a/b"),
            4 | 5 => Dir,
            _ => continue,
        };
        let blocks = |(above, kind): &(&str, Staged<'_>)| !matches!(kind, Dir) && Path::new(path).starts_with(above);
        if !staged.iter().any(blocks) {
            staged.push((path, kind));
        }
    }
    staged
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..proptest::prelude::ProptestConfig::with_cases(32) })]

    #[test]
    fn whatever_happens_in_whatever_order_the_product_is_what_the_records_say(
        moves in proptest::collection::vec((0..3usize, 0..5u8, proptest::collection::vec(0..9u8, 7)), 1..10),
        copy: bool,
    ) {
        const TASKS: [&str; 3] = ["one", "two", "three"];
        let mut machine = machine();
        machine.options.link_mode = if copy { LinkMode::Copy } else { LinkMode::Auto };
        let mut tags: HashMap<&str, String> = HashMap::new();
        for (turn, (task, kind, choices)) in moves.into_iter().enumerate() {
            let (task, tag, before) = (TASKS[task], format!("tag{turn}"), snapshot(&machine));
            if kind == 0 {
                machine.installer().remove(task).unwrap();
                tags.remove(task);
                continue;
            }
            let overrides: &[&str] = if kind == 1 && task == "one" { &["two"] } else { &[] };
            match machine.install_over(task, &tag, &consistent(&choices), overrides) {
                Ok(_) => {
                    proptest::prop_assert_eq!(machine.verify(task, &tag), Verdict::Intact);
                    tags.insert(task, tag);
                }
                Err(Error::Conflict { .. } | Error::Unowned { .. }) => {
                    proptest::prop_assert_eq!(snapshot(&machine), before, "a refused install changes nothing");
                }
                Err(error) => panic!("{error}"),
            }
        }
        for (task, tag) in &tags {
            let verdict = machine.verify(task, tag);
            let owed = matches!(&verdict, Verdict::Damaged { why, .. } if why.contains("unfinished"));
            proptest::prop_assert!(verdict == Verdict::Intact || owed, "{} {:?}", task, verdict);
        }
        for task in TASKS {
            machine.installer().remove(task).unwrap();
        }
        proptest::prop_assert!(snapshot(&machine).is_empty(), "{:?}", snapshot(&machine));
    }
}
