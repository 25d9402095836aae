//! A call of a cache callback: what it is handed, and what it answers.

use std::path::PathBuf;

use mlua::{Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};

use super::mistake::{Mistake, kind};
use super::object::{colon, unknown_word};
use super::reading::Reading;
use super::value::text;
use crate::{Artifact, Cacher};

/// One call of a callback.
pub(super) enum Call {
    Fetch(Cacher),
    Update(Artifact),
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
