//! Patches against directories. What hunks do was compared with GNU patch on some thousands of random edits; the
//! cases here are those that such a comparison does not reach, and one of each kind.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use super::{AppliedFile, Placed, apply};
use crate::error::Result;

/// A directory to patch.
struct Source(TempDir);

impl Source {
    fn new(files: &[(&str, &str)]) -> Self {
        let source = Self(TempDir::new().unwrap());
        for (name, content) in files {
            let path = source.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        source
    }

    fn patch(&self, patch: impl AsRef<[u8]>) -> Result<Vec<AppliedFile>> {
        apply(patch.as_ref(), "fix.patch", self.0.path(), 1)
    }

    fn refused(&self, patch: impl AsRef<[u8]>) -> String {
        self.patch(patch).unwrap_err().to_string()
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.0.path().join(name)).unwrap()).into_owned()
    }

    fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.0.path().join(name)).unwrap().permissions().mode() & 0o777
    }
}

/// `1\n2\n…` up to `last`.
fn numbers(last: usize) -> String {
    (1..=last).map(|number| format!("{number}\n")).collect()
}

const FIVE: &str = "--- a/f\n+++ b/f\n@@ -3,5 +3,5 @@\n 3\n 4\n-5\n+five\n 6\n 7\n";

fn placed(result: Result<Vec<AppliedFile>>) -> Vec<Placed> {
    result.unwrap().into_iter().flat_map(|file| file.hunks).collect()
}

#[test]
fn a_hunk_fits_where_it_says() {
    let source = Source::new(&[("f", &numbers(9))]);
    assert_eq!(placed(source.patch(FIVE)), [Placed { offset: 0, fuzz: 0 }]);
    assert_eq!(source.read("f"), numbers(9).replace('5', "five"));
}

#[test]
fn a_hunk_is_found_elsewhere_and_with_other_context() {
    let source = Source::new(&[("f", &format!("new\nnew\n{}", numbers(9).replace('3', "three")))]);
    assert_eq!(placed(source.patch(FIVE)), [Placed { offset: 2, fuzz: 1 }]);
    assert!(source.read("f").contains("three\n4\nfive\n6\n"));
}

#[test]
fn a_header_may_be_wrong_by_any_number() {
    let source = Source::new(&[("f", &numbers(9))]);
    let far = FIVE.replace("-3,5", "-4000000000,5");
    assert_eq!(placed(source.patch(far)), [Placed { offset: 2 - 3_999_999_999, fuzz: 0 }]);
    let huge = FIVE.replace("-3,5", "-99999999999999999999,5");
    assert!(source.refused(huge).ends_with("`line 3`: it is not a hunk header"));
}

#[test]
fn more_than_two_lines_of_context_must_not_differ() {
    let patch = "--- a/f\n+++ b/f\n@@ -1,7 +1,6 @@\n 1\n 2\n 3\n-4\n 5\n 6\n 7\n";
    let two = Source::new(&[("f", &format!("0\n{}", numbers(9).replace('1', "one").replace('2', "two")))]);
    assert_eq!(placed(two.patch(patch)), [Placed { offset: 1, fuzz: 2 }]);
    let three = Source::new(&[("f", &numbers(9).replace('3', "three"))]);
    assert_eq!(
        three.refused(patch),
        "patch `fix.patch`: `f`: hunk 1 does not apply: its lines were not found, neither at line 1 nor elsewhere"
    );
}

#[test]
fn nothing_is_written_if_any_hunk_of_any_file_is_rejected() {
    let source = Source::new(&[("f", &numbers(9)), ("g", "other\n")]);
    let patch = format!("{FIVE}--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n{}", FIVE.replace("/f", "/g"));
    assert!(source.refused(patch).starts_with("patch `fix.patch`: `g`: hunk 1 does not apply"));
    assert_eq!((source.read("f"), source.has("new")), (numbers(9), false));
}

