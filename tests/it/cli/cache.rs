//! `cortado cache`: what is kept, where it comes from, and how it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::{Ran, SHOP, Shop, names};

/// A shop whose two artifacts are kept.
fn built() -> Shop {
    let shop = Shop::new(SHOP);
    shop.run_with(&["build"], &[("CORTADO_WRITER", "night job")]).ends(0);
    shop
}

/// The tags of what is kept, by name.
fn tags(shop: &Shop) -> Vec<String> {
    let list = shop.json(&["cache", "list", "--sort", "name", "--json"]);
    list["objects"].as_array().unwrap().iter().map(|object| object["tag"].as_str().unwrap().to_owned()).collect()
}

fn tag(shop: &Shop, task: &str) -> String {
    tags(shop).into_iter().find(|tag| tag.starts_with(&format!("shop-{task}-"))).unwrap()
}

/// The text without keys and sizes, which depend on the compressor.
fn plain(ran: &Ran) -> String {
    let words = ran.out.split(' ').map(|word| match word.trim_end_matches(['\n', ',']) {
        number if number.parse::<u64>().is_ok() => word.replace(number, "N"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_kept_is_listed_with_what_is_known_of_it() {
    let shop = built();
    let list = shop.json(&["cache", "list", "--json"]);
    assert_eq!((&list["store"], list["objects"].as_array().unwrap().len()), (&Value::from("local"), 2));
    let object = &list["objects"][0];
    let from = &object["provenance"];
    assert_eq!((&from["project"], &from["writer"]), (&Value::from("shop"), &Value::from("night job")));
    assert!(from["host"].is_string() && from["build_time"].is_object(), "{from}");
    let only = shop.json(&["cache", "list", "--task", "zlib", "--json"]);
    assert_eq!(only["objects"].as_array().unwrap().len(), 1);
    assert_eq!(shop.json(&["cache", "list", "--project", "other", "--json"])["objects"], serde_json::json!([]));
    let text = shop.run(&["cache", "list"]).ends(0);
    assert!(plain(&text).ends_with("local: N artifacts, N B\n"), "{}", text.out);
}

#[test]
fn an_artifact_is_shown_with_its_members_and_who_signed_it() {
    let shop = Shop::new(SHOP);
    let public = shop.run(&["cache", "key", "new", "key"]).ends(0).out.trim().to_owned();
    shop.run_with(&["build"], &[("CORTADO_CACHE_SIGN", "key")]).ends(0);
    let tag = tag(&shop, "zlib");
    let shown = shop.json(&["cache", "show", &tag, "--json"]);
    assert_eq!(shown["signed"], serde_json::json!({ "state": "by", "signer": public }));
    let members: Vec<_> =
        shown["members"].as_array().unwrap().iter().map(|member| member["path"].as_str().unwrap()).collect();
    assert!(members.iter().any(|path| path.ends_with("out/zlib")), "{members:?}");
    let text = shop.run(&["cache", "show", &tag]).ends(0).out;
    for line in [format!("tag         {tag}\n"), format!("signed      {public}\n"), "task        zlib\n".into()] {
        assert!(text.contains(&line), "{line}{text}");
    }
    shop.run(&["cache", "show", "shop-nothing"]).ends(2).says(
        "error: store `local`: there is no artifact `shop-nothing`\nhint: `cortado cache list` shows what there is\n",
    );
}

#[test]
fn a_name_in_an_artifact_does_nothing_to_the_terminal() {
    let odd = r#"printf x > "$(printf '@{stage_install_dir}/a\nb\033[2J')""#;
    let recipe = format!(
        r#"project "shop" {{ install_dir = "out" }}:task "odd" {{ version = "1", build = function(t) t:command [=[{odd}]=] end }}"#
    );
    let shop = Shop::new(&recipe);
    shop.run(&["build"]).ends(0);
    let shown = shop.run(&["cache", "show", &tag(&shop, "odd")]).ends(0).out;
    assert!(shown.contains(r"/a\nb\u{1b}[2J"), "{shown}");
}

#[test]
fn pruning_has_to_be_told_what_goes() {
    let ran = built().run(&["cache", "prune"]).ends(2);
    assert!(ran.err.contains("<--older-than <AGE>|--to-size <SIZE>>"), "{}", ran.err);
}

#[test]
fn what_a_bad_writer_has_put_there_is_recalled() {
    let shop = built();
    shop.run(&["cache", "rm", "--written-by", "day job"]).ends(0).reports("local: nothing to remove\n");
    let wish = shop.json(&["cache", "rm", "--written-by", "night job", "--since", "1h", "-n", "--json"]);
    assert_eq!((&wish["dry_run"], wish["removed"].as_array().unwrap().len()), (&Value::from(true), 2));
    assert_eq!(tags(&shop).len(), 2, "a wish removes nothing");
    shop.run(&["cache", "rm", "--written-by", "night job", "--until", "1h"])
        .ends(0)
        .reports("local: nothing to remove\n");
    let ran = shop.run(&["cache", "rm", "--written-by", "night job"]).ends(0);
    assert_eq!(plain(&ran), "local: removed N artifacts, N B\n");
    assert!(tags(&shop).is_empty());
}

#[test]
fn artifacts_go_by_name_all_or_none() {
    let shop = built();
    let tag = tag(&shop, "app");
    shop.run(&["cache", "rm", &tag, "shop-none-1"]).ends(2).mentions("there is no artifact `shop-none-1`");
    assert_eq!(tags(&shop).len(), 2);
    shop.run(&["cache", "rm", &tag]).ends(0);
    assert_eq!(tags(&shop).len(), 1);
    let unclear = "hint: name tags, or say `--written-by`, `--from-host`, `--since` or `--until`\n";
    shop.run(&["cache", "rm"])
        .ends(2)
        .says(&format!("error: cortado cache rm: it does not say which artifacts\n{unclear}"));
    shop.run(&["cache", "rm", &tag, "--since", "1h"])
        .ends(2)
        .says(&format!("error: cortado cache rm: it names artifacts, and says which ones besides\n{unclear}"));
}

#[test]
fn pruning_leaves_what_is_pinned() {
    let shop = built();
    let pinned = tag(&shop, "zlib");
    shop.run(&["cache", "pin", &pinned]).ends(0).reports(&format!("local: {pinned} pinned\n"));
    shop.run(&["cache", "prune", "--older-than", "1h"]).ends(0).reports("local: nothing to remove\n");
    let wish = shop.run(&["cache", "prune", "--older-than", "0s", "--dry-run"]).ends(0);
    assert!(wish.out.starts_with(&format!("{}\n", tag(&shop, "app"))), "{}", wish.out);
    shop.run(&["cache", "prune", "--older-than", "0s"]).ends(0);
    assert_eq!(tags(&shop), std::slice::from_ref(&pinned));
    shop.run(&["cache", "unpin", &pinned]).ends(0).reports(&format!("local: {pinned} may be evicted\n"));
    shop.run(&["cache", "prune", "--to-size", "0"]).ends(0);
    assert!(tags(&shop).is_empty());
    shop.run(&["cache", "pin", &pinned]).ends(2).mentions(&format!("there is no artifact `{pinned}`"));
    shop.run(&["cache", "prune"]).ends(2).mentions("--older-than");
    shop.run(&["cache", "prune", "--to-size", "1g"]).ends(2).mentions("a size is a number of bytes");
}

#[test]
fn damage_is_found_and_what_is_damaged_can_go() {
    let shop = built();
    shop.run(&["cache", "verify"]).ends(0).reports("local: all is well\n");
    let name = format!("{}.tar.gz", tag(&shop, "app"));
    let objects = shop.path("cache/cortado/artifacts/objects");
    let shard = names(&objects).into_iter().find(|shard| objects.join(shard).join(&name).exists()).unwrap();
    let path = objects.join(shard).join(&name);
    let bytes = fs::read(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let found = shop.run(&["cache", "verify", "--json"]).ends(1);
    let found: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(
        (&found["findings"][0]["subject"], found["findings"].as_array().unwrap().len()),
        (&Value::from(name), 1)
    );
}

#[test]
fn a_store_in_disorder_is_mended() {
    let shop = built();
    shop.run(&["cache", "repair"]).ends(0);
    shop.run(&["cache", "repair", "-n"]).ends(0).reports("local: all is well\n");
    shop.write("cache/cortado/artifacts/notes", "mine");
    let found = shop.run(&["cache", "repair"]).ends(0);
    assert_eq!(found.out, "notes  it does not belong into a store  left alone\nlocal: 1 problem\n");
    assert_eq!(shop.read("cache/cortado/artifacts/notes"), "mine");
}

#[test]
fn what_the_cache_was_good_for_is_counted_until_it_is_zeroed() {
    let shop = built();
    shop.run(&["clean", "--all"]).ends(0);
    shop.run(&["build"]).ends(0);
    let stats = shop.json(&["cache", "stats", "--json"]);
    let local = &stats["tiers"]["local"];
    assert_eq!((&stats["runs"], &local["requests"], &local["hits"]), (&2.into(), &4.into(), &2.into()), "{stats}");
    assert_eq!(local["misses"]["absent"], 2);
    assert_eq!((&stats["stores"][0]["usage"]["objects"], &stats["stores"][0]["name"]), (&2.into(), &"local".into()));
    let text = shop.run(&["cache", "stats"]).ends(0).out;
    assert!(text.starts_with("local: directory [shop]/cache/cortado/artifacts\n  2 artifacts, "), "{text}");
    let zeroed = shop.json(&["cache", "stats", "--zero", "--json"]);
    assert_eq!((&zeroed["runs"], &zeroed["tiers"]), (&0.into(), &serde_json::json!({})));
}

#[test]
fn a_new_key_is_secret_and_replaces_nothing() {
    let shop = Shop::new(SHOP);
    let public = shop.run(&["cache", "key", "new", "key"]).ends(0).out;
    assert!(public.starts_with("cortado-public-1:") && public.ends_with('\n'), "{public}");
    assert_eq!(fs::metadata(shop.path("key")).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = shop.read("key");
    assert!(secret.starts_with("cortado-secret-1:"));
    shop.run(&["cache", "key", "new", "key"])
        .ends(2)
        .says("error: `key`: it exists already, and a key that is overwritten is lost\nhint: name another file\n");
    assert_eq!(shop.read("key"), secret);
}

#[test]
fn a_store_is_chosen_by_name() {
    let shop = built();
    shop.write("cortado.toml", "[stores.near]\ntype = 'directory'\npath = 'near'\n");
    let list = shop.json(&["cache", "list", "--store", "near", "--json"]);
    assert_eq!((&list["store"], &list["objects"]), (&"near".into(), &serde_json::json!([])));
    shop.run(&["cache", "list", "--store", "naer"])
        .ends(2)
        .says("error: unknown store `naer`\nhint: did you mean `near`?\n");
}
