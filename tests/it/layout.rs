//! Trees: a restored one has nothing above the install directory, and what is installed is the same.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::{fs, io};

use cortado::{Miss, Project, Task, closures};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::support::{Look, Shop, look, remove};

/// Where the tree of the only task lies.
fn tree(shop: &Shop) -> PathBuf {
    let names = shop.names("work/trees");
    let [tree, seal] = names.as_slice() else { panic!("{names:?}") };
    assert_eq!(seal, &format!("{tree}.seal"));
    shop.work("trees").join(tree)
}

/// Everything that is in some directories of the shop.
fn product(shop: &Shop, dirs: &[&str]) -> Vec<BTreeMap<PathBuf, Look>> {
    dirs.iter().map(|dir| look(&shop.path(dir))).collect()
}

#[test]
fn a_restored_tree_has_what_is_installed_and_nothing_above_it() {
    let shop = Shop::new();
    let tasks = || [shop.ware("a", "x")];
    shop.run_tasks(tasks());
    let built = look(&shop.path("install"));
    shop.clean();
    assert_eq!(shop.run_tasks(tasks()).of("a"), "restored");
    assert_eq!(look(&shop.path("install")), built);
    assert_eq!(look(&tree(&shop)).into_keys().collect::<Vec<_>>(), [Path::new("share"), Path::new("share/a")]);
    remove(&shop.path("install"));
    assert_eq!(shop.run_tasks(tasks()).of("a"), "installed");
    assert_eq!(look(&shop.path("install")), built);
    // An edit of the installed file is one of the tree: neither is used again.
    fs::write(shop.installed("share/a"), "y").unwrap();
    let seen = shop.run_tasks(tasks());
    assert_eq!((seen.of("a"), seen.warnings().len()), ("restored".into(), 1));
    assert_eq!((look(&shop.path("install")), shop.count("a")), (built, 1));
}

/// A project that installs to two places beside its own.
fn far_reaching(shop: &Shop) -> Project {
    let place = |path: &str| format!("@{{stage_dir}}'{}'", shop.path(path).display());
    let step = format!(
        "mkdir -p {before} {after} @{{stage_install_dir}}/share
         echo conf > @{{stage_install_dir}}/share/conf
         ln @{{stage_install_dir}}/share/conf {before}/conf
         ln @{{stage_install_dir}}/share/conf {after}/conf
         ln -s ../before/conf {after}/link; ln -s share/conf @{{stage_install_dir}}/conf
         chmod 2750 @{{stage_install_dir}}/share; chmod 0710 @{{stage_install_dir}}; echo own > {after}/own",
        before = place("before"),
        after = place("zzz/after")
    );
    let extra = |place: &str| format!("{}/**", shop.path(place).display());
    let task = Task::new("a").version("1").command(step).command(shop.counting("a"));
    shop.builder().extra_file(extra("before")).extra_file(extra("zzz")).task(task).build().unwrap()
}

#[test]
fn what_lies_elsewhere_is_restored_as_it_was_built() {
    let shop = Shop::new();
    let project = far_reaching(&shop);
    let places = ["install", "before", "zzz"];
    let clear = || places.iter().for_each(|place| remove(&shop.path(place)));
    assert_eq!(shop.run(&project).of("a"), "built");
    let built = product(&shop, &places);
    assert!(built.iter().map(BTreeMap::len).sum::<usize>() > 6, "{built:?}");
    let artifact = fs::read(&shop.objects()[0]).unwrap();
    clear();
    assert_eq!(shop.run(&project).of("a"), "installed");
    assert_eq!(product(&shop, &places), built);
    clear();
    remove(&shop.path("work"));
    assert_eq!(shop.run(&project).of("a"), "restored");
    assert_eq!(product(&shop, &places), built);
    clear();
    assert_eq!(shop.run(&project).of("a"), "installed");
    assert_eq!((product(&shop, &places), shop.count("a")), (built, 1));
    fs::write(tree(&shop).join(shop.path("zzz/after/own").strip_prefix("/").unwrap()), "other").unwrap();
    clear();
    assert_eq!(shop.run(&project).of("a"), "restored", "a tree that was changed is not used");
    fs::remove_file(&shop.objects()[0]).unwrap();
    clear();
    remove(&shop.path("work"));
    assert_eq!(shop.run(&project).of("a"), "built");
    assert!(fs::read(&shop.objects()[0]).unwrap() == artifact);
}

#[test]
fn an_install_directory_may_be_a_symlink() {
    let shop = Shop::new();
    fs::create_dir(shop.path("real")).unwrap();
    symlink("real", shop.path("install")).unwrap();
    let project = shop.project([shop.ware("a", "x")]);
    assert_eq!(shop.run(&project).of("a"), "built");
    let built = look(&shop.path("real"));
    for name in ["real/share", "work"] {
        remove(&shop.path(name));
    }
    assert_eq!(shop.run(&project).of("a"), "restored");
    assert_eq!((look(&shop.path("real")), shop.path("install").is_symlink()), (built, true));
}

/// The same archive as another tool would have packed it: nothing says what it was made for.
fn repacked(artifact: &Path) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    io::copy(&mut MultiGzDecoder::new(fs::File::open(artifact).unwrap()), &mut packer).unwrap();
    packer.finish().unwrap()
}

/// Builds a task for one install directory, hands its artifact to a project with another, and says what that makes of it.
fn handed_over(from: &str, to: &str) -> (String, Vec<Miss>) {
    let shop = Shop::new();
    let project = |place: &str| shop.builder().install_dir(shop.path(place)).task(shop.ware("a", "x")).build().unwrap();
    shop.run(&project(from));
    let foreign = shop.path("foreign.tar.gz");
    fs::write(&foreign, repacked(&shop.objects().remove(0))).unwrap();
    remove(&shop.path("work"));
    let project = project(to);
    let callbacks = closures(move |cacher| cacher.unpack(&foreign), |_| Ok(false));
    let seen = shop.run_with(&project, |engine| engine.callbacks(callbacks));
    (seen.of("a"), seen.misses().into_iter().cloned().collect())
}

#[test]
fn an_artifact_for_another_directory_is_refused_however_deep_that_lies() {
    for (from, to) in [("a/b", "a/b/c"), ("a/b/c", "a/b"), ("a/b", "x/y"), ("a/b", "a/bc"), ("a/b/share", "a/b")] {
        let (outcome, misses) = handed_over(from, to);
        let below = Path::new(from).starts_with(to);
        match misses.as_slice() {
            [] => assert!(below && outcome == "restored", "{from} {to}: {outcome}"),
            [Miss::Corrupt(reason)] => assert!(!below && reason.contains("outside"), "{from} {to}: {reason}"),
            other => panic!("{from} {to}: {other:?}"),
        }
    }
}
