//! The busting matrix: each row changes one thing, and exactly the keys that it concerns change.

use cortado::command::{Bin, Copy, Emit, Link, Mkdir, Patch, Shell, Sync, Template};
use cortado::{Algorithm, Archive, Block, Env, Format, Git, Input, Inputs, LinkMode, PlatformKey, Project};
use cortado::{ProjectBuilder, Source, Task};
use std::time::Duration;

use super::{answers, shop, tags, task};

/// `a`, then `b` and `c` downstream of it, and `d` and `e`, which have nothing to do with it.
fn project(shop: ProjectBuilder, a: Task) -> Project {
    let others = [task("b").depends_on("a"), task("c").depends_on("b"), task("d"), task("e").depends_on("d")];
    shop.task(a).tasks(others).build().unwrap()
}

/// The names of the tasks whose keys differ.
fn changed(before: (&Project, Inputs), after: (&Project, Inputs)) -> Vec<String> {
    let after = tags(after.0, after.1);
    let before = tags(before.0, before.1);
    assert_eq!(before.len(), after.len());
    before.into_iter().filter(|(name, tag)| after[name] != *tag).map(|(name, _)| name).collect()
}

fn changed_by_task(before: Task, after: Task) -> Vec<String> {
    let (before, after) = (project(shop(), before), project(shop(), after));
    changed((&before, answers(&before)), (&after, answers(&after)))
}

fn changed_by_project(before: ProjectBuilder, after: ProjectBuilder) -> Vec<String> {
    let (before, after) = (project(before, a()), project(after, a()));
    changed((&before, answers(&before)), (&after, answers(&after)))
}

/// What changes when the answer to `input` does.
fn changed_by_answer(shop: ProjectBuilder, a: Task, input: Input) -> Vec<String> {
    let project = project(shop, a);
    let before = answers(&project);
    let mut after = before.clone();
    assert!(before.get(&input).is_some(), "nobody asks for {input:?}");
    after.insert(input, "another answer");
    changed((&project, before), (&project, after))
}

fn a() -> Task {
    task("a")
}

fn archive() -> Archive {
    Source::url("https://example.org/a-1.tar.gz").sha256("a".repeat(64))
}

fn git() -> Git {
    Source::git("https://example.org/a.git").commit("a".repeat(40))
}

fn block(text: &str) -> Task {
    a().block(Block::new(text, |_| Ok(())))
}

fn sync() -> Sync {
    Sync::new("a", "b").exclude("*.o")
}

fn template() -> Template {
    Template::text("{{ a }}", "x").variable("a", 1)
}

