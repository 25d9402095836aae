//! Mistakes: each is told with file, line, what is wrong and how to mend it.

use super::Dir;

/// What the author of a task with this table is told.
fn task(table: &str) -> String {
    Dir::with(&format!(
        "local shop = project \"shop\" {{ install_dir = \"/opt/shop\" }}\nshop:task \"zlib\" {{\n{table}\n}}"
    ))
    .told()
}

/// What the author of a build function with this body is told.
fn build(body: &str) -> String {
    task(&format!("version = \"1\", build = function(t)\n{body}\nend"))
}

fn told(recipe: &str) -> String {
    Dir::with(recipe).told()
}

#[test]
fn an_unknown_key_comes_with_its_line_and_the_nearest_key() {
    assert_eq!(
        task("version = \"1\",\n\nlicence = \"Zlib\","),
        "cortado.lua:5: task `zlib`: unknown key `licence`\ndid you mean `license`?"
    );
    assert_eq!(
        task("version = \"1\",\nsource = {\n  url = \"https://example.org/z.tgz\",\n  sha265 = \"9a93\",\n}"),
        "cortado.lua:6: task `zlib`: unknown key `source.sha265`\ndid you mean `sha256`?"
    );
    assert_eq!(
        build("t:command(\"make\", {\n  dri = \"src\" })"),
        "cortado.lua:5: unknown key `dri`\ndid you mean `dir`?"
    );
    assert_eq!(
        told("local shop = project \"shop\"\nshop:cache {\n  fetch = print, updtae = print }"),
        "cortado.lua:3: cache: unknown key `updtae`\ndid you mean `update`?"
    );
    assert_eq!(
        build("t:mkdir(\"x\", { colour = 1 })"),
        "cortado.lua:4: unknown key `colour`\nknown keys: parents, mode"
    );
}

#[test]
fn a_wrong_type_says_what_was_expected() {
    assert_eq!(
        task("version = 1.10"),
        "cortado.lua:3: task `zlib`: `version` must be a string, found a number\nput it in quotes"
    );
    assert_eq!(
        task("version = \"1\",\ndepends_on = \"xz\""),
        "cortado.lua:4: task `zlib`: `depends_on` must be a list of strings, found a string\nput it in braces: { \"…\" }"
    );
    assert_eq!(
        task("version = \"1\",\nlicense_files = { \"COPYING\", 5 }"),
        "cortado.lua:4: task `zlib`: `license_files` must be a list of strings, found a number in it"
    );
    assert_eq!(
        task("version = \"1\",\ncache = \"no\""),
        "cortado.lua:4: task `zlib`: `cache` must be true or false, found a string"
    );
    assert_eq!(
        task("version = \"1\",\ntime_limit = -1"),
        "cortado.lua:4: task `zlib`: `time_limit` must be a number of seconds, zero or more"
    );
    assert_eq!(
        task("version = \"1\",\nenv = {\n  JOBS = 4 }"),
        "cortado.lua:5: task `zlib`: `env.JOBS` must be a string, found a number\nput it in quotes"
    );
    assert_eq!(
        told("project \"shop\" {\n  link_mode = \"hardlik\" }"),
        "cortado.lua:2: project: `link_mode` must be one of `auto`, `reflink`, `hardlink`, `copy`, found `hardlik`\n\
         did you mean `hardlink`?"
    );
    assert_eq!(
        task("version = \"1\",\nsource = { path = \"a\",\n  url = 5 }"),
        "cortado.lua:5: task `zlib`: `source.url` must be a string, found a number\nput it in quotes"
    );
}

#[test]
fn steps_say_which_value_is_wrong() {
    assert_eq!(
        build("t:command(nil)"),
        "cortado.lua:4: value 1 of `command`, the command, must be a string, found nothing"
    );
    assert_eq!(build("t:copy(\"a\")"), "cortado.lua:4: value 2 of `copy`, where to, must be a string, found nothing");
    assert_eq!(build("t:emit(\"a\", \"b\")"), "cortado.lua:4: `emit` has more values than it takes, 1");
    assert_eq!(
        build("t:mkdir(\"a\", { mode = 755 })"),
        "cortado.lua:4: `mode` must be a string, found a number\nwrite octal digits in quotes: \"755\""
    );
    assert_eq!(build("t:comand \"make\""), "cortado.lua:4: a task has no `comand`\ndid you mean `command`?");
    assert_eq!(
        build("t.command \"make\""),
        "cortado.lua:4: `command` is not called on its object\nwrite `:command`, with a colon"
    );
    assert_eq!(build("t:template({ txt = \"\" }, \"x\")"), "cortado.lua:4: unknown key `txt`\ndid you mean `text`?");
}

#[test]
fn a_nil_in_a_list_does_not_end_it_silently() {
    assert_eq!(
        task("version = \"1\",\ndepends_on = { \"xz\", rawget(_G, \"x\"), \"zstd\" }"),
        "cortado.lua:4: task `zlib`: `depends_on` is not a plain list\n\
         it has keys other than 1, 2, 3 …, or a nil in it"
    );
}

