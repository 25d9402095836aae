//! Whatever Lua can say, Rust can say: a recipe and a program with the same words have the same keys.

use std::time::Duration;

use cortado::command::{Bin, Copy, Emit, Link, Mkdir, Patch, Shell, Sync, Template};
use cortado::{Block, Env, Format, Graph, Inputs, LinkMode, Plan, PlatformKey, Project, ProjectBuilder, Source, Task};

use super::Dir;

const RECIPE: &str = r##"
local shop = project "coffeeshop" {
  install_dir = "/opt/coffeeshop", work_dir = "/var/cache/coffeeshop", cache = true, cache_tag_prefix = "cs",
  platform = { is = "el8" }, salt = "1", source_date_epoch = 1700000000, env = { LC_ALL = "C" },
  pass_env = { "HTTP_PROXY" }, inherit_env = false, extra_files = { "/etc/shop/**" },
  license_file_path = "/opt/coffeeshop/LICENSE.txt", link_mode = "hardlink", callback_timeout = 30,
  version = "2.0", iteration = 3, git_revision = "abc", description = "Coffee", homepage = "https://example.org",
  maintainer = "Kai", license = "MIT", license_content = "Copyright",
}
shop:task "zlib" {
  version = "1.3.1",
  source = {
    url = "https://example.org/zlib.tgz", sha256 = ("ab"):rep(32), sha512 = ("cd"):rep(64), sha1 = ("ef"):rep(20),
    md5 = ("01"):rep(16), headers = { Accept = "*/*" }, strip = 2, format = "tar.gz", retries = 5, timeout = 60.5,
  },
  license = "Zlib", license_files = { "LICENSE", "README" }, depends_on = { "data", "repo" }, sequences = { "db" },
  env = with_embedded_path(with_destdir(with_standard_compiler_flags { CFLAGS = "-Os", TOKEN = secret "hush" })),
  pass_env = { "HOME" }, probes = { "cc --version" }, inputs = { "tools" }, cache = true, virtual = false,
  relative_path = "contrib", preserve_symlinks = false, overrides = { "data" }, time_limit = 3600,
  build = function(t)
    t:command("make", { env = { V = "1" }, dir = "src" })
    t:bin("tool", { "-a", "b c" }, { env = { X = "y" }, dir = "src" })
    t:copy("a", "b", { dir = "src" })
    t:sync("c", "d", { exclude = { "*.o" }, dir = "src", decide = function(source, target)
      return #source > #target
    end })
    t:link("target", "path", { dir = "src" })
    t:mkdir("e", { parents = false, mode = "750" })
    t:patch("fix.patch", { strip = 0, dir = "src" })
    t:patch { text = "--- a\n+++ b\n" }
    t:template("shop.j2", "shop.conf", { mode = "600", variables = { port = 80, menu = { "a", "b" }, deep = { x = 1.5 } } })
    t:template({ text = "{{ a }}" }, "out", { variables = { a = true } })
    t:block("roast", { level = 3 }, function(t, vars)
      t:emit("level " .. vars.level) -- dark
    end)
    t:emit "done"
    t:emit_error "careful"
  end,
}
shop:task "data" { version = "1", source = { path = "data", exclude = { "*.tmp" } } }
shop:task "repo" {
  version = "1", source = { git = "https://example.org/r.git", commit = ("ab"):rep(20), submodules = true },
}
shop:task "all" { virtual = true, cache = false, depends_on = { "zlib" } }
"##;

fn zlib() -> Task {
    let source = Source::url("https://example.org/zlib.tgz")
        .sha256("ab".repeat(32))
        .sha512("cd".repeat(64))
        .sha1("ef".repeat(20))
        .md5("01".repeat(16))
        .header("Accept", "*/*")
        .strip(2)
        .format(Format::TarGz)
        .retries(5)
        .timeout(Duration::from_millis(60_500));
    let env = Env::new().set("CFLAGS", "-Os").secret("TOKEN", "hush");
    let task = Task::new("zlib")
        .version("1.3.1")
        .source(source)
        .license("Zlib")
        .license_file("LICENSE")
        .license_file("README");
    let task = task.depends_on("data").depends_on("repo").sequence("db").pass_env("HOME").probe("cc --version");
    let task = task.env(env.with_standard_compiler_flags().with_destdir().with_embedded_path());
    let task = task.input("tools").cache(true).virtual_task(false).relative_path("contrib").preserve_symlinks(false);
    steps(task.overrides("data").time_limit(Duration::from_secs(3600)))
}

