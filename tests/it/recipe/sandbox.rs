//! What a recipe cannot do: touch the world, differ from run to run, or hang.

use std::os::unix::fs::symlink;
use std::time::Duration;

use cortado::lua::RecipeOptions;

use super::Dir;

fn told(recipe: &str) -> String {
    Dir::with(recipe).told()
}

#[test]
fn there_is_no_way_to_run_code_or_programs() {
    for name in ["os", "io", "debug", "package", "load", "loadstring", "loadfile", "dofile", "collectgarbage"] {
        assert!(
            told(&format!("local x = {name}")).starts_with(&format!("cortado.lua:1: `{name}` is not available here"))
        );
    }
    assert!(told("string.dump(print)").starts_with("cortado.lua:1: `string` has no `dump`"));
    assert!(told("math.random()").starts_with("cortado.lua:1: `math` has no `random`"));
}

#[test]
fn bytecode_is_refused() {
    let dir = Dir::new().file("cortado.lua", "\u{1b}Lua");
    assert!(dir.load().is_err());
}

#[test]
fn files_are_read_below_the_recipe_only() {
    let dir = Dir::with("project \"a\" print(read_file \"sub/../inside\")").file("inside", "x");
    assert!(dir.told().contains("is not a path below the recipe's directory"));
    for path in ["/etc/passwd", "../x", "a/../../x"] {
        assert!(told(&format!("read_file {path:?}")).contains("is not a path below the recipe's directory"));
    }
    let dir = Dir::with("read_file \"link\"");
    symlink("/etc/passwd", dir.path().join("link")).unwrap();
    assert!(dir.told().starts_with("cortado.lua:1: `link` leads out of the recipe's directory\n"));
    let dir = Dir::with("require \"link.passwd\"");
    symlink("/etc", dir.path().join("link")).unwrap();
    std::fs::write(dir.path().join("link.lua"), "").unwrap();
    assert!(dir.told().starts_with("cortado.lua:1: "));
    for name in ["../x", "/etc/x", "a..b", "", "lib/x"] {
        assert!(told(&format!("require {name:?}")).contains("is not the name of a module"), "{name}");
    }
    assert!(told("read_file \".\"").contains("is not a file"));
}

#[test]
fn a_link_that_stays_inside_may_be_followed() {
    let dir = Dir::with("project \"a\" print(read_file \"link\")").file("real", "beans");
    symlink("real", dir.path().join("link")).unwrap();
    assert!(dir.load().unwrap().notes()[0].ends_with("cortado.lua:1: beans"));
}

#[test]
fn everything_that_was_read_is_known() {
    let dir = Dir::with("project \"a\" require \"lib.x\" read_file \"data\"").file("lib/x.lua", "").file("data", "");
    let recipe = dir.load().unwrap();
    let names: Vec<_> = recipe.files().iter().map(|path| path.strip_prefix(dir.path()).unwrap().to_owned()).collect();
    assert_eq!(names, ["cortado.lua", "data", "lib/x.lua"].map(std::path::PathBuf::from));
}

#[test]
fn tables_are_walked_in_the_order_of_their_keys() {
    let dir = Dir::with(
        "project \"a\" local all = {}\n\
         for key in pairs { zeta = 1, alpha = 1, [3] = 1, [1] = 1, [2.5] = 1, [true] = 1, [false] = 1 } do\n\
         all[#all + 1] = tostring(key) end\n\
         print(table.concat(all, \" \"), tostring({}), next({}) == nil)",
    );
    assert!(dir.load().unwrap().notes()[0].ends_with("false true 1 2.5 3 alpha zeta\ttable\ttrue"));
    assert!(told("next({ a = 1 }, \"a\")").starts_with("cortado.lua:1: `next` tells only whether a table is empty"));
}

#[test]
fn a_loop_that_never_ends_is_ended() {
    let options = &{
        let mut options = RecipeOptions::default();
        options.instructions = 5_000_000;
        options
    };
    for body in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local function f() return f() end f()",
        "setmetatable({}, { __index = function(t, k) while true do end end }).x = nil; \
         local t = setmetatable({}, { __index = function() while true do end end }); print(t.x)",
    ] {
        let error = Dir::with(&format!("\n{body}")).load_with(options).unwrap_err();
        assert!(error.to_string().ends_with("cortado.lua:2: has not ended after 5 million instructions"), "{error}");
    }
}

#[test]
fn slow_library_calls_in_a_loop_are_ended_by_the_clock() {
    let mut options = RecipeOptions::default();
    options.time_limit = Duration::from_millis(50);
    let error = Dir::with("while true do local s = (\"x\"):rep(100000) end").load_with(&options).unwrap_err();
    assert!(error.to_string().ends_with("cortado.lua:1: has not ended after 50 ms"), "{error}");
}

#[test]
fn memory_has_an_end() {
    let mut options = RecipeOptions::default();
    options.memory = 16 << 20;
    let enough = "needs more than 16.0 MiB of memory";
    for body in [
        "local s = \"x\" while true do s = s .. s end",
        "local t = {} for i = 1, 1e9 do t[i] = i end",
        "local t = {} while true do t = { t } end",
    ] {
        let error = Dir::with(body).load_with(&options).unwrap_err().to_string();
        assert!(error.ends_with(enough), "{error}");
    }
    // Catching the failure buys time, but not much of it.
    options.time_limit = Duration::from_millis(500);
    let body = "while true do pcall(string.rep, \"x\", 1e9) end";
    let error = Dir::with(body).load_with(&options).unwrap_err().to_string();
    assert!(error.ends_with(enough) || error.ends_with("has not ended after 500 ms"), "{error}");
}

#[test]
fn recursion_without_end_is_told() {
    assert_eq!(told("local function f() return f() + 1 end\nf()"), "cortado.lua:1: stack overflow");
}