#[test]
fn what_is_missing_is_told_at_the_task() {
    assert_eq!(
        task("license = \"Zlib\""),
        "cortado.lua:2: task `zlib`: has no version\ngive it one, or make it virtual"
    );
    assert_eq!(
        task("version = \"1\", source = { url = \"https://example.org/z.tgz\" }"),
        "cortado.lua:2: task `zlib`, source: `https://example.org/z.tgz` has no checksum\n\
         add `sha256`; `sha256sum` of the downloaded file prints it"
    );
    assert_eq!(
        task("version = \"1\",\nsource = { sha256 = \"ab\" }"),
        "cortado.lua:4: task `zlib`: `source` does not say where from\ngive it `url`, `path` or `git`"
    );
    assert_eq!(
        told("local shop = project \"shop\"\nshop:task \"zlib\"\nprint \"end\""),
        "cortado.lua:2: task `zlib` has no table\nwrite `{ … }` behind its name"
    );
    assert_eq!(
        told("project \"shop\""),
        "cortado.lua:1: project `shop`, install_dir: is not set\ngive an absolute path"
    );
}

#[test]
fn syntax_errors_and_failures_keep_luas_words_and_their_line() {
    assert_eq!(told("project \"shop\" {\n  version = }"), "cortado.lua:2: unexpected symbol near '}'");
    assert_eq!(
        build("local options = nil\nt:command(options.make)"),
        "cortado.lua:5: attempt to index a nil value (local 'options')"
    );
    assert_eq!(build("\nerror(\"no beans\")"), "cortado.lua:5: no beans");
    assert_eq!(build("\nerror(\"no beans\", 0)"), "cortado.lua:5: no beans");
}

#[test]
fn an_unknown_name_is_a_mistake_where_it_is_used() {
    assert_eq!(told("porject \"shop\" {}"), "cortado.lua:1: unknown name `porject`\ndid you mean `project`?");
    assert_eq!(
        told("project \"shop\"\nprint(platform.distribution.nam)"),
        "cortado.lua:2: this part of `platform` has no `nam`\ndid you mean `name`?"
    );
    assert_eq!(told("\n\nstring.fnd(\"a\", \"b\")"), "cortado.lua:3: `string` has no `fnd`\ndid you mean `find`?");
}

#[test]
fn a_mistake_in_a_module_is_told_there() {
    let dir = Dir::with("local helpers = require \"lib.helpers\"\nhelpers.declare(project \"shop\")").file(
        "lib/helpers.lua",
        "return {\n  declare = function(shop)\n    shop:task \"zlib\" {\n      versoin = \"1\",\n    }\n  end,\n}",
    );
    assert_eq!(dir.told(), "lib/helpers.lua:4: task `zlib`: unknown key `versoin`\ndid you mean `version`?");
    let dir = Dir::with("require \"broken\"").file("broken.lua", "\nlocal function(");
    assert_eq!(dir.told(), "broken.lua:2: <name> expected near '('");
    let dir = Dir::with("require \"a\"").file("a.lua", "\nrequire \"b\"").file("b.lua", "\n\nrequire \"a\"");
    assert_eq!(dir.told(), "b.lua:3: module `a` requires itself");
}

#[test]
fn the_first_of_several_mistakes_is_always_the_same() {
    let table = "version = 1, license = 2, cache = 3, env = 4, sequences = 5, overrides = 6, probes = 7";
    let unknown = "alpha = 1, beta = 2, gamma = 3, delta = 4, epsilon = 5, zeta = 6, eta = 7";
    for table in [table, unknown] {
        let first = task(table);
        assert!((0..20).all(|_| task(table) == first));
    }
}

#[test]
fn a_recipe_declares_one_project_and_each_task_once() {
    assert_eq!(
        told("project \"a\"\nproject \"b\""),
        "cortado.lua:2: a recipe declares one project\nthe first is on line 1"
    );
    let twice = told("local shop = project \"a\"\nshop:task \"z\" {}\nshop:task \"z\" {}");
    assert!(twice.starts_with("cortado.lua:3: two tasks are named `z`\nthe first is at "), "{twice}");
    assert!(twice.ends_with("cortado.lua:2"), "{twice}");
}

#[test]
fn what_is_handed_to_a_function_ends_with_it() {
    let recipe = "local kept\nlocal shop = project \"shop\"\n\
                  shop:task \"a\" { version = \"1\", build = function(t) kept = t end }\nkept:command \"make\"";
    assert_eq!(
        told(recipe),
        "cortado.lua:4: an object is used after its time\nwhat a function is handed, such as `t`, ends with the function"
    );
}

#[test]
fn errors_of_planning_are_placed_too() {
    let dir = Dir::with(
        "local shop = project \"shop\" { install_dir = \"/opt/shop\" }\n\
         shop:task \"zlib\" { version = \"1\" }\n\
         shop:task \"app\" { version = \"1\", depends_on = { \"zlb\" } }",
    );
    let recipe = dir.load().unwrap();
    let project = recipe.project().build().unwrap();
    let error = recipe.locate(cortado::Graph::new(&project).unwrap_err());
    assert!(error.to_string().ends_with("cortado.lua:3: task `app` names the unknown dependency `zlb`"), "{error}");
    assert_eq!(error.hint().as_deref(), Some("did you mean `zlib`?"));
}