fn steps(task: Task) -> Task {
    let decide = "function(source, target)\n      return #source > #target\n    end";
    let block = "function(t, vars)\n      t:emit(\"level \" .. vars.level) -- dark\n    end\n-- vars: {\"level\":3}";
    task.step(Shell::new("make").env([("V", "1")]).dir("src"))
        .step(Bin::new("tool").args(["-a", "b c"]).env([("X", "y")]).dir("src"))
        .step(Copy::new("a", "b").dir("src"))
        .step(Sync::new("c", "d").exclude("*.o").dir("src").decide(decide, |_, _| Ok(true)))
        .step(Link::new("target", "path").dir("src"))
        .step(Mkdir::new("e").parents(false).mode(0o750))
        .step(Patch::file("fix.patch").strip(0).dir("src"))
        .step(Patch::text("--- a\n+++ b\n"))
        .step(
            Template::file("shop.j2", "shop.conf")
                .mode(0o600)
                .variable("port", 80)
                .variable("menu", vec!["a", "b"])
                .variable("deep", serde_json::json!({ "x": 1.5 })),
        )
        .step(Template::text("{{ a }}", "out").variable("a", true))
        .step(Block::new(block, |_| Ok(())).named("roast"))
        .step(Emit::new("done"))
        .step(Emit::error("careful"))
}

fn program(recipe_dir: &std::path::Path) -> ProjectBuilder {
    let git = Source::git("https://example.org/r.git").commit("ab".repeat(20)).submodules(true);
    Project::new("coffeeshop")
        .install_dir("/opt/coffeeshop")
        .work_dir("/var/cache/coffeeshop")
        .recipe_dir(recipe_dir)
        .cache(true)
        .cache_tag_prefix("cs")
        .platform(PlatformKey::Is("el8".into()))
        .salt("1")
        .source_date_epoch(1_700_000_000)
        .env([("LC_ALL", "C")])
        .pass_env("HTTP_PROXY")
        .inherit_env(false)
        .extra_file("/etc/shop/**")
        .license_file_path("/opt/coffeeshop/LICENSE.txt")
        .link_mode(LinkMode::Hardlink)
        .callback_timeout(Some(Duration::from_secs(30)))
        .version("2.0")
        .iteration(3)
        .git_revision("abc")
        .description("Coffee")
        .homepage("https://example.org")
        .maintainer("Kai")
        .license("MIT")
        .license_content("Copyright")
        .task(zlib())
        .task(Task::new("data").version("1").source(Source::local("data").exclude("*.tmp")))
        .task(Task::new("repo").version("1").source(git))
        .task(Task::new("all").virtual_task(true).cache(false).depends_on("zlib"))
}

fn tags(project: &Project) -> Vec<String> {
    let mut inputs = Inputs::new("some machine");
    let wanted = project.tasks().iter().flat_map(Task::all_inputs).chain(project.inputs());
    wanted.for_each(|input| inputs.insert(input.clone(), format!("{input:?}")));
    let graph = Graph::new(project).unwrap();
    let plan = Plan::new(&graph, &graph.select(&[] as &[&str]).unwrap(), inputs).unwrap();
    plan.tasks().iter().map(|task| task.tag().to_owned()).collect()
}

#[test]
fn a_recipe_and_a_program_say_the_same() {
    let dir = Dir::with(RECIPE);
    let read = dir.load().unwrap().project().build().unwrap();
    let built = program(&dir.path().canonicalize().unwrap()).build().unwrap();
    assert_eq!(tags(&read), tags(&built));
    assert_eq!(format!("{read:#?}"), format!("{built:#?}"), "what does not count is the same too");
}

/// The tag of a task with this build function.
fn tag(build: &str) -> String {
    let recipe = format!(
        "local shop = project 'shop' {{ install_dir = '/o' }}\nshop:task 'a' {{ version = '1', build = {build} }}"
    );
    tags(&Dir::with(&recipe).load().unwrap().project().build().unwrap()).remove(0)
}

