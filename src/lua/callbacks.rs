//! `shop:cache`: cache callbacks written in Lua.

use std::path::PathBuf;
use std::sync::Arc;

use mlua::{Function, Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};

use super::args::Args;
use super::mistake::{Mistake, kind};
use super::pool::Pool;
use super::project::{colon, unknown_word};
use super::reading::{Origin, Reading};
use super::stores;
use super::table::Word;
use super::value::text;
use crate::{Artifact, Cacher, Callbacks};

/// The functions of a `cache` table.
#[derive(Default)]
pub(super) struct Draft {
    fetch: Option<Function>,
    update: Option<Function>,
}

/// The keys of a `cache` table.
pub(super) const WORDS: &[Word<Draft>] = &[
    Word { name: "fetch", set: |draft, value| Ok(Draft { fetch: Some(function(value)?), ..draft }) },
    Word { name: "update", set: |draft, value| Ok(Draft { update: Some(function(value)?), ..draft }) },
];

fn function(value: &Value) -> Result<Function, Mistake> {
    value.as_function().cloned().ok_or_else(|| Mistake::expected("a function", value))
}

/// `shop:cache { fetch = function(cacher) … end, update = function(artifact) … end }`, or `shop:cache(stores.s3 { … })`.
pub(super) fn declare(lua: &Lua, mut args: Args) -> mlua::Result<()> {
    let reading = Reading::open(lua)?;
    if !args.is_table() {
        let found = args.next();
        let Some(stores) = stores::of_value(&found) else {
            return Err(args.expected("its callbacks or stores", "a table or a store", &found).into());
        };
        args.end()?;
        reading.declared.borrow_mut().stores = Some(stores);
        return Ok(());
    }
    let draft = args.options(Draft::default(), WORDS).map_err(|error| super::task::by(error, "cache"))?;
    let mut declared = reading.declared.borrow_mut();
    declared.fetch = draft.fetch;
    declared.update = draft.update;
    Ok(())
}

/// The callbacks of a recipe, called on Lua threads.
pub(super) struct LuaCallbacks {
    pool: Pool,
    fetches: bool,
    updates: bool,
}

/// One call of a callback.
pub(super) enum Call {
    Fetch(Cacher),
    Update(Artifact),
}

impl LuaCallbacks {
    /// The callbacks of the recipe at `origin`, which has a `fetch`, an `update`, or both.
    pub(super) fn new(origin: Origin, (fetches, updates): (bool, bool)) -> Self {
        Self { pool: Pool::new(Arc::new(origin)), fetches, updates }
    }
}

impl Callbacks for LuaCallbacks {
    fn fetch(&self, cacher: &Cacher) -> anyhow::Result<bool> {
        if self.fetches { self.pool.call(Call::Fetch(cacher.clone())) } else { Ok(false) }
    }

    fn update(&self, artifact: &Artifact) -> anyhow::Result<bool> {
        if self.updates { self.pool.call(Call::Update(artifact.clone())) } else { Ok(false) }
    }
}

impl Call {
    /// Runs the callback in a state that has read the recipe.
    pub(super) fn run(self, lua: &Lua, reading: &Reading) -> mlua::Result<bool> {
        reading.limits().start(lua)?;
        let dir = reading.files.dir().to_path_buf();
        let (word, function) = match &self {
            Call::Fetch(_) => ("fetch", reading.declared.borrow().fetch.clone()),
            Call::Update(_) => ("update", reading.declared.borrow().update.clone()),
        };
        let Some(function) = function else { return Ok(false) };
        let info = function.info();
        let answer: Value = match self {
            Call::Fetch(cacher) => function.call(lua.create_userdata(CacherWord { cacher, dir })?)?,
            Call::Update(artifact) => function.call(lua.create_userdata(ArtifactWord { artifact, dir })?)?,
        };
        answer.as_boolean().ok_or_else(|| {
            let problem = format!("`{word}` must return true or false, it returned {}", kind(&answer));
            let mistake = Mistake::new(problem).hint("`true` says that the cache had it, or has it now");
            mistake.noticed(&info.short_src.unwrap_or_default(), info.line_defined.unwrap_or(0)).into()
        })
    }
}

/// What `fetch` is handed.
struct CacherWord {
    cacher: Cacher,
    dir: PathBuf,
}

/// The words of a cacher.
pub(super) const CACHER: [&str; 4] = ["name", "tag", "filename", "unpack"];

impl UserData for CacherWord {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("name", |_, this| Ok(this.cacher.name().to_owned()));
        fields.add_field_method_get("tag", |_, this| Ok(this.cacher.tag().to_owned()));
        fields.add_field_method_get("filename", |_, this| Ok(this.cacher.filename().to_owned()));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_function("unpack", |_, (this, path): (Value, Value)| {
            let object = this.as_userdata().ok_or_else(|| colon("unpack"))?;
            let this = object.borrow::<Self>()?;
            let path = this.dir.join(text(&path).map_err(|mistake| mistake.by("unpack"))?);
            this.cacher.unpack(path).map_err(foreign)
        });
        methods.add_meta_function(MetaMethod::Index, |_, (_, name): (Value, Value)| {
            unknown_word("a cacher", &name, &CACHER)
        });
    }
}

/// What `update` is handed.
struct ArtifactWord {
    artifact: Artifact,
    dir: PathBuf,
}

/// The words of an artifact.
pub(super) const ARTIFACT: [&str; 7] = ["name", "tag", "filename", "path", "digest", "size", "copy_to"];

impl UserData for ArtifactWord {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("name", |_, this| Ok(this.artifact.name().to_owned()));
        fields.add_field_method_get("tag", |_, this| Ok(this.artifact.tag().to_owned()));
        fields.add_field_method_get("filename", |_, this| Ok(this.artifact.filename().to_owned()));
        fields.add_field_method_get("path", |lua, this| {
            lua.create_string(this.artifact.path().as_os_str().as_encoded_bytes())
        });
        fields.add_field_method_get("digest", |_, this| Ok(this.artifact.digest().to_string()));
        fields.add_field_method_get("size", |_, this| Ok(this.artifact.size()));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_function("copy_to", |_, (this, dir): (Value, Value)| {
            let object = this.as_userdata().ok_or_else(|| colon("copy_to"))?;
            let this = object.borrow::<Self>()?;
            let dir = this.dir.join(text(&dir).map_err(|mistake| mistake.by("copy_to"))?);
            this.artifact.copy_to(dir).map_err(foreign)
        });
        methods.add_meta_function(MetaMethod::Index, |_, (_, name): (Value, Value)| {
            unknown_word("an artifact", &name, &ARTIFACT)
        });
    }
}

fn foreign(error: anyhow::Error) -> mlua::Error {
    Mistake::new(format!("{error:#}")).into()
}

#[cfg(test)]
mod tests;
