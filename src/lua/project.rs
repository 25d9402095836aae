//! `project`: what a recipe begins with, and what its tasks are declared on.

use std::path::PathBuf;
use std::time::Duration;

use mlua::{AnyUserData, Lua, MetaMethod, MultiValue, UserData, UserDataMethods, Value};

use super::args::Args;
use super::mistake::Mistake;
use super::object::{colon, unknown_word};
use super::reading::Reading;
use super::table::Word;
use super::value::{choice, flag, pairs, seconds, text, texts, whole};
use super::{cache, env, task};
use crate::{LinkMode, PlatformKey, Project, ProjectBuilder};

/// A project whose table is being read.
pub(super) struct Draft {
    project: ProjectBuilder,
    recipe_dir: PathBuf,
}

impl Draft {
    fn set(mut self, change: impl FnOnce(ProjectBuilder) -> ProjectBuilder) -> Self {
        self.project = change(self.project);
        self
    }
}

/// The keys of a project's table.
pub(super) const WORDS: &[Word<Draft>] = &[
    Word {
        name: "install_dir",
        set: |draft, value| {
            let dir = draft.recipe_dir.join(text(value)?);
            Ok(draft.set(|project| project.install_dir(dir)))
        },
    },
    Word {
        name: "work_dir",
        set: |draft, value| {
            let dir = draft.recipe_dir.join(text(value)?);
            Ok(draft.set(|project| project.work_dir(dir)))
        },
    },
    Word { name: "cache", set: |draft, value| flag(value).map(|wanted| draft.set(|project| project.cache(wanted))) },
    Word {
        name: "cache_tag_prefix",
        set: |draft, value| text(value).map(|prefix| draft.set(|project| project.cache_tag_prefix(prefix))),
    },
    Word {
        name: "platform",
        set: |draft, value| platform(value).map(|key| draft.set(|project| project.platform(key))),
    },
    Word { name: "salt", set: |draft, value| text(value).map(|salt| draft.set(|project| project.salt(salt))) },
    Word {
        name: "source_date_epoch",
        set: |draft, value| whole(value).map(|seconds| draft.set(|project| project.source_date_epoch(seconds))),
    },
    Word { name: "env", set: |draft, value| env::read(value).map(|env| draft.set(|project| project.env(env))) },
    Word {
        name: "pass_env",
        set: |draft, value| {
            let names = texts(value)?.into_iter();
            Ok(draft.set(|project| names.fold(project, ProjectBuilder::pass_env)))
        },
    },
    Word {
        name: "inherit_env",
        set: |draft, value| flag(value).map(|wanted| draft.set(|project| project.inherit_env(wanted))),
    },
    Word {
        name: "extra_files",
        set: |draft, value| {
            let patterns = texts(value)?.into_iter();
            Ok(draft.set(|project| patterns.fold(project, ProjectBuilder::extra_file)))
        },
    },
    Word {
        name: "license_file_path",
        set: |draft, value| text(value).map(|path| draft.set(|project| project.license_file_path(path))),
    },
    Word {
        name: "link_mode",
        set: |draft, value| link_mode(value).map(|mode| draft.set(|project| project.link_mode(mode))),
    },
    Word {
        name: "callback_timeout",
        set: |draft, value| timeout(value).map(|limit| draft.set(|project| project.callback_timeout(limit))),
    },
    Word { name: "version", set: |draft, value| text(value).map(|text| draft.set(|project| project.version(text))) },
    Word {
        name: "iteration",
        set: |draft, value| whole(value).map(|number| draft.set(|project| project.iteration(number))),
    },
    Word {
        name: "git_revision",
        set: |draft, value| text(value).map(|text| draft.set(|project| project.git_revision(text))),
    },
    Word {
        name: "description",
        set: |draft, value| text(value).map(|text| draft.set(|project| project.description(text))),
    },
    Word { name: "homepage", set: |draft, value| text(value).map(|text| draft.set(|project| project.homepage(text))) },
    Word {
        name: "maintainer",
        set: |draft, value| text(value).map(|text| draft.set(|project| project.maintainer(text))),
    },
    Word { name: "license", set: |draft, value| text(value).map(|text| draft.set(|project| project.license(text))) },
    Word {
        name: "license_content",
        set: |draft, value| text(value).map(|text| draft.set(|project| project.license_content(text))),
    },
];