#[test]
fn a_patch_that_is_applied_already_says_so() {
    let source = Source::new(&[("f", &numbers(9))]);
    let create = "--- /dev/null\n+++ b/dir/new\n@@ -0,0 +1,2 @@\n+a\n+b\n";
    let delete = "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n";
    source.patch(FIVE).unwrap();
    source.patch(create).unwrap();
    assert!(source.refused(FIVE).ends_with("`f`: hunk 1 does not apply: it seems to be applied already"));
    assert!(source.refused(create).ends_with("`dir/new`: it seems to be applied already"));
    fs::remove_file(source.0.path().join("f")).unwrap();
    assert!(source.refused(delete).ends_with("`f`: it seems to be applied already"));
}

#[test]
fn one_patch_may_change_a_file_twice() {
    let source = Source::new(&[("f", &numbers(9))]);
    source.patch(format!("{FIVE}{}", FIVE.replace("five", "V").replace("-5", "-five"))).unwrap();
    assert_eq!(source.read("f"), numbers(9).replace('5', "V"));
}

#[test]
fn git_creates_renames_deletes_and_sets_modes() {
    let source = Source::new(&[("old", &numbers(9)), ("dir/gone", "x\n"), ("run", "#!\n")]);
    let patch = "From: someone\nSubject: prose\n---\n old | 2 +-\n\n\
        diff --git a/old b/sub/new\nsimilarity index 90%\nrename from old\nrename to sub/new\nindex 1..2 100644\n\
        --- a/old\n+++ b/sub/new\n@@ -4,3 +4,3 @@\n 4\n-5\n+five\n 6\n\
        diff --git a/dir/gone b/dir/gone\ndeleted file mode 100644\nindex 1..0\n--- a/dir/gone\n+++ /dev/null\n\
        @@ -1 +0,0 @@\n-x\n\
        diff --git a/run b/run\nold mode 100644\nnew mode 100755\n\
        diff --git a/tool b/tool\nnew file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/tool\n@@ -0,0 +1 @@\n+#!\n\
        diff --git a/empty b/empty\nnew file mode 100644\nindex 0..0\n-- \n2.47.3\n";
    let paths: Vec<_> = source.patch(patch).unwrap().into_iter().map(|file| file.path).collect();
    assert_eq!(paths, ["sub/new", "dir/gone", "run", "tool", "empty"].map(Path::new));
    assert_eq!(source.read("sub/new"), numbers(9).replace('5', "five"));
    assert!(!source.has("old") && !source.has("dir"), "an emptied directory goes too");
    assert_eq!((source.mode("run"), source.mode("tool"), source.mode("sub/new")), (0o755, 0o755, 0o644));
    assert_eq!(source.read("empty"), "");
}

#[test]
fn a_missing_newline_at_the_end_is_minded() {
    let source = Source::new(&[("f", "a\nb")]);
    let patch = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n";
    source.patch(patch).unwrap();
    assert_eq!(source.read("f"), "a\nc\n");
    let back = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-c\n+b\n\\ No newline at end of file\n";
    source.patch(back).unwrap();
    assert_eq!(source.read("f"), "a\nb");
}

#[test]
fn a_line_without_its_end_is_not_glued_to_the_next() {
    let source = Source::new(&[("f", "a\nb\nc\n")]);
    source.patch("--- a/f\n+++ b/f\n@@ -2 +2 @@\n-b\n+B\n\\ No newline at end of file\n").unwrap();
    assert_eq!(source.read("f"), "a\nB\nc\n");
}

#[test]
fn a_hunk_made_at_the_top_of_a_file_fits_only_there() {
    let source = Source::new(&[("f", "0\n1\n2\n3\n4\n")]);
    let patch = "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n+new\n 1\n 2\n 3\n";
    assert!(source.refused(patch).contains("hunk 1 does not apply"));
}

#[test]
fn a_rename_replaces_nothing() {
    let source = Source::new(&[("old", "1\n"), ("new", "2\n")]);
    let patch = "diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n";
    assert!(source.refused(patch).ends_with("`new`: `new` exists already"));
    assert_eq!(source.read("new"), "2\n");
}

