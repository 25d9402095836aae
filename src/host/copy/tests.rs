//! Stories of copied, mirrored and linked files.

use std::cell::RefCell;
use std::ffi::OsStr;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::*;

const KEEP: CopyOptions = CopyOptions { follow: false, times: true };
const PLAIN: CopyOptions = CopyOptions { follow: false, times: false };

fn room() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (src, dest) = (dir.path().join("src"), dir.path().join("dest"));
    fs::create_dir(&src).unwrap();
    (dir, src, dest)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn globs(patterns: &[&str]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).unwrap());
    }
    set.build().unwrap()
}

#[test]
fn a_tree_arrives_as_it_was() {
    let (_dir, src, dest) = room();
    fs::create_dir_all(src.join("empty/nested")).unwrap();
    fs::create_dir(src.join("locked")).unwrap();
    fs::write(src.join("locked/tool"), "tool").unwrap();
    set_mode(&src.join("locked/tool"), 0o4755).unwrap();
    fs::write(src.join("secret"), "").unwrap();
    set_mode(&src.join("secret"), 0o400).unwrap();
    fs::hard_link(src.join("secret"), src.join("twin")).unwrap();
    symlink("nowhere", src.join("dangling")).unwrap();
    symlink("empty", src.join("to-dir")).unwrap();
    set_mode(&src.join("locked"), 0o555).unwrap();

    copy(&src, &dest, KEEP).unwrap();
    assert!(dest.join("empty/nested").is_dir());
    assert_eq!(mode(&dest.join("locked")), 0o555);
    assert_eq!(mode(&dest.join("locked/tool")), 0o4755);
    assert_eq!(mode(&dest.join("secret")), 0o400);
    let inode = |name: &str| fs::metadata(dest.join(name)).unwrap().ino();
    assert_eq!(inode("secret"), inode("twin"));
    assert_eq!(fs::read_link(dest.join("dangling")).unwrap(), Path::new("nowhere"));
    assert_eq!(fs::read_link(dest.join("to-dir")).unwrap(), Path::new("empty"));
}

#[test]
fn any_name_means_itself() {
    let (_dir, src, dest) = room();
    let names: [&[u8]; 8] = [b"a b", b"-rf", b"$(x)", b"a;b", b"new\nline", b"quo'te\"", b"not-utf8-\xff", b"*"];
    for name in names {
        fs::write(src.join(OsStr::from_bytes(name)), name).unwrap();
    }
    copy(&src, &dest, PLAIN).unwrap();
    sync(&src, &dest.join("mirror"), &globs(&[]), None).unwrap();
    for name in names {
        assert_eq!(fs::read(dest.join(OsStr::from_bytes(name))).unwrap(), name);
        assert_eq!(fs::read(dest.join("mirror").join(OsStr::from_bytes(name))).unwrap(), name);
    }
}

#[test]
fn a_destination_means_what_it_means_to_cp() {
    let (_dir, src, dest) = room();
    fs::write(src.join("file"), "").unwrap();
    copy(&src.join("file"), &dest.join("new/name"), PLAIN).unwrap();
    copy(&src.join("file"), &dest.join("dir/"), PLAIN).unwrap();
    copy(&src, &dest.join("dir"), PLAIN).unwrap();
    copy(&src.join("."), &dest, PLAIN).unwrap();
    for path in ["new/name", "dir/file", "dir/src/file", "file"] {
        assert!(dest.join(path).is_file(), "{path}");
    }
}

#[test]
fn times_are_kept_only_when_asked() {
    let (_dir, src, dest) = room();
    let old = FileTimes::new().set_modified(std::time::UNIX_EPOCH);
    fs::write(src.join("file"), "").unwrap();
    File::options().write(true).open(src.join("file")).unwrap().set_times(old).unwrap();
    copy(&src.join("file"), &dest.join("kept"), KEEP).unwrap();
    copy(&src.join("file"), &dest.join("fresh"), PLAIN).unwrap();
    assert_eq!(fs::metadata(dest.join("kept")).unwrap().mtime(), 0);
    assert_ne!(fs::metadata(dest.join("fresh")).unwrap().mtime(), 0);
}