/// The words of a declared project.
pub(super) const METHODS: [&str; 2] = ["task", "cache"];

/// `"host"`, `"any"`, or `{ is = "el8-x86_64" }`.
fn platform(value: &Value) -> Result<PlatformKey, Mistake> {
    if !value.is_table() {
        return choice(value, &[("host", 0), ("any", 1)])
            .map(|chosen| if chosen == 0 { PlatformKey::Host } else { PlatformKey::Any })
            .map_err(|mistake| mistake.hint("for a text of your own write `{ is = \"…\" }`"));
    }
    let mut found = pairs(value)?;
    let given = found.remove("is").ok_or_else(|| Mistake::key("has no key `is`"))?;
    match found.keys().next() {
        Some(other) => Err(Mistake::unknown_key(other, &["is"])),
        None => text(&given).map(PlatformKey::Is).map_err(|mistake| mistake.at("is")),
    }
}

fn link_mode(value: &Value) -> Result<LinkMode, Mistake> {
    let modes = [
        ("auto", LinkMode::Auto),
        ("reflink", LinkMode::Reflink),
        ("hardlink", LinkMode::Hardlink),
        ("copy", LinkMode::Copy),
    ];
    choice(value, &modes)
}

/// Seconds, or `false` for no limit.
fn timeout(value: &Value) -> Result<Option<Duration>, Mistake> {
    match value {
        Value::Boolean(false) => Ok(None),
        _ => seconds(value).map(Some),
    }
}

/// `project "name" { … }`; the table may be left out.
pub(super) fn declare(lua: &Lua, values: MultiValue) -> mlua::Result<AnyUserData> {
    let mut args = Args::new("project", values);
    let name = args.text("its name")?;
    let reading = Reading::open(lua)?;
    let place = reading.place(lua);
    if let Some((_, first)) = &reading.declared.borrow().project {
        let mistake = Mistake::new("a recipe declares one project");
        return Err(mistake.hint(format!("the first is on line {}", first.line)).into());
    }
    let dir = reading.files.dir();
    let builder = Project::new(name).recipe_dir(dir).work_dir(dir.join(".cortado"));
    reading.declared.borrow_mut().project = Some((builder, place));
    if args.is_table() {
        configure(lua, &mut args)?;
    }
    args.end()?;
    lua.create_userdata(ProjectWord)
}

fn configure(lua: &Lua, args: &mut Args) -> mlua::Result<()> {
    let reading = Reading::open(lua)?;
    let recipe_dir = reading.files.dir().to_path_buf();
    let current = reading.declared.borrow().project.as_ref().map(|(project, _)| project.clone());
    let Some(project) = current else { return Ok(()) };
    let draft =
        args.options(Draft { project, recipe_dir }, WORDS).map_err(|error| Mistake::attribute(error, "project"))?;
    if let Some((project, _)) = &mut reading.declared.borrow_mut().project {
        *project = draft.project;
    }
    Ok(())
}

/// A declared project. It keeps nothing itself: a recipe has one project, which the reading holds.
struct ProjectWord;

impl UserData for ProjectWord {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_function(MetaMethod::Call, |lua, (project, values): (AnyUserData, MultiValue)| {
            let mut args = Args::new("project", values);
            if !args.is_table() {
                let found = args.next();
                return Err(args.expected("its options", "a table", &found).into());
            }
            configure(lua, &mut args)?;
            Ok(project)
        });
        methods.add_function("task", |lua, (project, values): (Value, MultiValue)| {
            called_on("task", &project)?;
            task::declare(lua, Args::new("task", values))
        });
        methods.add_function("cache", |lua, (project, values): (Value, MultiValue)| {
            called_on("cache", &project)?;
            cache::declare(lua, Args::new("cache", values))
        });
        methods.add_meta_function(MetaMethod::Index, |_, (_, name): (Value, Value)| {
            unknown_word("a project", &name, &METHODS)
        });
    }
}

fn called_on(word: &str, value: &Value) -> Result<(), Mistake> {
    let is_project = value.as_userdata().is_some_and(|object| object.is::<ProjectWord>());
    is_project.then_some(()).ok_or_else(|| colon(word))
}
