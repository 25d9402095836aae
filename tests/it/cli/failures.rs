//! What goes wrong, what it is called, and the code that it ends with.

use super::{SHOP, Shop};

const BROKEN: &str = r#"
local shop = project "shop" { install_dir = "out" }
shop:task "bad" { version = "1", build = function(t)
  t:command "echo one; echo two >&2; exit 7"
end }
shop:task "after" { version = "1", depends_on = { "bad" } }
shop:task "good" { version = "1", sequences = { "s" }, build = function(t)
  t:command "echo good > @{stage_install_dir}/good"
end }
"#;

#[test]
fn a_failed_task_is_named_with_its_output_and_its_log() {
    let shop = Shop::new(BROKEN);
    let expected = "\
bad> one
bad> two
bad> failed after T: `echo one; echo two >&2; exit 7` exited with code 7
bad> full log: [shop]/.cortado/logs/bad.log
  failed   1  bad
  skipped  1  after
shop: failed after T
error: task `bad`: `echo one; echo two >&2; exit 7` exited with code 7
";
    shop.run(&["build", "after", "--quiet"]).ends(1).reports("").says(expected);
    assert_eq!(shop.read(".cortado/logs/bad.log"), "[1/1] echo one; echo two >&2; exit 7\none\ntwo\n");
}

#[test]
fn with_keep_going_what_does_not_depend_on_the_failure_is_built() {
    let shop = Shop::new(BROKEN);
    let ran = shop.run(&["build", "--keep-going", "-j1"]).ends(1);
    ran.mentions("\nafter> skipped, because `bad` did not succeed\n").mentions("  built    1  good");
    assert_eq!(shop.read("out/good"), "good\n");
}

#[test]
fn a_missing_recipe_is_a_usage_error() {
    let shop = Shop::new("");
    let expected = "\
error: recipe `nowhere.lua`: there is no such file
hint: name the recipe with `--file`, or go to the directory that has a `cortado.lua`
";
    shop.run(&["list", "-f", "nowhere.lua"]).ends(2).reports("").says(expected);
}

#[test]
fn a_mistake_in_a_recipe_is_named_with_its_line() {
    let shop =
        Shop::new("local shop = project \"shop\" { install_dir = \"out\" }\nshop:task \"a\" { verison = \"1\" }\n");
    let ran = shop.run(&["build"]).ends(2).mentions("error: cortado.lua:2: ");
    assert!(ran.err.contains("did you mean `version`?"), "{}", ran.err);
}

#[test]
fn a_recipe_that_is_no_text_is_named() {
    let shop = Shop::new("");
    std::fs::write(shop.path("cortado.lua"), b"\xff\xfe").unwrap();
    let ran = shop.run(&["plan"]).ends(2);
    assert!(ran.err.starts_with("error: cortado.lua: "), "{}", ran.err);
}

#[test]
fn a_task_whose_name_is_none_is_found_in_the_recipe() {
    let shop = Shop::new("local p = project \"shop\" { install_dir = \"out\" }\np:task \"a b\" { version = \"1\" }\n");
    let ran = shop.run(&["plan"]).ends(2);
    assert!(ran.err.starts_with("error: cortado.lua:2: task `a b`: `a b` is not a name\n"), "{}", ran.err);
}

#[test]
fn a_dependency_that_nobody_bears_is_found_in_the_recipe() {
    let shop = Shop::new(&SHOP.replace("{ \"zlib\" }", "{ \"zlb\" }"));
    for command in [["build"].as_slice(), &["plan"], &["list"], &["why", "app"], &["manifest"]] {
        let ran = shop.run(command).ends(2);
        assert!(
            ran.err.starts_with("error: cortado.lua:8: task `app` names the unknown dependency `zlb`\n"),
            "{ran:?}"
        );
        assert!(ran.err.ends_with("hint: did you mean `zlib`?\n"), "{ran:?}");
    }
}

#[test]
fn a_file_of_the_recipe_that_is_not_there_is_found_in_the_recipe() {
    let shop = Shop::new(&SHOP.replace("license = \"Zlib\",", "source = { path = \"beans\" },"));
    let expected = "\
error: cortado.lua:3: task `zlib`: `[shop]/beans` does not exist
hint: files and directories of a recipe are relative to the recipe's directory
";
    for command in ["build", "plan"] {
        shop.run(&[command]).ends(2).says(expected);
    }
}

