//! Stories of packing: every kind of entry, the same bytes everywhere, clear refusals.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::*;
use crate::host::listing::Listing;

/// The contract: this tree's tar has this SHA-256 for as long as the format is the format.
const GOLDEN: &str = "7b91cdcb785b8b54e832266c2c6ddfe5fb42db3316cec7b069e8a9561719f02e";

/// A small tree with one of each kind; created in this or in the opposite order.
fn plant(root: &Path, backwards: bool) {
    let long = "d".repeat(90);
    let file = |path: &str, content: &str, mode: u32| {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), content).unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    let mut steps: Vec<Box<dyn Fn()>> = vec![
        Box::new(|| file("bin/brew", "#!/bin/sh\n", 0o4755)),
        Box::new(|| file("share/menu", "espresso\n", 0o644)),
        Box::new(|| file("share/-odd name\n", "", 0o600)),
        Box::new(|| file(&format!("{long}/{long}/{long}"), "deep\n", 0o444)),
        Box::new(|| fs::create_dir(root.join("var")).unwrap()),
        Box::new(|| symlink("/opt/cups", root.join("cups")).unwrap()),
    ];
    if backwards {
        steps.reverse();
    }
    steps.iter().for_each(|step| step());
    fs::hard_link(root.join("share/menu"), root.join("share/card")).unwrap();
    for dir in ["bin", "share", &long, &format!("{long}/{long}"), "var"] {
        fs::set_permissions(root.join(dir), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn packed(root: &Path, options: &PackOptions) -> (Vec<u8>, Packed) {
    let mut bytes = Vec::new();
    let packed = pack(&Layout::whole(root), &Listing::of(root).unwrap().entries, &mut bytes, options).unwrap();
    (bytes, packed)
}

fn refusal(root: &Path) -> String {
    let listing = Listing::of(root).unwrap();
    let error =
        pack(&Layout::whole(root), &listing.entries, &mut Vec::new(), &PackOptions::default()).unwrap_err().to_string();
    error.replace(&root.display().to_string(), "ROOT")
}

#[test]
fn the_golden_tree_has_its_digest() {
    let root = tempfile::tempdir().unwrap();
    plant(root.path(), false);
    let (bytes, packed) = packed(root.path(), &PackOptions { mtime: 1_700_000_000, ..PackOptions::default() });
    assert_eq!(packed.digest.to_string(), GOLDEN);
    assert_eq!((packed.entries, packed.packed_size), (11, bytes.len() as u64));
}

#[test]
fn equal_trees_give_equal_bytes_whoever_made_them_and_when() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    plant(first.path(), false);
    plant(second.path(), true);
    fs::File::open(second.path().join("var")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    // Only root can give a file away; for others the trees differ in time and order alone.
    let _ = std::os::unix::fs::chown(second.path().join("share/menu"), Some(1), Some(1));
    let _ = fs::set_permissions(second.path().join("share/menu"), fs::Permissions::from_mode(0o644));
    let one = packed(first.path(), &PackOptions { threads: 1, ..PackOptions::default() });
    for threads in [1, 2, 8] {
        assert!(packed(second.path(), &PackOptions { threads, ..PackOptions::default() }) == one, "{threads} threads");
    }
}

#[test]
fn a_mode_a_time_or_a_byte_makes_another_digest() {
    let root = tempfile::tempdir().unwrap();
    plant(root.path(), false);
    let digest = |mtime| packed(root.path(), &PackOptions { mtime, ..PackOptions::default() }).1.digest;
    let mut digests = vec![digest(0), digest(1)];
    fs::set_permissions(root.path().join("var"), fs::Permissions::from_mode(0o1777)).unwrap();
    digests.push(digest(0));
    fs::write(root.path().join("share/card"), "Espresso\n").unwrap();
    digests.push(digest(0));
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 4);
}

#[test]
fn an_empty_tree_is_a_tar_that_only_ends() {
    let root = tempfile::tempdir().unwrap();
    let (_, packed) = packed(root.path(), &PackOptions::default());
    assert_eq!((packed.entries, packed.unpacked_size, packed.digest), (0, 1024, Digest::of([0; 1024])));
}

#[test]
fn sockets_and_fifos_are_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let _socket = UnixListener::bind(root.path().join("door")).unwrap();
    assert_eq!(refusal(root.path()), "archive `ROOT`: `door` is a socket, which an artifact cannot carry");
    fs::remove_file(root.path().join("door")).unwrap();
    assert!(Command::new("mkfifo").arg(root.path().join("pipe")).status().unwrap().success());
    assert_eq!(refusal(root.path()), "archive `ROOT`: `pipe` is a fifo, which an artifact cannot carry");
}

/// An ACL that gives user 1 the right to read, as Linux stores it (`linux/posix_acl_xattr.h`).
const ACL: [u8; 44] = *b"\x02\0\0\0\
    \x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\x01\0\0\0\x04\0\x04\0\xff\xff\xff\xff\
    \x10\0\x04\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";

#[test]
fn an_acl_is_refused_rather_than_lost() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    let name = "system.posix_acl_access";
    rustix::fs::setxattr(&file, name, &ACL, rustix::fs::XattrFlags::empty()).unwrap();
    let expected = format!("`file` has the extended attribute `{name}`, which an artifact cannot carry");
    assert_eq!(refusal(root.path()), format!("archive `ROOT`: {expected}"));
}

#[test]
fn attributes_are_content_unless_the_system_sets_them_itself() {
    for content in ["security.capability", "user.mime_type", "system.posix_acl_default"] {
        assert!(is_content(content.as_bytes()), "{content}");
    }
    for label in ["security.selinux", "security.ima", "trusted.overlay.opaque", "system.nfs4_acl", ""] {
        assert!(!is_content(label.as_bytes()), "{label}");
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("log");
    fs::write(&file, "0123456789").unwrap();
    let listing = Listing::of(root.path()).unwrap();
    for content in ["0123", "0123456789abc"] {
        fs::write(&file, content).unwrap();
        let result = pack(&Layout::whole(root.path()), &listing.entries, &mut Vec::new(), &PackOptions::default());
        let problem = result.unwrap_err().to_string();
        assert!(problem.ends_with("`log` changed while it was packed"), "{problem}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let root = tempfile::tempdir().unwrap();
    let listing = Listing::of(root.path()).unwrap();
    assert!(pack(&Layout::whole(root.path()), &listing.entries, &mut Full, &PackOptions::default()).is_err());
}

#[test]
fn gzip_and_gnu_tar_read_it() {
    let root = tempfile::tempdir().unwrap();
    let tree = root.path().join("tree");
    fs::create_dir(&tree).unwrap();
    plant(&tree, false);
    let archive = root.path().join("tree.tar.gz");
    fs::write(&archive, packed(&tree, &PackOptions::default()).0).unwrap();
    assert!(Command::new("gzip").arg("-t").arg(&archive).status().unwrap().success());

    let copy = root.path().join("copy");
    fs::create_dir(&copy).unwrap();
    let tar = Command::new("tar").arg("xpzf").arg(&archive).arg("-C").arg(&copy).output().unwrap();
    assert!(tar.status.success() && tar.stderr.is_empty(), "{}", String::from_utf8_lossy(&tar.stderr));
    // Packing the copy again says whether anything was lost.
    assert!(packed(&copy, &PackOptions::default()) == packed(&tree, &PackOptions::default()));
}
