//! Building, again, after a change, and from the cache.

use std::fs;

use super::{SHOP, Shop, names};

const ZLIB: [&str; 5] = [
    "zlib> looking in the cache",
    "zlib> not in the cache",
    "zlib> [1/1] echo zlib > @{stage_install_dir}/zlib",
    "zlib> built (T)",
    "zlib> cached, SIZE",
];

const APP: [&str; 5] = [
    "app> looking in the cache",
    "app> not in the cache",
    "app> [1/1] cat @{install_dir}/zlib > @{stage_install_dir}/app",
    "app> built (T)",
    "app> cached, SIZE",
];

/// The lines of a text that begin so: the lines of several tasks are told as they come.
fn of<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

/// A text with `SIZE` for the size of an artifact.
fn sizeless(text: &str) -> String {
    let line = |line: &str| match line.split_once("cached, ") {
        Some((before, _)) => format!("{before}cached, SIZE\n"),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn a_build_says_what_it_does_and_a_repeat_run_that_there_is_nothing_to_do() {
    let shop = Shop::new(SHOP);
    let first = shop.run(&["build"]).ends(0).reports("");
    let said = sizeless(&super::timeless(&first.err));
    assert_eq!((of(&said, "zlib>"), of(&said, "app>")), (ZLIB.to_vec(), APP.to_vec()));
    assert!(said.find(ZLIB[3]) < said.find(APP[2]), "{said}");
    assert!(said.ends_with("  built  2  zlib (T), app (T)\nshop: finished after T\n"), "{said}");
    assert_eq!(shop.read("out/app"), "zlib\n");
    shop.run(&["build"]).ends(0).reports("").says("shop: nothing to do, all 2 tasks are up to date (T)\n");
}

#[test]
fn a_change_builds_what_it_touches_and_nothing_else() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    shop.replace("version = \"2\"", "version = \"3\"");
    let again = shop.run(&["build"]).ends(0);
    let end = super::timeless(&again.err);
    assert!(end.contains("  built      1  app (T)\n  unchanged  1  zlib\nshop: finished after T"), "{end}");
}

#[test]
fn another_work_directory_restores_from_the_default_cache() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    fs::remove_dir_all(shop.path("out")).unwrap();
    let said = super::timeless(&shop.run(&["build", "--work-dir", "elsewhere"]).ends(0).err);
    for task in ["zlib", "app"] {
        let lines = of(&said, &format!("{task}>"));
        assert_eq!(
            (lines[0], lines[2]),
            (&*format!("{task}> looking in the cache"), &*format!("{task}> restored (T)"))
        );
        assert!(lines[1].starts_with(&format!("{task}> found in `local`, ")), "{lines:?}");
    }
    let end = "zlib> restored (T)\napp> restored (T)\n  restored  2  zlib, app\nshop: finished after T, T saved\n";
    let tail: Vec<_> = said.lines().filter(|line| !line.contains("found in")).collect();
    assert!(format!("{}\n", tail.join("\n")).ends_with(end), "{said}");
    assert_eq!(shop.read("out/app"), "zlib\n");
    assert_eq!(names(&shop.path("cache")), ["cortado"]);
}

#[test]
fn a_removed_file_comes_back_from_the_tree() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    fs::remove_file(shop.path("out/app")).unwrap();
    let again = shop.run(&["build"]).ends(0).mentions("app> installed");
    // The time of the builds that did not have to be done again.
    assert!(again.err.contains(" saved\n"), "{}", again.err);
    assert_eq!(shop.read("out/app"), "zlib\n");
}

#[test]
fn the_level_of_compression_is_an_option_and_part_of_no_key() {
    let shop = Shop::new(&SHOP.replace("echo zlib >", "seq 100000 >"));
    let stored = |dir: &str, level: &str| -> u64 {
        let args = ["build", "--recache", "--cache-dir", dir];
        shop.run_with(&args, &[("CORTADO_COMPRESSION_LEVEL", level)]).ends(0);
        fs::read_dir(shop.path(dir).join("objects"))
            .unwrap()
            .flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap())
            .map(|object| object.unwrap().metadata().unwrap().len())
            .sum()
    };
    let (fast, small) = (stored("fast", "1"), stored("small", "12"));
    assert!(small < fast, "{small} < {fast}");
    fs::remove_dir_all(shop.path("out")).unwrap();
    let args = ["build", "--cache-dir", "small", "--compression-level", "1", "--work-dir", "elsewhere"];
    shop.run(&args).ends(0).mentions("  restored  2  zlib, app");
    for wrong in ["0", "13", "fast"] {
        shop.run(&["build", "--compression-level", wrong]).ends(2).mentions("--compression-level");
    }
}

#[test]
fn a_filter_builds_a_task_and_what_it_needs() {
    let shop = Shop::new(SHOP);
    shop.run(&["build", "zlib"]).ends(0).mentions("  built  1  zlib");
    assert!(!shop.path("out/app").exists());
}