#[test]
fn a_task_that_nobody_bears_is_answered_with_the_nearest_one() {
    let shop = Shop::new(SHOP);
    for command in ["build", "plan", "why"] {
        let expected = "error: unknown task `zlb`\nhint: did you mean `zlib`?\n";
        shop.run(&[command, "zlb"]).ends(2).says(expected);
    }
}

#[test]
fn a_wrong_option_is_a_usage_error() {
    let shop = Shop::new(SHOP);
    shop.run(&["build", "--jbos", "3"]).ends(2).mentions("unexpected argument '--jbos'");
    shop.run(&["build", "-j0"]).ends(2);
    shop.run(&[]).ends(2).mentions("Usage: cortado");
    let ran = shop.run_with(&["build"], &[("CORTADO_JOBS", "0")]).ends(2);
    assert!(ran.err.contains("'0' for '--jobs <N>': give a whole number, 1 or more"), "{}", ran.err);
}

#[test]
fn a_cache_that_matters_and_fails_ends_with_a_code_of_its_own() {
    let recipe = SHOP.to_owned() + r#"shop:cache { fetch = function() error("the cache is down") end }"#;
    let shop = Shop::new(&recipe);
    let ran = shop.run(&["build", "--cache-policy", "require-read"]).ends(3);
    ran.mentions("error: task `zlib`: cache fetch of `shop-zlib-").mentions("the cache is down");
    shop.run(&["build"]).ends(0).mentions("; the cache failed 2 times\n");
}

#[test]
fn a_default_cache_that_cannot_be_used_ends_a_build_only_if_it_matters() {
    let shop = Shop::new(SHOP);
    shop.write("cache", "in the way");
    shop.run(&["build", "--cache-policy", "require-read"])
        .ends(3)
        .mentions("error: cache opening of `local` failed: could not create `[shop]/cache");
    shop.run(&["build"]).ends(0).mentions("warning: going on without a cache: ");
}

#[test]
fn an_install_directory_that_cannot_be_made_is_named() {
    let shop = Shop::new(SHOP);
    shop.write("file", "");
    let ran = shop.run(&["build", "--install-dir", "file/out"]).ends(1);
    assert!(ran.err.contains("`[shop]/file/out`"), "{}", ran.err);
}

#[test]
fn a_work_directory_of_someone_else_is_refused() {
    let shop = Shop::new(SHOP);
    shop.write("home/thesis.tex", "");
    let expected = "\
error: `[shop]/home` is not a cortado work directory
hint: choose another directory, or an empty one
";
    shop.run(&["build", "--work-dir", "home"]).ends(2).says(expected);
}

#[test]
fn offline_a_source_has_to_be_there() {
    let sha256 = "0".repeat(64);
    let shop = Shop::new(&format!(
        r#"local shop = project "shop" {{ install_dir = "out" }}
           shop:task "zlib" {{ version = "1", source = {{ url = "http://127.0.0.1:9/zlib.tar.gz", sha256 = "{sha256}" }} }}"#
    ));
    let ran = shop.run(&["build", "--offline", "-q"]).ends(1);
    let expected = "\
error: task `zlib`: `http://127.0.0.1:9/zlib.tar.gz` is not in the source cache, and the network is forbidden
hint: allow the network, or put the file into a directory given with `--sources`
";
    assert!(ran.err.ends_with(expected), "{}", ran.err);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_trouble() {
    let shop = Shop::new(SHOP);
    for args in [["list"].as_slice(), &["plan", "--json"], &["manifest"], &["completions", "bash"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = shop.command(args).stdout(writer).output().unwrap();
        shop.ran(output.status, &output.stdout, &output.stderr).ends(0).says("");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = shop.command(&["build", "--json"]).stdout(writer).output().unwrap();
    shop.ran(output.status, &output.stdout, &output.stderr).ends(0);
    assert_eq!(shop.read("out/app"), "zlib\n");
}
