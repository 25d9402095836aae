//! The language reference and README: every example in them is a recipe that can be read.

use super::Dir;

const PAGES: [&str; 2] = [include_str!("../../../docs/recipes.md"), include_str!("../../../README.md")];

/// What stands between "```lua" and "```".
fn examples() -> Vec<&'static str> {
    let parts = PAGES.iter().flat_map(|page| page.split("\n```lua\n").skip(1));
    parts.map(|part| part.split_once("\n```").unwrap().0).collect()
}

/// An example as a whole recipe: some are steps of a task, some speak of a project that exists.
fn recipe(example: &str) -> String {
    let shop = "local shop = project \"shop\" { install_dir = \"/opt/shop\" }\n";
    match example {
        whole if whole.contains("project \"") => whole.to_owned(),
        declaration if declaration.contains("shop:") => format!("{shop}{declaration}"),
        steps => format!("{shop}shop:task \"a\" {{ version = \"1\", build = function(t)\n{steps}\nend }}"),
    }
}

#[test]
fn every_example_is_a_recipe() {
    let examples = examples();
    assert!(examples.len() >= 9, "only {} examples were found", examples.len());
    for example in examples {
        let dir = Dir::with(&recipe(example))
            .file("VERSION", "2.1.0\n")
            .file("lib/flags.lua", "return { optimised = '-O2' }");
        let built = dir.load().and_then(|recipe| recipe.project().build());
        assert!(built.is_ok(), "{}\n{example}", built.unwrap_err());
    }
}