#[test]
fn line_ends_of_the_file_are_kept() {
    let dos = numbers(9).replace('\n', "\r\n");
    for patch in [FIVE.to_owned(), FIVE.replace('\n', "\r\n")] {
        for before in [numbers(9), dos.clone()] {
            let source = Source::new(&[("f", &before)]);
            source.patch(&patch).unwrap();
            assert_eq!(source.read("f"), before.replace('5', "five"));
        }
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_left_as_they_are() {
    let source = Source::new(&[]);
    fs::write(source.0.path().join("f"), b"caf\xe9\nx\n").unwrap();
    source.patch(b"--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n caf\xe9\n-x\n+na\xefve\n").unwrap();
    assert_eq!(fs::read(source.0.path().join("f")).unwrap(), b"caf\xe9\nna\xefve\n");
}

#[test]
fn quoted_and_spaced_names_are_read() {
    let source = Source::new(&[("a b", "1\n"), ("é", "1\n")]);
    let hunk = "@@ -1 +1 @@\n-1\n+2\n";
    source.patch(format!("--- a/a b\t2020-01-01\n+++ b/a b\t\n{hunk}")).unwrap();
    let quoted = r#""a/\303\251" "b/\303\251""#;
    let names = "--- \"a/\\303\\251\"\n+++ \"b/\\303\\251\"\n";
    source.patch(format!("diff --git {quoted}\nindex 1..2\n{names}{hunk}")).unwrap();
    assert_eq!((source.read("a b"), source.read("é")), ("2\n".into(), "2\n".into()));
}

#[test]
fn of_two_names_the_one_that_exists_is_meant() {
    let source = Source::new(&[("f.c", "1\n"), ("f.c.orig", "1\n"), ("g", "1\n")]);
    let hunk = "@@ -1 +1 @@\n-1\n+2\n";
    source.patch(format!("--- pkg/f.c.orig\n+++ pkg/f.c\n{hunk}--- pkg/g\n+++ pkg/g.new\n{hunk}")).unwrap();
    assert_eq!(
        (source.read("f.c"), source.read("f.c.orig"), source.read("g")),
        ("2\n".into(), "1\n".into(), "2\n".into())
    );
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let source = Source::new(&[("f", "1\n")]);
    symlink("/", source.0.path().join("root")).unwrap();
    symlink("f", source.0.path().join("link")).unwrap();
    let create = |name: &str| format!("--- /dev/null\n+++ {name}\n@@ -0,0 +1 @@\n+x\n");
    assert!(source.refused(create("b/../../evil")).ends_with("its name leads out of the directory that is patched"));
    assert!(source.refused(create("b/root/tmp/evil")).contains("which a patch may not follow"));
    assert!(source.refused(create("b/link")).contains("which a patch may not follow"));
    let absolute = apply(create("/tmp/evil").as_bytes(), "p", source.0.path(), 0).unwrap_err().to_string();
    assert!(absolute.ends_with("its name is absolute, and a patch stays within its directory"), "{absolute}");
}

#[test]
fn what_cannot_be_done_is_said() {
    let source = Source::new(&[("f", "1\n2\n")]);
    let hunk = "@@ -1 +1 @@\n-1\n+2\n";
    for (patch, end) in [
        (String::new(), "`line 1`: the patch holds no unified diff"),
        (hunk.into(), "`line 1`: a hunk stands before any file name"),
        ("--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n-1\n".into(), "`line 5`: the patch ends within a hunk"),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\n-2\n".into(), "`line 5`: the hunk is longer than its header says"),
        ("--- a/f\n+++ b/f\n@@ x @@\n".into(), "`line 3`: it is not a hunk header"),
        ("--- a/f\n+++ b/f\nprose\n".into(), "`b/f`: the patch names it but holds no hunk for it"),
        (format!("--- f\n+++ f\n{hunk}"), "`f`: its name has no 1 leading directories to strip"),
        (format!("--- a/no\n+++ b/no\n{hunk}"), "`no`: there is no such file"),
        (
            "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n".into(),
            "`f`: the patch deletes it, but it holds more than the patch says",
        ),
        ("--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n".into(), "`f`: the patch creates it, but it exists already"),
        (
            "diff --git a/i b/i\nindex 1..2\nGIT binary patch\n".into(),
            "it changes a binary file, which is not supported",
        ),
    ] {
        let text = source.refused(&patch);
        assert!(text.ends_with(end), "{text}");
    }
}
