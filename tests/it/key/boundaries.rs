//! Tasks that a careless key would take for one another.

use std::collections::BTreeMap;

use cortado::command::{Bin, Copy, Link, Mkdir, Patch, Shell, Sync, Template};
use cortado::{Env, PlatformKey, Source, Task};

use super::{answers, shop, tag, tags, task};

fn all_different(tasks: Vec<(&'static str, Task)>) {
    let mut seen = BTreeMap::new();
    for (what, task) in tasks {
        if let Some(other) = seen.insert(tag(task), what) {
            panic!("`{what}` and `{other}` have one key");
        }
    }
}

fn a() -> Task {
    task("a")
}

#[test]
fn kinds_and_arguments_do_not_run_into_each_other() {
    all_different(vec![
        ("nothing", a()),
        ("copy a b", a().copy("a", "b")),
        ("link a b", a().link("a", "b")),
        ("sync a b", a().step(Sync::new("a", "b"))),
        ("copy a bc", a().copy("a", "bc")),
        ("copy ab c", a().copy("ab", "c")),
        ("copy b a", a().copy("b", "a")),
        ("link a bc", a().link("a", "bc")),
        ("link ab c", a().link("ab", "c")),
        ("command a b", a().command("a b")),
        ("command copy a b", a().command("copy a b")),
        ("emit a b", a().emit("a b")),
        ("error a b", a().step(cortado::command::Emit::error("a b"))),
        ("block a b", a().block(cortado::Block::new("a b", |_| Ok(())))),
        ("mkdir a", a().mkdir("a")),
        ("bin a b", a().step(Bin::new("a").arg("b"))),
        ("bin a with two args", a().step(Bin::new("a").args(["b", "c"]))),
        ("bin a with one arg of two words", a().step(Bin::new("a").arg("b c"))),
    ]);
}

#[test]
fn several_steps_are_not_one() {
    all_different(vec![
        ("ab", a().command("ab")),
        ("a, b", a().command("a").command("b")),
        ("b, a", a().command("b").command("a")),
        ("a b", a().command("a b")),
        ("a newline b", a().command("a\nb")),
        ("a, a", a().command("a").command("a")),
        ("a", a().command("a")),
        ("a, nothing", a().command("a").command("")),
        ("nothing, a", a().command("").command("a")),
    ]);
}

#[test]
fn whitespace_in_a_literal_counts() {
    let block = |text: &str| a().block(cortado::Block::new(text, |_| Ok(())));
    all_different(vec![
        ("a b", block("a b")),
        ("ab", block("ab")),
        ("a  b", block("a  b")),
        ("with a comment", block("a b -- c")),
        ("up to an end", block("a b append")),
    ]);
}

#[test]
fn a_sync_is_not_what_its_parts_spell() {
    let sync = |dest: &str| Sync::new("a", dest);
    let decided = |dest: &str, text: &str| sync(dest).decide(text, |_, _| Ok(true));
    all_different(vec![
        ("b", a().step(sync("b"))),
        ("bwith block", a().step(sync("bwith block"))),
        ("b with a strategy", a().step(decided("b", ""))),
        ("b with the strategy `with block`", a().step(decided("b", "with block"))),
        ("two patterns", a().step(sync("b").exclude("x").exclude("y"))),
        ("one pattern with a comma", a().step(sync("b").exclude("x, y"))),
        ("an empty pattern", a().step(sync("b").exclude(""))),
        ("two empty patterns", a().step(sync("b").exclude("").exclude(""))),
    ]);
}

#[test]
fn an_empty_text_is_not_nothing() {
    all_different(vec![
        ("nothing", a()),
        ("an empty command", a().command("")),
        ("an empty command in an empty directory", a().step(Shell::new("").dir(""))),
        ("an empty line", a().emit("")),
        ("an empty block", a().block(cortado::Block::new("", |_| Ok(())))),
        ("an empty variable", a().env([("A", "")])),
        ("an empty variable of a command", a().step(Shell::new("").env([("A", "")]))),
        ("an empty secret", a().env(Env::new().secret("A", ""))),
        ("another empty secret", a().env(Env::new().secret("B", ""))),
        ("an empty version", a().version("")),
        ("an empty licence", a().license("")),
        ("an empty probe", a().probe("")),
        ("an empty input", a().input("")),
        ("an empty template", a().step(Template::text("", ""))),
        ("an empty template with an empty variable", a().step(Template::text("", "").variable("", ""))),
        ("an empty template with a null variable", a().step(Template::text("", "").variable("", ()))),
        ("an empty patch", a().step(Patch::text(""))),
        ("an empty patch in an empty directory", a().step(Patch::text("").dir(""))),
        ("an empty copy", a().copy("", "")),
        ("an empty copy in an empty directory", a().step(Copy::new("", "").dir(""))),
        ("an empty link", a().link("", "")),
        ("an empty link in an empty directory", a().step(Link::new("", "").dir(""))),
        ("an empty argument", a().step(Bin::new("a").arg(""))),
        ("no argument", a().step(Bin::new("a"))),
    ]);
}

#[test]
fn variables_do_not_run_into_each_other() {
    all_different(vec![
        ("A=B, C=D", a().env([("A", "B"), ("C", "D")])),
        ("A=BC, D=", a().env([("A", "BC"), ("D", "")])),
        ("AB=CD", a().env([("AB", "CD")])),
        ("A=B=C", a().env([("A", "B=C")])),
        ("A=B newline C=D", a().env([("A", "B\nC=D")])),
        ("on the command", a().step(Shell::new("").env([("A", "B"), ("C", "D")]))),
        ("a secret", a().env(Env::new().secret("A", "B").set("C", "D"))),
        ("named like what a secret tells", a().env([("secret", "B"), ("is", "D")])),
    ]);
}

#[test]
fn values_of_templates_keep_their_types() {
    let with = |value: serde_json::Value| a().step(Template::text("", "x").variable("v", value));
    all_different(vec![
        ("1", with(serde_json::json!(1))),
        ("1.0", with(serde_json::json!(1.0))),
        ("-1", with(serde_json::json!(-1))),
        ("0.0", with(serde_json::json!(0.0))),
        ("-0.0", with(serde_json::json!(-0.0))),
        ("text 1", with(serde_json::json!("1"))),
        ("true", with(serde_json::json!(true))),
        ("text yes", with(serde_json::json!("yes"))),
        ("null", with(serde_json::json!(null))),
        ("text null", with(serde_json::json!("null"))),
        ("empty list", with(serde_json::json!([]))),
        ("empty map", with(serde_json::json!({}))),
        ("list of a list", with(serde_json::json!([[]]))),
        ("two lists", with(serde_json::json!([[], []]))),
        ("list", with(serde_json::json!(["a", "b"]))),
        ("other order", with(serde_json::json!(["b", "a"]))),
        ("map", with(serde_json::json!({"a": "b"}))),
        ("map with an empty name", with(serde_json::json!({"": "b"}))),
    ]);
}

#[test]
fn sources_do_not_run_into_each_other() {
    let url = |url: &str| Source::url(url).sha256("a".repeat(64));
    let git = |url: &str| Source::git(url).commit("a".repeat(40));
    all_different(vec![
        ("nothing", a()),
        ("an archive", a().source(url("https://example.org/a"))),
        ("the same by git", a().source(git("https://example.org/a"))),
        ("the same by git with submodules", a().source(git("https://example.org/a").submodules(true))),
        ("of a format", a().source(url("https://example.org/a").format(cortado::Format::Tar))),
        ("of no format", a().source(url("https://example.org/a").format(cortado::Format::Plain))),
        ("a directory", a().source(Source::local("https://example.org/a"))),
        ("a directory as an input", a().input("https://example.org/a")),
        ("below a directory", a().source(url("https://example.org/a")).relative_path("b")),
    ]);
}

#[test]
fn a_mode_is_not_its_default() {
    all_different(vec![
        ("mkdir", a().mkdir("x")),
        ("mkdir 0", a().step(Mkdir::new("x").mode(0))),
        ("mkdir 755", a().step(Mkdir::new("x").mode(0o755))),
        ("mkdir without parents", a().step(Mkdir::new("x").parents(false))),
    ]);
}

#[test]
fn an_empty_platform_is_neither_the_hosts_nor_none() {
    let platforms = [PlatformKey::Host, PlatformKey::Any, PlatformKey::Is(String::new())];
    let tag = |platform| {
        let project = shop().platform(platform).task(a()).build().unwrap();
        tags(&project, answers(&project)).into_values().next().unwrap()
    };
    let [host, any, is] = platforms.map(tag);
    assert!(host != any && host != is && any != is);
}
