//! Stories of trees: finished, used, damaged and forgotten.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

struct Story {
    room: tempfile::TempDir,
    trees: Trees,
}

fn story() -> Story {
    let room = tempfile::tempdir().unwrap();
    let trees = Trees::open(&room.path().join("trees")).unwrap();
    Story { room, trees }
}

impl Story {
    fn sealed(&self, tag: &str) -> Tree {
        let draft = self.trees.begin(tag).unwrap();
        fs::create_dir_all(draft.path().join("opt/shop/bin")).unwrap();
        fs::write(draft.path().join("opt/shop/bin/tool"), tag).unwrap();
        symlink("tool", draft.path().join("opt/shop/bin/alias")).unwrap();
        draft.seal(42, Some(Digest::of(tag))).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.trees.names().unwrap().into_iter().collect();
        names.sort();
        names
    }

    fn damage(&self, tag: &str) -> String {
        match self.trees.get(tag).unwrap() {
            TreeState::Damaged(what) => what,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_sealed_tree_is_found_again_with_all_that_is_in_it() {
    let story = story();
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Absent);
    let tree = story.sealed("a");
    let paths: Vec<_> = tree.entries().iter().map(|entry| entry.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["opt", "opt/shop", "opt/shop/bin", "opt/shop/bin/alias", "opt/shop/bin/tool"]);
    assert_eq!(tree.digest, Some(Digest::of("a")));
    assert!(tree.entries().iter().all(|entry| entry.stat.mtime == (42, 0)));
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Present(tree));
    assert_eq!(story.names(), ["a", "a.seal"]);
}

#[test]
fn a_new_tree_takes_the_place_of_the_old_one() {
    let story = story();
    story.sealed("a");
    let draft = story.trees.begin("a").unwrap();
    fs::write(draft.path().join("other"), "").unwrap();
    let tree = draft.seal(0, None).unwrap();
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Present(tree.clone()));
    assert_eq!(tree.entries().len(), 1);
    assert_eq!(story.names(), ["a", "a.seal"]);
}

#[test]
fn a_stage_built_elsewhere_is_adopted() {
    let story = story();
    let stage = story.room.path().join("stage");
    fs::create_dir(&stage).unwrap();
    fs::write(stage.join("file"), "").unwrap();
    let entries = Listing::of(&stage).unwrap().entries;
    let tree = story.trees.adopt(Layout::whole(&stage), entries, "a").seal(0, None).unwrap();
    assert!(!stage.exists());
    assert_eq!(tree.entries()[0].path, Path::new("file"));
}

impl Story {
    /// A tree of `opt/shop` that has nothing of what is above it.
    fn sealed_from_the_shop_down(&self, tag: &str) -> Tree {
        let room = self.room.path().join("room");
        fs::create_dir_all(room.join("bin")).unwrap();
        fs::write(room.join("bin/tool"), tag).unwrap();
        let above = ["opt", "opt/shop"].map(|path| Entry::nominal(path.into(), 0o711, (42, 0)));
        let mut entries = above.to_vec();
        entries.extend(Listing::of(&room).unwrap().entries.into_iter().map(|mut entry| {
            entry.path = Path::new("opt/shop").join(entry.path);
            entry
        }));
        let layout = Layout::below(&room, Path::new("opt/shop"));
        self.trees.adopt(layout, entries, tag).seal(42, None).unwrap()
    }
}

#[test]
fn a_tree_need_not_have_the_directories_above_it() {
    let story = story();
    let tree = story.sealed_from_the_shop_down("a");
    let paths: Vec<_> = tree.entries().iter().map(|entry| entry.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["opt", "opt/shop", "opt/shop/bin", "opt/shop/bin/tool"]);
    assert_eq!((tree.entries()[0].mode, tree.entries()[3].stat.mtime), (0o711, (42, 0)));
    assert_eq!(tree.place(Path::new("opt/shop/bin/tool")).unwrap(), story.trees.dir.join("a/bin/tool"));
    let dated = fs::metadata(tree.layout.dir.join("bin/tool")).unwrap().modified().unwrap();
    assert_eq!(dated, SystemTime::UNIX_EPOCH + Duration::from_secs(42));
    assert!(tree.place(Path::new("opt/shop")).is_err());
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Present(tree));
    assert_eq!(story.names(), ["a", "a.seal"]);
    story.trees.remove("a").unwrap();
    assert!(story.names().is_empty());
}

