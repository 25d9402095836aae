//! What programs are told. `docs/json.md` names every member; these tests hold it to that.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{SHOP, Shop};

const PAGE: &str = include_str!("../../../docs/json.md");

/// A document with `KEY` for every shasum, which depends on where it was made.
fn keyless(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), keyless(value))).collect(),
        Value::Array(items) => items.iter().map(keyless).collect(),
        Value::String(text) => match text.len().checked_sub(64).and_then(|start| text.split_at_checked(start)) {
            Some((before, key)) if key.bytes().all(|byte| byte.is_ascii_hexdigit()) => json!(format!("{before}KEY")),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

#[test]
fn a_plan_has_for_each_task_its_key_and_what_would_be_done() {
    let shop = Shop::new(SHOP);
    let expected = |action: &str, reason: &str| {
        let task = |name: &str, dependencies: &[&str]| {
            json!({
                "name": name, "tag": format!("shop-{name}-KEY"), "shasum": "KEY", "dependencies": dependencies,
                "action": action, "reason": reason,
            })
        };
        json!({ "format": 1, "project": "shop", "tasks": [task("zlib", &[]), task("app", &["zlib"])] })
    };
    let absent = "it is not installed";
    assert_eq!(keyless(&shop.json(&["plan", "--json"])), expected("restore-or-build", absent));
    assert_eq!(keyless(&shop.json(&["plan", "--json", "--no-cache"])), expected("build", absent));
    shop.run(&["build"]).ends(0);
    assert_eq!(keyless(&shop.json(&["plan", "--json"])), expected("up-to-date", "it is installed"));
    shop.run(&["clean"]).ends(0);
    assert_eq!(keyless(&shop.json(&["plan", "--json"])), expected("install", absent));
}

#[test]
fn a_list_has_what_a_task_is() {
    let listing = Shop::new(SHOP).json(&["list", "--json"]);
    let task = |name: &str, version: &str, dependencies: &[&str]| json!({ "name": name, "version": version, "virtual": false, "cache": true, "dependencies": dependencies });
    let tasks = [task("zlib", "1.3", &[]), task("app", "2", &["zlib"])];
    assert_eq!(listing, json!({ "format": 1, "project": "shop", "tasks": tasks }));
}

#[test]
fn a_manifest_is_barista_s_with_digests() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    let manifest = shop.json(&["manifest"]);
    assert_eq!(manifest["manifest_format"], 2);
    assert_eq!((&manifest["build_version"], &manifest["license"]), (&json!("1.0"), &json!("MIT")));
    let expected = json!({
        "name": "zlib", "source_type": "project_local", "described_version": "1.3", "locked_version": "1.3",
        "locked_source": null, "license": "Zlib", "shasum": "KEY", "tag": "shop-zlib-KEY", "artifact": "KEY",
        "source_checksum": null,
    });
    assert_eq!(keyless(&manifest["software"]["zlib"]), expected);
}

#[test]
fn a_manifest_says_where_sources_come_from_without_credentials() {
    let (sha, commit) = ("a".repeat(64), "b".repeat(40));
    let shop = Shop::new(&format!(
        r#"local shop = project "shop" {{ install_dir = "out" }}
           shop:task "url" {{ version = "1", source = {{ url = "https://me:secret@example.org/x.tar.gz", sha256 = "{sha}" }} }}
           shop:task "git" {{ version = "2", source = {{ git = "https://example.org/x.git", commit = "{commit}" }} }}
           shop:task "path" {{ version = "3", source = {{ path = "beans" }} }}
           shop:task "all" {{ virtual = true }}"#
    ));
    shop.write("beans/beans.c", "int main;");
    let software = &shop.json(&["manifest"])["software"];
    let source = |task: &str| software[task]["locked_source"].clone();
    assert_eq!(source("url"), json!({ "url": "https://example.org/x.tar.gz" }));
    assert_eq!(software["url"]["source_checksum"], format!("sha256:{sha}"));
    assert_eq!(source("git"), json!({ "git": "https://example.org/x.git" }));
    assert_eq!(
        (&software["git"]["locked_version"], &software["git"]["described_version"]),
        (&json!(commit), &json!("2"))
    );
    assert_eq!(source("path"), json!({ "path": "beans" }));
    assert!(software["path"]["source_checksum"].as_str().unwrap().starts_with("tree:"));
    assert!(software.get("all").is_none());
}