#[test]
fn nothing_is_written_through_a_link_of_either_kind() {
    let (_dir, src, dest) = room();
    fs::create_dir(&dest).unwrap();
    for name in ["soft", "hard", "locked"] {
        fs::write(src.join(name), "new").unwrap();
    }
    fs::write(dest.join("victim"), "old").unwrap();
    symlink("victim", dest.join("soft")).unwrap();
    fs::hard_link(dest.join("victim"), dest.join("hard")).unwrap();
    fs::write(dest.join("locked"), "old").unwrap();
    set_mode(&dest.join("locked"), 0o444).unwrap();
    copy(&src.join("."), &dest, PLAIN).unwrap();
    assert_eq!(fs::read(dest.join("victim")).unwrap(), b"old");
    for name in ["soft", "hard", "locked"] {
        assert_eq!(fs::read(dest.join(name)).unwrap(), b"new");
    }
}

#[test]
fn following_copies_what_a_symlink_points_to_and_sees_circles() {
    let (_dir, src, dest) = room();
    fs::create_dir(src.join("real")).unwrap();
    fs::write(src.join("real/file"), "").unwrap();
    symlink("real", src.join("link")).unwrap();
    let follow = CopyOptions { follow: true, times: false };
    copy(&src, &dest, follow).unwrap();
    assert!(!dest.join("link").is_symlink() && dest.join("link/file").is_file());
    symlink("..", src.join("real/up")).unwrap();
    let error = copy(&src, &dest.join("again"), follow).unwrap_err().to_string();
    assert!(error.ends_with("a symlink leads back to a directory above it"), "{error}");
}

#[test]
fn what_cannot_be_copied_is_refused_by_name() {
    let (_dir, src, dest) = room();
    fs::create_dir(src.join("sub")).unwrap();
    fs::create_dir_all(dest.join("src")).unwrap();
    symlink("elsewhere", dest.join("src/sub")).unwrap();
    let refused = |src: &Path, dest: &Path| copy(src, dest, PLAIN).unwrap_err().to_string();
    assert!(refused(&src, &dest).ends_with("src/sub`: a file or symlink is where a directory should go"));
    assert!(refused(&src, &src.join("sub")).ends_with("the destination lies inside it"));
    let _socket = std::os::unix::net::UnixListener::bind(src.join("socket")).unwrap();
    assert!(refused(&src.join("socket"), &dest).contains("socket`: only files"));
    assert!(refused(&src.join("missing"), &dest).starts_with("could not copy `"));
}

#[test]
fn copying_a_file_onto_itself_keeps_it() {
    let (_dir, src, _) = room();
    fs::write(src.join("file"), "text").unwrap();
    fs::hard_link(src.join("file"), src.join("twin")).unwrap();
    copy(&src.join("file"), &src.join("file"), PLAIN).unwrap();
    copy(&src.join("file"), &src.join("twin"), PLAIN).unwrap();
    assert_eq!(fs::read(src.join("twin")).unwrap(), b"text");
}

#[test]
fn a_mirror_takes_what_differs_and_drops_what_is_gone() {
    let (_dir, src, dest) = room();
    fs::create_dir_all(src.join("was-file")).unwrap();
    fs::create_dir_all(dest.join("was-dir/deep")).unwrap();
    fs::create_dir_all(dest.join("gone/deep")).unwrap();
    fs::write(dest.join("was-file"), "").unwrap();
    fs::write(src.join("was-dir"), "now a file").unwrap();
    fs::write(src.join("same"), "same").unwrap();
    fs::write(dest.join("same"), "same").unwrap();
    fs::write(src.join("changed"), "new").unwrap();
    fs::write(dest.join("changed"), "old").unwrap();
    let inode = fs::metadata(dest.join("same")).unwrap().ino();
    sync(&src, &dest, &globs(&[]), None).unwrap();
    assert_eq!(names(&dest).unwrap(), ["changed", "same", "was-dir", "was-file"]);
    assert_eq!(fs::read(dest.join("changed")).unwrap(), b"new");
    assert_eq!(fs::metadata(dest.join("same")).unwrap().ino(), inode);
    assert!(dest.join("was-dir").is_file() && dest.join("was-file").is_dir());
}

