//! `stores`: a recipe describes its cache in the words of the configuration, and opens nothing.

use cortado::{Configuration, Error, Settings, StoreSpec, Surroundings, TierMode, WritePolicy};

use super::Dir;

/// A recipe whose cache is this value.
fn with_cache(value: &str) -> Dir {
    Dir::with(&format!("local shop = project \"shop\" {{ install_dir = \"/opt/shop\" }}\nshop:cache({value})"))
}

fn merged(dir: &Dir, project: &str) -> Result<Settings, Error> {
    let around = Surroundings::new("/here").cache_dir(Some("/caches/cortado".into()));
    let configuration = Configuration::new(around).project(project, dir.path().join("cortado.toml"))?;
    dir.load()?.configure(configuration).merge()
}

fn told(value: &str) -> String {
    with_cache(value).told()
}

#[test]
fn a_store_of_a_recipe_is_the_one_that_a_file_describes() {
    let dir = with_cache("stores.directory { path = \"kept\", size = \"2G\", perm = \"group\", mode = \"read\" }");
    let cache = merged(&dir, "").unwrap().cache("shop").unwrap();
    let [tier] = cache.tiers.as_slice() else { panic!("{cache:?}") };
    assert_eq!((tier.name(), tier.settings().mode), ("directory", TierMode::Read));
    let StoreSpec::Directory(store) = tier.store(&|_| unreachable!()).unwrap() else { panic!() };
    assert_eq!((store.path, store.size), (dir.path().join("kept"), Some(2 << 30)));
    assert!(!dir.path().join("kept").exists(), "nothing is opened");
}

#[test]
fn tiers_are_stores_and_names_of_stores() {
    let dir = with_cache(
        "stores.tiers { \"local\", \"team\", stores.http { name = \"far\", url = \"https://c/x\", timeout = 2.5 }, write = \"nearest\" }",
    );
    let settings = merged(&dir, "[stores.team]\ntype = 'directory'\npath = 'team'\n").unwrap();
    let cache = settings.cache("shop").unwrap();
    let names: Vec<_> = cache.tiers.iter().map(|tier| tier.name()).collect();
    assert_eq!((names.as_slice(), cache.write), (["local", "team", "far"].as_slice(), WritePolicy::Nearest));
    assert_eq!(cache.tiers[2].settings().timeout.unwrap().as_millis(), 2500);
    let origin = settings.iter().find(|setting| setting.key == "stores.far.url").unwrap().origin.to_string();
    assert!(origin.ends_with("cortado.lua:2"), "{origin}");
}

#[test]
fn the_user_and_the_environment_have_the_last_word() {
    let dir = with_cache("stores.http { name = \"team\", url = \"https://c/x\", mode = \"read\" }");
    let variables = [("CORTADO_STORES_TEAM_TOKEN", "hush"), ("CORTADO_STORES_TEAM_MODE", "off")];
    let around = Surroundings::new("/here");
    let configuration = dir.load().unwrap().configure(Configuration::new(around));
    let configuration = configuration.environment(variables.map(|(name, value)| (name.into(), value.into())));
    let cache = configuration.merge().unwrap().cache("shop").unwrap();
    assert_eq!(cache.tiers[0].settings().mode, TierMode::Off);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    assert_eq!(
        told("stores.directory {\n  path = \"x\",\n  sice = \"1G\",\n}"),
        "cortado.lua:4: stores.directory: unknown key `sice`\ndid you mean `size`?"
    );
    assert_eq!(
        told("stores.direcory { path = \"x\" }"),
        "cortado.lua:2: there are no stores of type `direcory`\ndid you mean `directory`?"
    );
    assert_eq!(
        told("stores.tiers { \"local\", 3 }"),
        "cortado.lua:2: stores.tiers: a tier is a store or the name of one, found a number\n\
         write `stores.directory { path = \"…\" }`, or \"local\""
    );
    assert_eq!(
        told("stores.tiers { stores.http { url = \"a\" }, stores.http { url = \"b\" } }"),
        "cortado.lua:2: stores.tiers: two stores are named `http`\n\
         a store is named after its type; give one of them another `name`"
    );
    assert_eq!(
        told("stores.tiers { \"local\", write = \"al\" }"),
        "cortado.lua:2: stores.tiers: `write` must be one of `all`, `nearest`, `best-effort`, found `al`\ndid you mean `all`?"
    );
    assert_eq!(
        told("\"local\""),
        "cortado.lua:2: value 1 of `cache`, its callbacks or stores, must be a table or a store, found a string"
    );
}

#[test]
fn a_value_that_does_not_fit_is_told_like_one_of_a_file() {
    let told = |value: &str| {
        let dir = with_cache(value);
        let error = merged(&dir, "").unwrap_err();
        error.to_string().replace(&format!("{}/", dir.path().display()), "")
    };
    assert_eq!(
        told("stores.directory { path = \"x\", perm = \"all\" }"),
        "cortado.lua:2: `stores.directory.perm` must be one of `none`, `group`, `other`, not `all`"
    );
    assert_eq!(
        told("stores.http { url = \"https://c\", token = \"hush\" }"),
        "cortado.lua:2: `stores.http.token` cannot be said here: whoever has the project would have the secret"
    );
}