#[test]
fn the_text_of_a_block_counts_and_nothing_around_it_does() {
    let tag_of = |block: &str| tag(&format!("function(t)\nt:block({block})\nend"));
    let plain = tag_of("function(t) t:emit 'end' end");
    assert_eq!(
        plain,
        tag("function(t)\n\n  -- a comment of the recipe\n  t:block(\n\nfunction(t) t:emit 'end' end )\nend")
    );
    assert_ne!(plain, tag_of("function(t) t:emit 'end' --[[ why ]] end"), "a comment counts");
    assert_ne!(plain, tag_of("function(t)  t:emit 'end' end"), "white space inside it counts");
    assert_ne!(plain, tag_of("function(t) t:emit 'end ' end"), "so does a string, whatever words are in it");
    assert_eq!(plain, tag_of("'named', function(t) t:emit 'end' end"), "a name is only for people");
    assert_ne!(plain, tag_of("{ a = 1 }, function(t) t:emit 'end' end"), "data counts");
    assert_ne!(
        tag_of("{ a = 1 }, function(t) t:emit 'end' end"),
        tag_of("{ a = 2 }, function(t) t:emit 'end' end"),
        "and so does its value"
    );
    let ordered = tag_of("{ a = 1, b = { x = 1, y = 2 } }, function(t) end");
    assert_eq!(ordered, tag_of("{ b = { y = 2, x = 1 }, a = 1 }, function(t) end"));
}

#[test]
fn a_function_of_a_module_is_a_block_like_any_other() {
    let recipe = "local steps = require 'steps'\nlocal shop = project 'shop' { install_dir = '/o' }\n\
                  shop:task 'a' { version = '1', build = function(t) t:block(steps.roast) end }";
    let module = "local steps = {}\nfunction steps.roast(t) t:emit 'hi' end\nreturn steps";
    let dir = Dir::with(recipe).file("steps.lua", module);
    let tags = tags(&dir.load().unwrap().project().build().unwrap());
    assert_eq!(tags[0], tag("function(t)\nt:block(function(t) t:emit 'hi' end)\nend"));
}

#[test]
fn code_that_would_not_count_is_refused() {
    let told = |around: &str, block: &str| {
        let recipe = format!(
            "local shop = project 'shop' {{ install_dir = '/o' }}\n{around}\nshop:task 'a' {{ version = '1', build = function(t)\nt:block({block})\nend }}"
        );
        Dir::with(&recipe).told()
    };
    let remedy = "hand it over: t:block({ name = value }, function(t, vars) … end)";
    assert_eq!(
        told("local suffix = '.so'", "function(t) t:emit(suffix) end"),
        format!("cortado.lua:4: this function uses the local `suffix` from around it\n{remedy}")
    );
    assert_eq!(
        told("local a, b = 1, 2", "function(t) return function() return print(b, a) end end"),
        format!("cortado.lua:4: this function uses the locals `b`, `a` from around it\n{remedy}")
    );
    assert_eq!(
        told("", "function(t) end) t:block(function(t, vars) end"),
        "cortado.lua:4: this function cannot be told from the others that begin and end on its lines\n\
         begin it on a line of its own"
    );
    assert_eq!(
        told("", "print"),
        "cortado.lua:4: must be a function written in the recipe\nwrap it in `function(t) … end`"
    );
    assert_eq!(
        told("", "{ f = print }, function(t) end"),
        "cortado.lua:4: `f` must be data (a string, number, boolean or table), found a function"
    );
}

#[test]
fn the_order_in_which_tasks_and_keys_are_written_does_not_count() {
    let tags_of = |tasks: &str| {
        let recipe = format!("local shop = project 'shop' {{ install_dir = '/o' }}\n{tasks}");
        let mut tags = tags(&Dir::with(&recipe).load().unwrap().project().build().unwrap());
        tags.sort();
        tags
    };
    assert_eq!(
        tags_of("shop:task 'a' { version = '1', env = { A = '1', B = '2' } } shop:task 'b' { version = '1' }"),
        tags_of("shop:task 'b' { version = '1' }\nshop:task('a', { env = { B = '2', A = '1' }, version = '1' })")
    );
}