#[test]
fn what_a_task_says_changes_its_key_and_those_downstream() {
    let rows = [
        ("version", a(), task("a").version("2")),
        ("virtual", a(), a().virtual_task(true)),
        ("source", a(), a().source(archive())),
        ("source url", a().source(archive()), {
            a().source(Source::url("https://example.org/a-2.tar.gz").sha256("a".repeat(64)))
        }),
        ("expected checksum", a().source(archive()), {
            a().source(Source::url("https://example.org/a-1.tar.gz").sha256("b".repeat(64)))
        }),
        ("a second checksum", a().source(archive()), a().source(archive().md5("a".repeat(32)))),
        ("algorithm", a().source(Source::url("file:///a").checksum(Algorithm::Sha1, "a".repeat(40))), {
            a().source(Source::url("file:///a").checksum(Algorithm::Md5, "a".repeat(32)))
        }),
        ("source strip", a().source(archive()), a().source(archive().strip(0))),
        ("source format", a().source(archive()), a().source(archive().format(Format::Plain))),
        ("git url", a().source(git()), a().source(Source::git("https://example.org/b.git").commit("a".repeat(40)))),
        ("git commit", a().source(git()), a().source(git().commit("b".repeat(40)))),
        ("git submodules", a().source(git()), a().source(git().submodules(true))),
        ("licence id", a(), a().license("MIT")),
        ("licence files", a(), a().license_file("COPYING")),
        ("a licence file's name", a().license_file("COPYING"), a().license_file("LICENSE")),
        ("a new step", a(), a().command("make")),
        ("order of steps", a().command("x").command("y"), a().command("y").command("x")),
        ("command", a().command("make"), a().command("make V=1")),
        ("whitespace in a command", a().command("echo 'a b'"), a().command("echo 'a  b'")),
        ("command env name", a().step(Shell::new("x").env([("A", "1")])), a().step(Shell::new("x").env([("B", "1")]))),
        ("command env", a().step(Shell::new("x").env([("A", "1")])), a().step(Shell::new("x").env([("A", "2")]))),
        ("command dir", a().command("x"), a().step(Shell::new("x").dir("sub"))),
        ("bin program", a().step(Bin::new("x")), a().step(Bin::new("y"))),
        ("bin args", a().step(Bin::new("x").arg("1")), a().step(Bin::new("x").arg("2"))),
        ("bin env", a().step(Bin::new("x")), a().step(Bin::new("x").env([("A", "1")]))),
        ("bin dir", a().step(Bin::new("x")), a().step(Bin::new("x").dir("sub"))),
        ("copy source", a().copy("a", "b"), a().copy("x", "b")),
        ("copy dest", a().copy("a", "b"), a().copy("a", "x")),
        ("copy dir", a().copy("a", "b"), a().step(Copy::new("a", "b").dir("x"))),
        ("sync source", a().step(sync()), a().step(Sync::new("x", "b").exclude("*.o"))),
        ("sync dest", a().step(sync()), a().step(Sync::new("a", "x").exclude("*.o"))),
        ("sync excludes", a().step(sync()), a().step(sync().exclude("*.a"))),
        ("sync decide", a().step(sync()), a().step(sync().decide("newer", |_, _| Ok(true)))),
        ("sync decide text", a().step(sync().decide("newer", |_, _| Ok(true))), {
            a().step(sync().decide("older", |_, _| Ok(true)))
        }),
        ("sync dir", a().step(sync()), a().step(sync().dir("x"))),
        ("link target", a().link("a", "b"), a().link("x", "b")),
        ("link path", a().link("a", "b"), a().link("a", "x")),
        ("link dir", a().link("a", "b"), a().step(Link::new("a", "b").dir("x"))),
        ("mkdir path", a().mkdir("a"), a().mkdir("b")),
        ("mkdir parents", a().mkdir("a"), a().step(Mkdir::new("a").parents(false))),
        ("mkdir mode", a().step(Mkdir::new("a").mode(0o700)), a().step(Mkdir::new("a").mode(0o750))),
        ("patch text", a().step(Patch::text("a")), a().step(Patch::text("b"))),
        ("patch strip", a().step(Patch::text("a")), a().step(Patch::text("a").strip(0))),
        ("patch dir", a().step(Patch::text("a")), a().step(Patch::text("a").dir("x"))),
        ("template text", a().step(template()), a().step(Template::text("{{a}}", "x").variable("a", 1))),
        ("template dest", a().step(template()), a().step(Template::text("{{ a }}", "y").variable("a", 1))),
        ("template mode", a().step(template()), a().step(template().mode(0o600))),
        ("template variable", a().step(template()), a().step(template().variable("a", 2))),
        ("template's unused variable", a().step(template()), a().step(template().variable("b", 1))),
        ("block text", block("f()"), block("g()")),
        ("comment in a block", block("f()"), block("f() -- now")),
        ("whitespace in a block", block("f('a b')"), block("f('ab')")),
        ("emit", a().emit("x"), a().emit("y")),
        ("emit an error", a().emit("x"), a().step(Emit::error("x"))),
        ("env", a().env([("A", "1")]), a().env([("A", "2")])),
        ("env name", a().env([("A", "1")]), a().env([("B", "1")])),
        ("secret", a().env(Env::new().secret("A", "1")), a().env(Env::new().secret("A", "2"))),
        ("secrecy", a().env(Env::new().set("A", "1")), a().env(Env::new().secret("A", "1"))),
        ("preserve_symlinks", a(), a().preserve_symlinks(false)),
        ("relative_path", a().relative_path("x"), a().relative_path("y")),
        ("a probe", a(), a().probe("cc --version")),
        ("an input", a(), a().input("etc")),
        ("an upstream", a(), a().depends_on("d")),
        ("a block's closure", a().block(cortado::block!(|_scope| Ok(()))), {
            a().block(cortado::block!(move |_scope| anyhow::bail!("no")))
        }),
    ];
    for (what, before, after) in rows {
        assert_eq!(changed_by_task(before, after), ["a", "b", "c"], "{what}");
    }
}

