//! What a recipe has declared, while it is read and afterwards.

use std::collections::HashMap;

use mlua::Function;

use super::script::Place;
use super::stores::Stores;
use crate::{ProjectBuilder, Task};

/// What a recipe has said so far.
#[derive(Default)]
pub(super) struct Declared {
    pub(super) project: Option<(ProjectBuilder, Place)>,
    pub(super) tasks: Vec<Task>,
    /// Where each task stands, by its name.
    pub(super) places: HashMap<String, Place>,
    /// Tasks whose name was said but whose table has not come yet.
    pub(super) pending: Vec<Option<(String, Place)>>,
    pub(super) fetch: Option<Function>,
    pub(super) update: Option<Function>,
    pub(super) stores: Option<Stores>,
    pub(super) notes: Vec<String>,
}
