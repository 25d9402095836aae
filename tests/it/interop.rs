//! An artifact is a plain `.tar.gz` to everyone: each of these tools reads ours, and gives back what was built.
//!
//! A tool that this machine lacks is left out, and standard error says so; `.ci/run` installs them all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use cortado::{Digest, Task};

use crate::support::{Look, Shop, look, remove};

/// Programs that unpack `$1` into the working directory.
const UNPACKERS: [(&str, &str); 4] = [
    ("tar", "tar -xpzf \"$1\""),
    ("bsdtar", "bsdtar -xpf \"$1\""),
    ("busybox", "busybox tar -xpzf \"$1\""),
    (
        "python3",
        "python3 -c 'import sys, tarfile
archive = tarfile.open(sys.argv[1])
archive.extraction_filter = lambda member, path: member
archive.extractall()' \"$1\"",
    ),
];

/// Programs that inflate `$1` to their output.
const INFLATERS: [(&str, &str); 5] = [
    ("gzip", "gzip -t \"$1\" && gzip -dc \"$1\""),
    ("pigz", "pigz -t \"$1\" && pigz -dc \"$1\""),
    ("busybox", "busybox gunzip -c \"$1\""),
    ("python3", "python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())' \"$1\""),
    (
        "node",
        "node -e 'const fs = require(\"fs\"), plain = require(\"zlib\").gunzipSync(fs.readFileSync(process.argv[1]));
for (let done = 0; done < plain.length; ) done += fs.writeSync(1, plain, done)' \"$1\"",
    ),
];

/// One of everything, in many gzip members: what compresses and what does not, long names, links of each kind.
const BUILD: &str = "
cd @{stage_install_dir}; mkdir -p bin share/empty
long=nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
mkdir -p share/$long/$long; echo deep > share/$long/$long/$long; ln -s $long/$long/$long share/$long/$long.link
seq 300000 > share/numbers; head -c 1500000 /dev/urandom > share/noise; : > share/nothing
echo '#!/bin/sh' > bin/run; chmod 0755 bin/run; ln bin/run bin/again; ln share/numbers share/$long/numbers
ln -s run bin/alias; ln -s /nowhere share/dangling; echo odd > 'share/a b$(x);'; echo odd > share/--odd
chmod 0444 share/nothing; chmod 0700 share/empty";

/// Builds a task, and returns the artifact with the tree that it holds.
fn build(shop: &Shop, command: &str) -> (PathBuf, PathBuf) {
    let seen = shop.run_tasks([Task::new("a").version("1").command(command)]);
    assert_eq!(seen.of("a"), "built");
    (shop.objects().remove(0), shop.work("trees").join(seen.tag("a")))
}

/// Runs a line with `$1` in a fresh directory; `None` when there is no such program here.
fn run(shop: &Shop, (program, line): (&str, &str), file: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let present = Command::new("sh").args(["-c", "command -v \"$0\" > /dev/null", program]).status().unwrap().success();
    if !present {
        // Not through the test's own output, which is shown of failing tests alone.
        let notice = format!("interop: left out, because `{program}` is not installed here\n");
        std::io::stderr().write_all(notice.as_bytes()).unwrap();
        return None;
    }
    let dir = shop.path("copy");
    remove(&dir);
    fs::create_dir(&dir).unwrap();
    let output = Command::new("sh").args(["-c", line, program]).arg(file).current_dir(&dir).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program}: {}: {errors}", output.status);
    Some((dir, output.stdout))
}

/// What every tool can give back: without the times of symbolic links, which busybox does not set.
fn kept(root: &Path) -> BTreeMap<PathBuf, Look> {
    let mut found = look(root);
    for look in found.values_mut() {
        if let Look::Symlink { mtime, .. } = look {
            *mtime = 0;
        }
    }
    found
}

/// The digest that the last member promises.
fn promised(artifact: &[u8]) -> Digest {
    // Behind it come the tag that it was made for, no data, and a trailer.
    let end = artifact.len() - 10 - 36;
    assert_eq!(&artifact[end - 36..end - 32], b"cD\x20\0");
    Digest::from(<[u8; 32]>::try_from(&artifact[end - 32..end]).unwrap())
}

fn is_read_by_all(command: &str) -> PathBuf {
    let shop = Shop::new();
    let (artifact, tree) = build(&shop, command);
    for unpacker in UNPACKERS {
        if let Some((copy, _)) = run(&shop, unpacker, &artifact) {
            assert!(kept(&copy) == kept(&tree), "{}: {:#?}\n{:#?}", unpacker.0, kept(&copy), kept(&tree));
        }
    }
    let promised = promised(&fs::read(&artifact).unwrap());
    for inflater in INFLATERS {
        if let Some((_, tar)) = run(&shop, inflater, &artifact) {
            assert_eq!(Digest::of(tar), promised, "{}", inflater.0);
        }
    }
    artifact
}

#[test]
fn an_artifact_with_one_of_everything_is_read_by_every_tool() {
    is_read_by_all(BUILD);
}

#[test]
fn an_empty_artifact_is_read_by_every_tool() {
    is_read_by_all("true");
}

#[test]
fn what_does_not_compress_is_stored() {
    let shop = Shop::new();
    let (artifact, _) = build(&shop, "head -c 3000000 /dev/urandom > @{stage_install_dir}/noise");
    let size = fs::metadata(artifact).unwrap().len();
    assert!((3_000_000..3_005_000).contains(&size), "{size} bytes");
}