#[test]
fn content_outside_the_recipe_changes_the_keys_of_those_who_read_it() {
    let file = |path: &str| Input::File(path.into());
    let tree = |path: &str| Input::Tree { path: path.into(), excludes: Vec::new() };
    let mention = |path: &str| Input::Mention(path.into());
    let local = Source::local("src").exclude("*.o");
    let reference = Source::git("https://example.org/a.git").reference("main");
    let values = serde_json::json!([{"file": "@{recipe_dir}/x"}]);
    let rows = [
        ("a local source", a().source(local), Input::Tree { path: "src".into(), excludes: vec!["*.o".into()] }),
        (
            "a reference",
            a().source(reference),
            Input::GitReference { url: "https://example.org/a.git".into(), reference: "main".into() },
        ),
        ("a patch", a().step(Patch::file("fix.patch")), file("fix.patch")),
        ("a template", a().step(Template::file("x.j2", "x")), file("x.j2")),
        ("a probe", a().probe("cc --version"), Input::Probe("cc --version".into())),
        ("an input", a().input("etc"), tree("etc")),
        ("a licence file of the recipe", a().license_file("@{recipe_dir}/COPYING"), mention("COPYING")),
        ("a command's text", a().command("sh @{recipe_dir}/x.sh"), mention("x.sh")),
        ("a command's dir", a().step(Shell::new("sh x.sh").dir("@{recipe_dir}/x")), mention("x")),
        ("a command's env", a().step(Shell::new("x").env([("A", "@{recipe_dir}/x")])), mention("x")),
        ("a program's argument", a().step(Bin::new("x").arg("--from=@{recipe_dir}/x")), mention("x")),
        ("a program's dir", a().step(Bin::new("y").dir("@{recipe_dir}/x")), mention("x")),
        ("a program's env", a().step(Bin::new("y").env([("A", "@{recipe_dir}/x")])), mention("x")),
        ("a patch's dir", a().step(Patch::text("").dir("@{recipe_dir}/x")), mention("x")),
        ("a copy", a().copy("@{recipe_dir}/x/*", "b"), mention("x")),
        ("a copy's dir", a().step(Copy::new("y", "b").dir("@{recipe_dir}/x")), mention("x/y")),
        ("a copy from outside", a().copy("/etc/motd", "b"), mention("/etc/motd")),
        ("a copy below an absolute dir", a().step(Copy::new("y", "b").dir("/srv")), mention("/srv/y")),
        ("a sync", a().step(Sync::new("@{recipe_dir}/x", "b")), mention("x")),
        ("a sync's dir", a().step(Sync::new("y", "b").dir("@{recipe_dir}/x")), mention("x/y")),
        ("a sync's decision", a().step(sync().decide("@{recipe_dir}/x", |_, _| Ok(true))), mention("x")),
        ("a link that becomes a copy", a().preserve_symlinks(false).link("/etc/motd", "b"), mention("/etc/motd")),
        ("a template's value", a().step(Template::text("", "x").variable("v", values)), mention("x")),
        ("a block's text", block("cp @{recipe_dir}/x"), mention("x")),
        ("the task's env", a().env([("A", "@{recipe_dir}/x")]), mention("x")),
        ("a secret", a().env(Env::new().secret("A", "@{recipe_dir}/x")), mention("x")),
    ];
    for (what, task, input) in rows {
        assert_eq!(changed_by_answer(shop(), task, input), ["a", "b", "c"], "{what}");
    }
    let shop = shop().env([("A", "@{recipe_dir}/x")]);
    assert_eq!(changed_by_answer(shop, a(), mention("x")), ["a", "b", "c", "d", "e"], "the project's env");
}

#[test]
fn what_the_project_says_changes_every_key() {
    let rows = [
        ("install_dir", shop(), shop().install_dir("/opt/other")),
        ("salt", shop(), shop().salt("1")),
        ("source_date_epoch", shop(), shop().source_date_epoch(1)),
        ("env", shop(), shop().env([("A", "")])),
        ("no platform", shop(), shop().platform(PlatformKey::Any)),
        ("own platform", shop(), shop().platform(PlatformKey::Is("any-linux".into()))),
    ];
    for (what, before, after) in rows {
        assert_eq!(changed_by_project(before, after), ["a", "b", "c", "d", "e"], "{what}");
    }
    let project = project(shop(), a());
    let other = Inputs::new("linux-aarch64-musl-1.2");
    assert_eq!(changed((&project, answers(&project)), (&project, other)).len(), 5, "the host");
}