#[test]
fn a_build_is_events_and_then_a_report() {
    let shop = Shop::new(SHOP);
    let ran = shop.run(&["build", "--json"]).ends(0).says("");
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!((names[0], names[names.len() - 2], names[names.len() - 1]), ("run_started", "run_finished", "report"));
    let report = lines.last().unwrap();
    assert_eq!((&report["format"], &report["exit"], &report["success"]), (&json!(1), &json!(0), &json!(true)));
    assert_eq!(report["tasks"][0]["outcome"], "built");
    assert_eq!(report["cache"]["stored"], 2);
}

#[test]
fn a_failure_is_told_to_people_and_to_programs() {
    let shop = Shop::new(SHOP);
    for command in ["build", "plan", "why"] {
        let ran = shop.run(&[command, "zlb", "--json"]).ends(2).mentions("error: unknown task `zlb`\n");
        let failure: Value = serde_json::from_str(&ran.out).unwrap();
        let expected = json!({ "format": 1, "error": "unknown task `zlb`", "hint": "did you mean `zlib`?", "exit": 2 });
        assert_eq!(failure, expected);
    }
}

#[test]
fn a_failed_task_has_its_log_once() {
    let shop = Shop::new(
        r#"shop = project "shop" { install_dir = "out" }
           shop:task "a" { version = "1", build = function(t) t:command "false" end }"#,
    );
    let ran = shop.run(&["build", "--json"]).ends(1);
    let line = ran.out.lines().last().unwrap();
    assert_eq!(line.matches("\"log\"").count(), 1, "{line}");
    let report: Value = serde_json::from_str(line).unwrap();
    assert_eq!(report["tasks"][0]["error"], "`false` exited with code 1");
}

/// Adds the names of all members, except those of maps whose names are tasks.
fn members(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            names.insert(name.clone());
            match value {
                Value::Object(tasks) if ["software", "tiers", "tasks"].contains(&&**name) => {
                    tasks.values().for_each(|task| members(task, names))
                }
                value => members(value, names),
            }
        }),
        Value::Array(items) => items.iter().for_each(|item| members(item, names)),
        _ => {}
    }
}

#[test]
fn every_member_is_on_the_page() {
    let shop = Shop::new(&format!(
        "{SHOP}\nshop:task \"bad\" {{ version = \"1\", build = function(t) t:command \"false\" end }}"
    ));
    let mut names = BTreeSet::new();
    let built = shop.run(&["build", "--json", "-k"]).ends(1);
    built.out.lines().for_each(|line| members(&serde_json::from_str(line).unwrap(), &mut names));
    shop.replace("\"1.3\"", "\"1.4\"");
    for args in [["plan"].as_slice(), &["list"], &["why", "zlib"], &["manifest"], &["licenses"], &["clean", "-n"]] {
        members(&shop.json(&[args, &["--json"]].concat()), &mut names);
    }
    let list = shop.json(&["cache", "list", "--task", "zlib", "--json"]);
    members(&list, &mut names);
    let tag = list["objects"][0]["tag"].as_str().unwrap();
    let caches = [["stats"].as_slice(), &["show", tag], &["pin", tag], &["verify"], &["repair"], &["rm", tag]];
    for args in caches {
        members(&shop.json(&[&["cache"], args, &["--json"]].concat()), &mut names);
    }
    for args in [["config", "--config", "cache.mode=off"].as_slice(), &["doctor"], &["cache", "key", "new", "key"]] {
        members(&shop.json(&[args, &["--json"]].concat()), &mut names);
    }
    assert!(names.len() > 80, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !PAGE.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in docs/json.md: {missing:?}");
}