#[test]
fn without_a_cache_nothing_is_kept_outside_of_the_work_directory() {
    let shop = Shop::new(SHOP);
    let built = shop.run(&["build", "--no-cache"]).ends(0);
    assert!(!built.err.contains("cache"), "{}", built.err);
    assert!(!shop.path("cache").exists());
}

#[test]
fn a_recache_builds_everything_anew() {
    let shop = Shop::new(SHOP);
    shop.run(&["build"]).ends(0);
    shop.run(&["build", "--recache"]).ends(0).mentions("  built  2  zlib");
}

#[test]
fn directories_of_the_command_line_are_relative_to_the_current_one() {
    let shop = Shop::new(SHOP);
    fs::create_dir(shop.path("sub")).unwrap();
    let mut command = shop.command(&["--file", "../cortado.lua", "build"]);
    let command = command.args(["--install-dir", "here", "--work-dir", "work", "--cache-dir", "store"]);
    let output = command.current_dir(shop.path("sub")).env_remove("XDG_CACHE_HOME").output().unwrap();
    shop.ran(output.status, &output.stdout, &output.stderr).ends(0);
    assert_eq!(names(&shop.path("sub")), ["here", "store", "work"]);
    assert_eq!(shop.read("sub/here/app"), "zlib\n");
}

#[test]
fn options_come_from_the_environment_where_they_are_not_given() {
    let shop = Shop::new(SHOP);
    shop.run_with(&["build"], &[("CORTADO_INSTALL_DIR", "there"), ("CORTADO_CACHE_MODE", "off")]).ends(0);
    assert_eq!(shop.read("there/app"), "zlib\n");
    assert!(!shop.path("cache").exists());
}

#[test]
fn the_recipes_own_cache_comes_before_the_default_one() {
    let recipe = SHOP.to_owned()
        + r#"shop:cache { fetch = function() return false end, update = function(artifact) return artifact:copy_to("kept") end }"#;
    let shop = Shop::new(&recipe);
    shop.run(&["build"]).ends(0);
    assert!(!shop.path("cache/cortado/artifacts").exists());
}

#[test]
fn without_a_home_the_build_goes_on_without_a_cache_and_says_so() {
    let shop = Shop::new(SHOP);
    let output = shop.command(&["build"]).env_remove("XDG_CACHE_HOME").output().unwrap();
    let ran = shop.ran(output.status, &output.stdout, &output.stderr).ends(0);
    let warning =
        "warning: going on without a cache: cache directory: neither XDG_CACHE_HOME nor HOME says where it is\n";
    assert!(ran.err.starts_with(warning), "{}", ran.err);
}

#[test]
fn a_work_directory_named_by_way_of_a_symlink_is_no_source() {
    let recipe = r#"
local shop = project "shop" { install_dir = "out" }
shop:task "all" { version = "1", source = { path = "." }, build = function(t)
  t:command "ls -A > @{stage_install_dir}/seen"
end }
"#;
    let shop = Shop::new("");
    shop.write("real/cortado.lua", recipe);
    std::os::unix::fs::symlink("real", shop.path("alias")).unwrap();
    let below = |name: &str| shop.path("alias").join(name).to_str().unwrap().to_owned();
    let build = || {
        shop.run(&["build", "-f", &below("cortado.lua"), "--work-dir", &below("work"), "--install-dir", &below("out")])
    };
    build().ends(0);
    assert_eq!(shop.read("real/out/seen"), "cortado.lua\n");
    assert!(build().ends(0).err.contains("nothing to do"));
}

#[test]
fn directories_of_the_command_line_may_lie_above() {
    let shop = Shop::new(SHOP);
    std::fs::create_dir_all(shop.path("far/away")).unwrap();
    std::os::unix::fs::symlink("far/away", shop.path("here")).unwrap();
    let build =
        || shop.run(&["build", "--work-dir", "here/../made", "--install-dir", "far/away/../../product"]).ends(0);
    build();
    assert_eq!((shop.read("product/zlib").as_str(), shop.path("far/made/state").exists()), ("zlib\n", true));
    assert!(build().err.contains("nothing to do"));
}

/// A program of its own, since whoever else starts processes in this one could have a copy of what is being written.
#[test]
fn a_script_that_was_just_written_can_be_run_however_much_else_is_started() {
    let shop = Shop::new(
        r##"
local shop = project "shop" { install_dir = "out", cache = false }
for i = 1, 120 do
  shop:task("t" .. i) {
    version = "1",
    build = function(t)
      for step = 1, 3 do
        t:template({ text = "#!/bin/sh\n" }, "run" .. step, { mode = "755" })
        t:command("./run" .. step)
      end
    end,
  }
end
"##,
    );
    shop.run(&["build", "--jobs", "8"]).ends(0).mentions("  built  120  ");
}