#[test]
fn what_is_excluded_is_neither_copied_nor_removed() {
    let (_dir, src, dest) = room();
    fs::create_dir_all(src.join("sub/.git")).unwrap();
    fs::create_dir_all(dest.join("gone/.git")).unwrap();
    fs::write(src.join("skip.o"), "").unwrap();
    fs::write(dest.join("kept.o"), "").unwrap();
    fs::write(dest.join("gone/file"), "").unwrap();
    sync(&src, &dest, &globs(&["**/.git", "*.o"]), None).unwrap();
    assert_eq!(names(&dest).unwrap(), ["gone", "kept.o", "sub"]);
    assert_eq!(names(&dest.join("gone")).unwrap(), [".git"]);
    assert!(names(&dest.join("sub")).unwrap().is_empty());
}

#[test]
fn a_mirror_asks_only_about_targets_that_exist() {
    let (_dir, src, dest) = room();
    fs::create_dir(&dest).unwrap();
    fs::write(src.join("new"), "new").unwrap();
    fs::write(src.join("config"), "new").unwrap();
    fs::write(dest.join("config"), "edited").unwrap();
    let asked = RefCell::new(Vec::new());
    let decide = |src: &Path, dest: &Path| {
        asked.borrow_mut().push((src.to_path_buf(), dest.to_path_buf()));
        Ok(false)
    };
    sync(&src, &dest, &globs(&[]), Some(&decide)).unwrap();
    assert_eq!(*asked.borrow(), [(src.join("config"), dest.join("config"))]);
    assert_eq!(fs::read(dest.join("config")).unwrap(), b"edited");
    assert_eq!(fs::read(dest.join("new")).unwrap(), b"new");
    let failing = |_: &Path, _: &Path| anyhow::bail!("no idea");
    assert_eq!(sync(&src, &dest, &globs(&[]), Some(&failing)).unwrap_err().to_string(), "no idea");
}

#[test]
fn a_mirror_never_removes_its_own_source() {
    let (dir, src, _) = room();
    fs::write(src.join("file"), "").unwrap();
    let error = sync(&src, dir.path(), &globs(&[]), None).unwrap_err().to_string();
    assert!(error.ends_with("it lies inside the destination"), "{error}");
    sync(&src, &src, &globs(&[]), None).unwrap();
    assert!(src.join("file").is_file());
}

#[test]
fn a_link_replaces_a_link_and_never_enters_a_directory() {
    let (_dir, src, _) = room();
    let path = src.join("sub/lib64");
    link(Path::new("lib"), &path, false).unwrap();
    fs::create_dir(src.join("sub/lib")).unwrap();
    assert!(link(Path::new("other"), &path, false).is_err());
    link(Path::new("other"), &path, true).unwrap();
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("other"));
    assert!(names(&src.join("sub/lib")).unwrap().is_empty());
    let error = link(Path::new("x"), &src.join("sub/lib"), true).unwrap_err().to_string();
    assert!(error.ends_with("a directory is in the way"), "{error}");
}

#[test]
fn a_directory_has_the_mode_it_was_given() {
    let (_dir, src, _) = room();
    mkdir(&src.join("a/b"), true, Some(0o1777)).unwrap();
    assert_eq!(mode(&src.join("a/b")), 0o1777);
    mkdir(&src.join("a/b"), true, None).unwrap();
    assert!(mkdir(&src.join("a/b"), false, None).is_err());
    assert!(mkdir(&src.join("x/y"), false, None).is_err());
}
