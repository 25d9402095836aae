//! A build with nothing to do does without the recipe, and whatever changes is noticed all the same.

use std::fs::{self, File, FileTimes};
use std::path::Path;
use std::process::Command;

use super::{Ran, Shop, names};
use crate::support::copy_program;

/// A recipe that depends on everything that a recipe can depend on.
const SHOP: &str = r#"
local flags = require "lib.flags"
local motd = read_file "etc/motd"
print("hello")
local shop = project "shop" { install_dir = "out", version = "1.0", license = "MIT" }
shop:task "zlib" {
  version = "1.3",
  source = { path = "zlib" },
  inputs = { "tools" },
  probes = { "cat probed" },
  build = function(t) t:command("echo " .. flags .. motd .. " > @{stage_install_dir}/zlib") end,
}
shop:task "app" {
  version = "2",
  depends_on = { "zlib" },
  build = function(t)
    t:command "cat @{install_dir}/zlib @{recipe_dir}/conf > @{stage_install_dir}/app"
    t:command "mkdir @{stage_install_dir}/share && echo x > @{stage_install_dir}/share/x"
  end,
}
"#;

/// Said by a build that looks for a cache, as only one does that reads the recipe.
const READS: &str = "going on without a cache";

impl Shop {
    fn with_files() -> Self {
        let shop = Shop::new(SHOP);
        shop.write("lib/flags.lua", "return '-O2'");
        for file in ["etc/motd", "zlib/zlib.c", "tools/cc", "conf", "probed", "no-cache"] {
            shop.write(file, "text");
        }
        shop.run(&["build"]).ends(0);
        shop
    }

    /// The one memory.
    #[track_caller]
    fn kept(&self) -> std::path::PathBuf {
        let [kept] = names(&self.path(".cortado/standing")).try_into().unwrap();
        self.path(".cortado/standing").join::<String>(kept)
    }

    /// A build with a cache that cannot be used: whether it looks at that tells whether it reads the recipe.
    #[track_caller]
    fn again(&self, more: &[&str]) -> Ran {
        let file = self.path("no-cache").display().to_string();
        self.run(&[&["build", "--cache-dir", &file], more].concat()).ends(0)
    }

    #[track_caller]
    fn rests(&self) {
        let ran = self.again(&[]);
        assert!(!ran.err.contains(READS), "{}", ran.err);
        assert!(ran.err.contains("shop: nothing to do, all 2 tasks are up to date"), "{}", ran.err);
    }

    #[track_caller]
    fn reads(&self) -> Ran {
        self.again(&[]).mentions(READS)
    }

    /// Checks that a change is noticed, and that all is well again after it.
    #[track_caller]
    fn notices(change: impl FnOnce(&Shop)) -> Ran {
        let shop = Shop::with_files();
        shop.rests();
        change(&shop);
        let ran = shop.reads();
        shop.rests();
        ran
    }
}

#[track_caller]
fn rebuilds(change: impl FnOnce(&Shop)) {
    let ran = Shop::notices(change);
    assert!(ran.err.contains("  built "), "{}", ran.err);
}

