//! `stores`: stores and tiers of them, as values for `shop:cache`.

use mlua::{AnyUserData, Lua, MultiValue, Table, UserData, Value};
use serde_json::Value as Json;

use super::args::Args;
use super::mistake::Mistake;
use super::reading::Reading;
use super::sandbox;
use super::script::Place;
use super::stores::{Store, Stores, Tier};
use super::value::{choice, text, variables};
use crate::{Key, StoreKind};

/// A store or several, as a value of the recipe.
struct StoresWord(Stores);

impl UserData for StoresWord {}

/// The words of `stores`.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    StoreKind::ALL.into_iter().map(StoreKind::word).chain(["tiers"])
}

/// The keys of a store of that kind in a recipe. Those that hold secrets are among them: that they cannot be said is
/// better told with its reason.
pub(super) fn keys(kind: StoreKind) -> impl Iterator<Item = &'static str> {
    kind.keys().iter().chain(Key::OF_TIERS).map(|key| key.name).chain(["name"])
}

/// The keys of `stores.tiers`, besides its list.
pub(super) const TIERS: [&str; 1] = ["write"];

/// The table `stores`.
pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for kind in StoreKind::ALL {
        let word =
            lua.create_function(move |lua, values: MultiValue| store(lua, kind, Args::new(kind.word(), values)))?;
        table.raw_set(kind.word(), word)?;
    }
    table.raw_set("tiers", lua.create_function(|lua, values: MultiValue| tiers(lua, Args::new("tiers", values)))?)?;
    sandbox::strict(lua, &table, |name, known| {
        Mistake::unknown_name(format!("there are no stores of type `{name}`"), name, known)
    })?;
    Ok(table)
}

/// The stores that a value stands for, if it does.
pub(super) fn of_value(value: &Value) -> Option<Stores> {
    Some(value.as_userdata()?.borrow::<StoresWord>().ok()?.0.clone())
}

/// `stores.directory { path = "cache" }`.
fn store(lua: &Lua, kind: StoreKind, mut args: Args) -> mlua::Result<AnyUserData> {
    let place = Reading::open(lua)?.place(lua);
    let value = args.next();
    let store = read(kind, &value, place.clone()).map_err(|mistake| mistake.by(&format!("stores.{}", kind.word())))?;
    args.end()?;
    lua.create_userdata(StoresWord(Stores {
        tiers: vec![Tier::Said(Box::new(store))],
        write: None,
        place: Some(place),
    }))
}

fn read(kind: StoreKind, value: &Value, place: Place) -> Result<Store, Mistake> {
    if !value.is_table() {
        return Err(Mistake::new(format!("takes a table, found {}", super::mistake::kind(value))));
    }
    let mut said = variables(value)?;
    let name = match said.remove("name") {
        None => kind.word().to_owned(),
        Some(Json::String(name)) => name,
        Some(_) => return Err(Mistake::key("must be a string").at("name")),
    };
    if let Some(key) = said.keys().find(|key| !kind.takes(key)) {
        return Err(Mistake::unknown_key(key, &keys(kind).collect::<Vec<_>>()));
    }
    Ok(Store { name, kind, keys: said.into_iter().collect(), place })
}

/// `stores.tiers { "local", stores.s3 { … }, write = "all" }`.
fn tiers(lua: &Lua, mut args: Args) -> mlua::Result<AnyUserData> {
    let place = Reading::open(lua)?.place(lua);
    let value = args.next();
    let gathered = gather(&value).map_err(|mistake| mistake.by("stores.tiers"))?;
    args.end()?;
    lua.create_userdata(StoresWord(Stores { place: Some(place), ..gathered }))
}

fn gather(value: &Value) -> Result<Stores, Mistake> {
    let Value::Table(table) = value else {
        return Err(Mistake::new(format!("takes a list of stores, found {}", super::mistake::kind(value))));
    };
    let mut stores = Stores::default();
    for index in 1..=table.raw_len() {
        let item: Value = table.raw_get(index).map_err(|error| Mistake::new(error.to_string()))?;
        stores.tiers.extend(items(&item)?);
    }
    for pair in table.pairs::<Value, Value>() {
        match pair.map_err(|error| Mistake::new(error.to_string()))? {
            (Value::Integer(_), _) => {}
            (Value::String(key), value) if key.as_bytes() == b"write" => stores.write = Some(write(&value)?),
            (Value::String(key), _) => return Err(Mistake::unknown_key(&key.to_string_lossy(), &TIERS)),
            _ => return Err(Mistake::new("has a key that is no name")),
        }
    }
    distinct(&stores)?;
    Ok(stores)
}

fn items(item: &Value) -> Result<Vec<Tier>, Mistake> {
    match of_value(item) {
        Some(inner) if inner.write.is_none() => Ok(inner.tiers),
        Some(_) => Err(Mistake::new("`write` is said of all tiers together, in the outermost list")),
        None if item.is_string() => Ok(vec![Tier::Named(text(item)?)]),
        None => {
            let problem = format!("a tier is a store or the name of one, found {}", super::mistake::kind(item));
            Err(Mistake::new(problem).hint("write `stores.directory { path = \"…\" }`, or \"local\""))
        }
    }
}

fn write(value: &Value) -> Result<&'static str, Mistake> {
    let words = ["all", "nearest", "best-effort"];
    choice(value, &words.map(|word| (word, word))).map_err(|mistake| mistake.at("write"))
}

fn distinct(stores: &Stores) -> Result<(), Mistake> {
    let mut names: Vec<_> = stores.tiers.iter().map(Tier::name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            let problem = format!("two stores are named `{}`", pair[0]);
            Err(Mistake::new(problem).hint("a store is named after its type; give one of them another `name`"))
        }
        None => Ok(()),
    }
}
