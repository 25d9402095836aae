//! The stores that a recipe names. They are descriptions: nothing is opened here, and what is said of a store is checked
//! like the same words of a configuration file, to which it is added.

use serde_json::Value as Json;

use super::script::Place;
use crate::{Configuration, StoreKind};

/// What a recipe says of its cache: stores, nearest first, and how they are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Stores {
    pub(super) tiers: Vec<Tier>,
    pub(super) write: Option<&'static str>,
    pub(super) place: Option<Place>,
}

/// One of several stores.
#[derive(Debug, Clone)]
pub(super) enum Tier {
    /// A store that is configured elsewhere.
    Named(String),
    /// A store that the recipe describes.
    Said(Box<Store>),
}

/// A store as the recipe describes it.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) name: String,
    pub(super) kind: StoreKind,
    pub(super) keys: Vec<(String, Json)>,
    pub(super) place: Place,
}

impl Tier {
    /// The name of the store, by which it is configured.
    pub(super) fn name(&self) -> &str {
        match self {
            Tier::Named(name) => name,
            Tier::Said(store) => &store.name,
        }
    }
}

impl Stores {
    /// Adds what was said to a configuration.
    pub(super) fn configure(&self, mut configuration: Configuration) -> Configuration {
        let Some(place) = &self.place else { return configuration };
        for store in self.tiers.iter().filter_map(|tier| match tier {
            Tier::Said(store) => Some(store),
            Tier::Named(_) => None,
        }) {
            let at = &store.place;
            let say = |configuration: Configuration, key: &str, value: Json| {
                configuration.recipe(Some(&store.name), key, value, &at.file, at.line)
            };
            configuration = say(configuration, "type", store.kind.word().into());
            for (key, value) in &store.keys {
                configuration = say(configuration, key, value.clone());
            }
        }
        let names: Json = self.tiers.iter().map(Tier::name).collect();
        configuration = configuration.recipe(None, "tiers", names, &place.file, place.line);
        match self.write {
            Some(write) => configuration.recipe(None, "write", write.into(), &place.file, place.line),
            None => configuration,
        }
    }
}