/// Changes a file without a change of its size, its time of modification, or its inode.
fn forge(path: &Path, content: &str) {
    let time = path.metadata().unwrap().modified().unwrap();
    assert_eq!(path.metadata().unwrap().len(), content.len() as u64);
    fs::write(path, content).unwrap();
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn a_build_with_nothing_to_do_does_without_the_recipe() {
    let shop = Shop::with_files();
    shop.rests();
    let bytes = fs::read(shop.kept()).unwrap();
    fs::remove_file(shop.kept()).unwrap();
    shop.reads();
    shop.rests();
    assert_eq!(fs::read(shop.kept()).unwrap(), bytes);
}

#[test]
fn a_work_directory_that_the_recipe_chose_is_found_without_reading_it() {
    let shop = Shop::with_files();
    shop.replace("install_dir = \"out\",", "install_dir = \"out\", work_dir = 'elsewhere',");
    shop.reads();
    shop.rests();
    assert_eq!(names(&shop.path("elsewhere/standing")).len(), 1);
}

#[test]
fn a_clean_takes_the_memory_away() {
    let shop = Shop::with_files();
    shop.run(&["clean", "--all"]).ends(0);
    assert!(!shop.path(".cortado/standing").exists());
    shop.reads();
}

#[test]
fn both_ways_tell_the_same() {
    let shop = Shop::with_files();
    for options in [&["--json"][..], &["--verbose"], &["--quiet"], &[]] {
        let rested = shop.run(&[&["build"], options].concat()).ends(0);
        fs::remove_file(shop.kept()).unwrap();
        let read = shop.run(&[&["build"], options].concat()).ends(0);
        // The numbers of JSON have no unit.
        let timeless = |text: &str| -> String { super::timeless(text).split(|c: char| c.is_ascii_digit()).collect() };
        assert_eq!(timeless(&rested.out), timeless(&read.out));
        assert_eq!(timeless(&rested.err), timeless(&read.err));
        assert!(read.err.contains("cortado.lua:4: hello"), "{}", read.err);
    }
}

#[test]
fn an_edited_recipe_is_noticed_whatever_its_times_say() {
    rebuilds(|shop| shop.replace("version = \"2\"", "version = \"3\""));
    rebuilds(|shop| forge(&shop.path("cortado.lua"), &SHOP.replace("version = \"2\"", "version = \"3\"")));
    Shop::notices(|shop| shop.write("cortado.lua", &format!("{SHOP}\n")));
}

#[test]
fn an_edited_module_and_an_edited_file_are_noticed() {
    rebuilds(|shop| shop.write("lib/flags.lua", "return '-O3'"));
    rebuilds(|shop| forge(&shop.path("lib/flags.lua"), "return '-O3'"));
    rebuilds(|shop| forge(&shop.path("etc/motd"), "TEXT"));
}

#[test]
fn changed_inputs_are_noticed() {
    rebuilds(|shop| forge(&shop.path("zlib/zlib.c"), "TEXT"));
    rebuilds(|shop| forge(&shop.path("tools/cc"), "TEXT"));
    rebuilds(|shop| forge(&shop.path("conf"), "TEXT"));
    rebuilds(|shop| forge(&shop.path("probed"), "TEXT"));
}

#[test]
fn files_that_appear_and_disappear_are_noticed() {
    rebuilds(|shop| shop.write("zlib/sub/new.c", "text"));
    rebuilds(|shop| shop.write("tools/new", "text"));
    rebuilds(|shop| shop.write("conf.d/new", "text"));
    rebuilds(|shop| fs::remove_file(shop.path("zlib/zlib.c")).unwrap());
}

#[test]
fn a_recipe_that_looked_for_something_in_vain_is_read_each_time() {
    let recipe = "if pcall(require, 'site') then print('site') end\n".to_owned() + SHOP;
    let shop = Shop::with_files();
    shop.write("cortado.lua", &recipe);
    shop.reads();
    shop.reads();
    shop.write("site.lua", "");
    shop.reads().mentions("site\n");
    shop.rests();
}

#[test]
fn other_options_are_another_memory() {
    let shop = Shop::with_files();
    shop.again(&["--install-dir", "elsewhere"]).mentions(READS);
    assert_eq!(shop.read("elsewhere/zlib"), shop.read("out/zlib"));
    shop.again(&["--work-dir", "work"]).mentions(READS);
    shop.again(&["zlib"]).mentions(READS);
    shop.again(&["--recache"]).mentions(READS).mentions("  built ");
}

#[test]
fn a_cache_that_has_to_be_there_is_looked_at() {
    let shop = Shop::with_files();
    let file = shop.path("no-cache").display().to_string();
    shop.run(&["build", "--cache-dir", &file, "--cache-policy", "require-read"]).ends(3);
}

#[test]
fn another_program_does_not_trust_what_this_one_kept() {
    let shop = Shop::with_files();
    shop.rests();
    copy_program(Path::new(env!("CARGO_BIN_EXE_cortado")), &shop.path("cortado"));
    let mut other = Command::new(shop.path("cortado"));
    other.args(["build", "--cache-dir"]).arg(shop.path("no-cache")).current_dir(shop.root()).env_clear();
    other.env("PATH", std::env::var_os("PATH").unwrap()).env("XDG_CACHE_HOME", shop.path("cache"));
    let output = other.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains(READS), "{output:?}");
}