#[test]
fn what_does_not_change_the_product_changes_no_key() {
    let with = |source: Archive| a().source(source);
    let rows = [
        ("sequences", a(), a().sequence("network").sequence("database")),
        ("time_limit", a(), a().time_limit(Duration::from_secs(1))),
        ("pass_env", a(), a().pass_env("CCACHE_DIR")),
        ("overrides", a(), a().overrides("d")),
        ("cache", a(), a().cache(false)),
        ("headers", with(archive()), with(archive().header("authorization", "x"))),
        ("retries", with(archive()), with(archive().retries(9))),
        ("timeout", with(archive()), with(archive().timeout(Duration::from_secs(1)))),
        ("case of a checksum", with(archive()), {
            with(Source::url("https://example.org/a-1.tar.gz").sha256(format!(" {}\n", "A".repeat(64))))
        }),
        ("credentials", with(archive()), {
            with(Source::url("https://me:secret@example.org/a-1.tar.gz").sha256("a".repeat(64)))
        }),
        ("case of a commit", a().source(git()), a().source(git().commit("A".repeat(40)))),
        ("order of checksums", with(archive().md5("b".repeat(32))), {
            with(Source::url("https://example.org/a-1.tar.gz").md5("b".repeat(32)).sha256("a".repeat(64)))
        }),
        ("order of env", a().env([("A", "1"), ("B", "2")]), a().env([("B", "2"), ("A", "1")])),
        ("order of a command's env", a().step(Shell::new("x").env([("A", "1"), ("B", "2")])), {
            a().step(Shell::new("x").env([("B", "2"), ("A", "1")]))
        }),
        ("order of variables", a().step(template().variable("b", 1)), {
            a().step(Template::text("{{ a }}", "x").variable("b", 1).variable("a", 1))
        }),
        ("order of dependencies", a().depends_on("d").depends_on("e"), a().depends_on("e").depends_on("d")),
        ("a dependency said twice", a().depends_on("d"), a().depends_on("d").depends_on("d")),
        ("order of probes", a().probe("x").probe("y"), a().probe("y").probe("x")),
        ("order of inputs", a().input("x").input("y"), a().input("y").input("x")),
        ("an input said twice", a().input("x"), a().input("x").input("x//").input("x/.")),
        ("a block's name", block("f()"), a().block(Block::new("f()", |_| Ok(())).named("install"))),
        ("a virtual task's version", a().virtual_task(true), task("a").version("2").virtual_task(true)),
    ];
    for (what, before, after) in rows {
        assert!(changed_by_task(before, after).is_empty(), "{what}");
    }
}

#[test]
fn where_the_project_lies_and_how_it_is_run_changes_no_key() {
    let rows = [
        ("work_dir", shop(), shop().work_dir("/elsewhere")),
        ("recipe_dir", shop(), shop().recipe_dir("/home/me/checkout")),
        ("a slash behind install_dir", shop(), shop().install_dir("/opt/shop/")),
        ("cache", shop(), shop().cache(false)),
        ("pass_env", shop(), shop().pass_env("CCACHE_DIR")),
        ("inherit_env", shop(), shop().inherit_env(true)),
        ("extra_files", shop(), shop().extra_file("/etc/init.d/*")),
        ("license_file_path", shop(), shop().license_file_path("/opt/shop/COPYING")),
        ("link_mode", shop(), shop().link_mode(LinkMode::Copy)),
        ("callback_timeout", shop(), shop().callback_timeout(None)),
        ("metadata", shop(), shop().version("9").iteration(3).description("x").homepage("y").maintainer("z")),
        ("its licence", shop(), shop().license("MIT").license_content("text").git_revision("abc")),
    ];
    for (what, before, after) in rows {
        assert!(changed_by_project(before, after).is_empty(), "{what}");
    }
}

#[test]
fn the_place_of_an_input_changes_no_key() {
    let moved = |dir: &str| {
        let a = a().input(format!("{dir}/etc")).source(Source::local(format!("{dir}/src")));
        project(shop().recipe_dir(dir), a.step(Patch::file(format!("{dir}/fix.patch"))))
    };
    let (here, there) = (moved("/home/me/shop"), moved("/ci/build/17"));
    let same = |project: &Project| {
        let mut inputs = answers(project);
        project.tasks().iter().flat_map(Task::all_inputs).for_each(|input| inputs.insert(input, "the same content"));
        inputs
    };
    assert!(changed((&here, same(&here)), (&there, same(&there))).is_empty());
}

#[test]
fn a_patch_moved_into_the_recipe_keeps_its_key() {
    let text = "--- a\n+++ b\n";
    let inline = project(shop(), a().step(Patch::text(text)).step(Template::text(text, "x")));
    let files = project(shop(), a().step(Patch::file("x.patch")).step(Template::file("x.j2", "x")));
    let mut inputs = Inputs::new(super::HOST);
    for path in ["x.patch", "x.j2"] {
        inputs.insert(Input::File(path.into()), cortado::Digest::of(text).to_string());
    }
    assert!(changed((&inline, answers(&inline)), (&files, inputs)).is_empty());
}
