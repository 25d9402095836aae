//! A recipe in Lua, run from Rust with a cache in Rust: the program decides where artifacts live, the recipe what is
//! built.

use cortado::lua::{Recipe, RecipeOptions};
use cortado::{Engine, closures};

const RECIPE: &str = r#"
local shop = project "corner" { license = "MIT" }

shop:task "sign" {
  version = "1",
  build = function(t)
    t:template({ text = "{{ greeting }} from {{ place }}\n" }, "@{stage_install_dir}/sign", {
      variables = { greeting = "Hello", place = "the corner shop" },
    })
  end,
}
"#;

fn main() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("cortado.lua");
    std::fs::write(&path, RECIPE)?;

    let recipe = Recipe::load(&path, &RecipeOptions::default())?;
    let project = recipe.project().install_dir(dir.path().join("install")).build()?;
    let artifacts = dir.path().join("artifacts");
    let fetched = artifacts.clone();
    let report = Engine::new(&project)
        .callbacks(closures(
            move |cacher| cacher.unpack(fetched.join(cacher.filename())),
            move |artifact| artifact.copy_to(&artifacts),
        ))
        .run()?
        .check()?;

    print!("{}", std::fs::read_to_string(dir.path().join("install/sign"))?);
    println!("{} stored", report.cache.stored);
    Ok(())
}