#[test]
fn installed_files_that_were_changed_or_removed_are_noticed_and_put_back() {
    let changes: [fn(&Shop); 5] = [
        |shop| fs::remove_file(shop.path("out/app")).unwrap(),
        |shop| fs::remove_dir_all(shop.path("out/share")).unwrap(),
        |shop| fs::write(shop.path("out/zlib"), "changed").unwrap(),
        |shop| {
            fs::remove_file(shop.path("out/app")).unwrap();
            fs::create_dir(shop.path("out/app")).unwrap();
            fs::write(shop.path("out/app/x"), "").unwrap();
            fs::remove_dir_all(shop.path("out/app")).unwrap();
        },
        |shop| {
            fs::remove_file(shop.path("out/zlib")).unwrap();
            fs::write(shop.path("out/zlib"), "x").unwrap();
            fs::remove_dir_all(shop.path("out")).unwrap();
        },
    ];
    for change in changes {
        let shop = Shop::with_files();
        let app = shop.read("out/app");
        change(&shop);
        shop.reads();
        assert_eq!(shop.read("out/app"), app);
        assert_eq!(shop.read("out/zlib").len() + "text".len(), app.len());
        shop.rests();
    }
}

#[test]
fn the_license_summary_is_written_again() {
    Shop::notices(|shop| fs::remove_file(shop.path("out/LICENSE")).unwrap());
    Shop::notices(|shop| fs::write(shop.path("out/LICENSE"), "mine").unwrap());
}

#[test]
fn a_state_that_was_damaged_or_lost_is_not_rested_on() {
    let ran = Shop::notices(|shop| {
        let bytes = fs::read(shop.path(".cortado/state")).unwrap();
        fs::write(shop.path(".cortado/state"), &bytes[..bytes.len() - 1]).unwrap();
    });
    assert!(ran.err.contains("was damaged: what was installed last may be unknown"), "{}", ran.err);
    Shop::notices(|shop| fs::remove_file(shop.path(".cortado/state")).unwrap());
}

#[test]
fn a_memory_that_was_damaged_is_not_trusted() {
    let changes: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.clear(),
        |bytes| bytes.push(0),
        |bytes| bytes[40] ^= 1,
        |bytes| bytes[17] = b'2',
    ];
    for change in changes {
        Shop::notices(|shop| {
            let mut bytes = fs::read(shop.kept()).unwrap();
            change(&mut bytes);
            fs::write(shop.kept(), bytes).unwrap();
        });
    }
}

#[test]
fn a_task_that_leaves_the_recipe_takes_its_files_with_it_in_the_next_build() {
    let shop = Shop::with_files();
    shop.rests();
    let recipe = shop.read("cortado.lua");
    let (without_app, _) = recipe.split_once("shop:task \"app\"").unwrap();
    shop.write("cortado.lua", without_app);
    shop.reads();
    assert!(!shop.path("out/app").exists());
    shop.write("cortado.lua", &recipe);
    shop.reads();
    assert!(shop.path("out/app").exists());
    shop.rests();
}

#[test]
fn a_license_summary_is_put_back_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::with_files();
    let whole = shop.path("out/LICENSE").metadata().unwrap();
    fs::set_permissions(shop.path("out/LICENSE"), fs::Permissions::from_mode(0o600)).unwrap();
    shop.run(&["build"]).ends(0);
    let file = File::options().write(true).open(shop.path("out/LICENSE")).unwrap();
    assert_eq!(file.metadata().unwrap().permissions(), whole.permissions());
    file.set_modified(std::time::SystemTime::now()).unwrap();
    shop.run(&["build"]).ends(0);
    assert_eq!(shop.path("out/LICENSE").metadata().unwrap().modified().unwrap(), whole.modified().unwrap());
    assert!(shop.run(&["build"]).ends(0).err.contains("nothing to do"));
}
