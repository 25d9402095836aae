//! The words of the language, gathered from the lists that the bindings read, against annotations and reference.

use std::collections::{BTreeMap, BTreeSet};

use super::{cache, call, env, platform, project, queue, scope, source, steps, store_words, table, task};
use crate::{Key, Kind, StoreKind};

/// Words by the class that `lua/types.lua` calls them after.
pub(super) fn words() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let step_names = || steps::STEPS.iter().map(|step| step.name);
    let block = step_names().chain(scope::WORDS.iter().map(|word| word.name)).chain(["name"]);
    let globals = env::HELPERS.iter().map(|helper| helper.name);
    BTreeMap::from([
        (
            "globals",
            globals.chain(["project", "platform", "read_file", "secret", "print", "require", "stores"]).collect(),
        ),
        ("cortado.Platform", platform::NAMES.into_iter().collect()),
        ("cortado.ProjectOptions", table::names(project::WORDS).into_iter().collect()),
        ("cortado.Project", project::METHODS.into_iter().collect()),
        ("cortado.TaskOptions", table::names(task::WORDS).into_iter().collect()),
        ("cortado.UrlSource", table::names(source::URL).into_iter().collect()),
        ("cortado.PathSource", table::names(source::PATH).into_iter().collect()),
        ("cortado.GitSource", table::names(source::GIT).into_iter().collect()),
        ("cortado.Task", queue::names().into_iter().collect()),
        ("cortado.BlockTask", block.collect()),
        ("cortado.CommandOptions", table::names(steps::COMMAND).into_iter().collect()),
        ("cortado.BinOptions", table::names(steps::BIN).into_iter().collect()),
        ("cortado.CopyOptions", table::names(steps::COPY).into_iter().collect()),
        ("cortado.SyncOptions", table::names(steps::SYNC).into_iter().collect()),
        ("cortado.LinkOptions", table::names(steps::LINK).into_iter().collect()),
        ("cortado.MkdirOptions", table::names(steps::MKDIR).into_iter().collect()),
        ("cortado.PatchOptions", table::names(steps::PATCH).into_iter().collect()),
        ("cortado.TemplateOptions", table::names(steps::TEMPLATE).into_iter().collect()),
        ("cortado.CacheCallbacks", table::names(cache::WORDS).into_iter().collect()),
        ("cortado.Stores", store_words::names().collect()),
        ("cortado.TierList", store_words::TIERS.into_iter().collect()),
        ("cortado.Tier", Key::OF_TIERS.iter().map(|key| key.name).chain(["name"]).collect()),
        ("cortado.DirectoryStore", own_keys(StoreKind::Directory)),
        ("cortado.HttpStore", own_keys(StoreKind::Http)),
        ("cortado.S3Store", own_keys(StoreKind::S3)),
        ("cortado.GcsStore", own_keys(StoreKind::Gcs)),
        ("cortado.AzblobStore", own_keys(StoreKind::Azblob)),
        ("cortado.RedisStore", own_keys(StoreKind::Redis)),
        ("cortado.MemcachedStore", own_keys(StoreKind::Memcached)),
        ("cortado.WebdavStore", own_keys(StoreKind::Webdav)),
        ("cortado.Cacher", call::CACHER.into_iter().collect()),
        ("cortado.Artifact", call::ARTIFACT.into_iter().collect()),
    ])
}

/// The keys of a store that a recipe can say: no secrets.
fn own_keys(kind: StoreKind) -> BTreeSet<&'static str> {
    kind.keys().iter().filter(|key| key.kind != Kind::Secret && !key.is_own()).map(|key| key.name).collect()
}

const TYPES: &str = include_str!("../../lua/types.lua");

/// The words that `lua/types.lua` announces: fields and methods by class, and global names.
fn announced() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut class = "";
    let name = |text: &'static str| text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
    for line in TYPES.lines() {
        if let Some(text) = line.strip_prefix("---@class ") {
            class = text.split([' ', ':']).next().unwrap_or("");
        } else if let Some(text) = line.strip_prefix("---@field ") {
            if !text.starts_with('[') {
                found.entry(class).or_default().insert(name(text));
            }
        } else if let Some(text) = line.strip_prefix("function ") {
            match text.split_once(':') {
                Some((_, text)) => found.entry(class).or_default().insert(name(text)),
                None => found.entry("globals").or_default().insert(name(text)),
            };
        } else if let Some(text) = line.strip_suffix(" = nil") {
            found.entry("globals").or_default().insert(text);
        }
    }
    found
}

#[test]
fn the_annotations_announce_what_recipes_offer_and_nothing_else() {
    let (announced, offered) = (announced(), words());
    for (class, offered) in &offered {
        assert_eq!(announced.get(class), Some(offered), "{class}");
    }
    assert!(announced.keys().eq(offered.keys()), "lua/types.lua has other classes");
}

#[test]
fn the_annotations_are_lua() {
    let lua = mlua::Lua::new();
    lua.load(TYPES).into_function().unwrap();
}

#[test]
fn the_reference_explains_every_word() {
    let reference = concat!(include_str!("../../docs/recipes.md"), include_str!("../../docs/configuration.md"));
    for (class, words) in words() {
        let missing: Vec<_> = words.into_iter().filter(|word| !reference.contains(&format!("`{word}"))).collect();
        let missing: Vec<_> = missing.into_iter().filter(|word| !reference.contains(&format!(":{word}"))).collect();
        assert!(missing.is_empty(), "docs/recipes.md does not explain {missing:?} of {class}");
    }
}

/// What of Lua's own library a recipe has.
const STANDARD: &str = "_G _VERSION assert coroutine error getmetatable ipairs math next pairs pcall rawequal rawget \
                        rawlen rawset select setmetatable string table tonumber tostring type utf8 xpcall";

#[test]
fn a_recipe_finds_these_names_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = dir.path().join("cortado.lua");
    std::fs::write(&recipe, "project 'shop' for name in pairs(_G) do print(name) end").unwrap();
    let read = super::Recipe::load(&recipe, &super::RecipeOptions::default()).unwrap();
    let found: BTreeSet<&str> = read.notes().iter().filter_map(|note| note.rsplit(' ').next()).collect();
    let globals = words().remove("globals").unwrap();
    assert_eq!(found, STANDARD.split(' ').chain(globals).collect());
}

#[test]
fn the_platform_has_these_names_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let recipe = dir.path().join("cortado.lua");
    std::fs::write(&recipe, "project 'shop' for name in pairs(platform) do print(name) end").unwrap();
    let read = super::Recipe::load(&recipe, &super::RecipeOptions::default()).unwrap();
    let found: BTreeSet<&str> = read.notes().iter().filter_map(|note| note.rsplit(' ').next()).collect();
    assert_eq!(found, platform::NAMES.into_iter().collect());
}