#[test]
fn every_kind_of_change_is_seen_in_a_tree_without_those_above_it() {
    let story = story();
    let tool = |tree: &Tree| tree.layout.dir.join("bin/tool");
    let tree = story.sealed_from_the_shop_down("a");
    fs::set_permissions(tool(&tree), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(story.damage("a"), "`opt/shop/bin/tool` has another mode");
    fs::write(tool(&story.sealed_from_the_shop_down("a")), "b").unwrap();
    assert_eq!(story.damage("a"), "`opt/shop/bin/tool` was changed");
    fs::remove_file(tool(&story.sealed_from_the_shop_down("a"))).unwrap();
    assert_eq!(story.damage("a"), "`opt/shop/bin` was changed");
    fs::write(story.sealed_from_the_shop_down("a").layout.dir.join("new"), "").unwrap();
    assert_eq!(story.damage("a"), "the tree was changed");
    fs::remove_dir_all(story.sealed_from_the_shop_down("a").layout.dir).unwrap();
    assert_eq!(story.damage("a"), "the tree is gone");
    assert!(story.names().is_empty());
}

#[test]
fn what_leads_to_the_install_directory_is_neither_dated_nor_watched() {
    let story = story();
    let stage = story.room.path().join("stage");
    fs::create_dir_all(stage.join("opt/shop")).unwrap();
    fs::write(stage.join("opt/shop/tool"), "").unwrap();
    let before = fs::metadata(stage.join("opt")).unwrap().modified().unwrap();
    let mut entries = Listing::of(&stage).unwrap().entries;
    entries[0] = Entry::nominal(entries[0].path.clone(), 0o755, entries[0].stat.mtime);
    let tree = story.trees.adopt(Layout::whole(&stage), entries, "a").seal(42, None).unwrap();
    assert!(tree.entries().iter().all(|entry| entry.stat.mtime == (42, 0)));
    assert_eq!(fs::metadata(tree.layout.dir.join("opt")).unwrap().modified().unwrap(), before);
    fs::set_permissions(tree.layout.dir.join("opt"), fs::Permissions::from_mode(0o711)).unwrap();
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Present(tree.clone()));
    // Whatever it does to what lies below is seen there.
    fs::rename(tree.layout.dir.join("opt"), story.room.path().join("aside")).unwrap();
    symlink(story.room.path().join("aside"), tree.layout.dir.join("opt")).unwrap();
    assert_eq!(story.damage("a"), "the tree was changed");
}

#[test]
fn a_seal_of_another_version_is_no_seal() {
    let story = story();
    story.sealed("a");
    let path = story.trees.seal_path("a");
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"cortado seal 2\n"));
    fs::write(&path, [b"cortado seal 1\n", &bytes[15..]].concat()).unwrap();
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Absent);
    let tree = story.sealed_from_the_shop_down("a");
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Present(tree));
}

#[test]
fn a_dropped_draft_leaves_nothing() {
    let story = story();
    let draft = story.trees.begin("a").unwrap();
    fs::write(draft.path().join("file"), "").unwrap();
    drop(draft);
    assert!(story.names().is_empty());
}

#[test]
fn a_tree_edited_through_a_hard_link_is_not_used_again() {
    let story = story();
    let tree = story.sealed("a");
    let installed = story.room.path().join("installed");
    fs::hard_link(tree.layout.dir.join("opt/shop/bin/tool"), &installed).unwrap();
    assert!(matches!(story.trees.get("a").unwrap(), TreeState::Present(_)), "a link alone is no damage");
    fs::write(&installed, "b").unwrap();
    assert_eq!(story.damage("a"), "`opt/shop/bin/tool` was changed");
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Absent);
    assert!(story.names().is_empty());
    assert_eq!(fs::read(&installed).unwrap(), b"b");
}

#[test]
fn every_kind_of_change_is_seen() {
    let story = story();
    let bin = |tree: &Tree| tree.layout.dir.join("opt/shop/bin");
    let tree = story.sealed("a");
    fs::set_permissions(bin(&tree).join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(story.damage("a"), "`opt/shop/bin/tool` has another mode");
    fs::write(bin(&story.sealed("a")).join("new"), "").unwrap();
    assert_eq!(story.damage("a"), "`opt/shop/bin` was changed");
    let tree = story.sealed("a");
    let aside = tree.layout.dir.join("aside");
    fs::copy(bin(&tree).join("tool"), &aside).unwrap();
    fs::rename(&aside, bin(&tree).join("tool")).unwrap();
    assert_eq!(story.damage("a"), "the tree was changed");
    fs::remove_dir_all(story.sealed("a").layout.dir).unwrap();
    assert_eq!(story.damage("a"), "the tree is gone");
}

#[test]
fn special_files_are_refused_by_name() {
    let story = story();
    let draft = story.trees.begin("a").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(draft.path().join("s")).unwrap();
    let error = draft.seal(0, None).unwrap_err().to_string();
    assert_eq!(error, "archive `a`: `s` is a socket, which an artifact cannot hold");
    assert!(story.names().is_empty());
}

#[test]
fn what_a_killed_run_left_is_swept_and_sealed_trees_stay() {
    let story = story();
    story.sealed("kept");
    std::mem::forget(story.trees.begin("draft").unwrap());
    fs::create_dir(story.trees.dir.join("unsealed")).unwrap();
    fs::write(story.trees.dir.join("treeless.seal"), "").unwrap();
    assert_eq!(story.trees.get("unsealed").unwrap(), TreeState::Absent);
    assert_eq!(story.trees.sweep().unwrap(), 3);
    assert_eq!(story.names(), ["kept", "kept.seal"]);
}

#[test]
fn a_torn_seal_is_no_seal() {
    let story = story();
    story.sealed("a");
    let path = story.trees.seal_path("a");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(story.trees.get("a").unwrap(), TreeState::Absent);
    assert!(matches!(story.sealed("a"), Tree { .. }));
}

#[test]
fn trees_go_by_last_use_unless_they_are_kept() {
    let story = story();
    let day = Duration::from_secs(86_400);
    for tag in ["old", "kept", "used"] {
        story.sealed(tag);
        let times = FileTimes::new().set_modified(SystemTime::now() - 3 * day);
        File::open(story.trees.seal_path(tag)).unwrap().set_times(times).unwrap();
    }
    story.trees.get("used").unwrap();
    let keep = HashSet::from(["kept".to_owned()]);
    assert_eq!(story.trees.prune(&keep, day, SystemTime::now()).unwrap(), 1);
    assert_eq!(story.names(), ["kept", "kept.seal", "used", "used.seal"]);
}
