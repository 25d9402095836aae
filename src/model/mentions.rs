//! Mentions: files outside its own words that a task's texts name, found so that their content can count.
//!
//! A text is not parsed: a shell or a function decides what it means. What is found is therefore only the beginning
//! of a path, and everything that begins so counts ([`Input::Mention`]). Too much may count, but nothing too little.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::command::{Command, Template};
use super::env::Env;
use super::input::Input;
use super::particulars::Particulars;

/// Everything that the texts of a task mention, sorted.
pub(super) fn of_task(commands: &[Command], particulars: &Particulars) -> BTreeSet<Input> {
    let mut found = Found::default();
    found.env(&particulars.env);
    particulars.license.files.iter().for_each(|file| found.path(file));
    commands.iter().for_each(|command| found.command(command, particulars.preserve_symlinks));
    found.inputs
}

/// Everything that declared variables mention, sorted.
pub(super) fn of_env(env: &Env) -> BTreeSet<Input> {
    let mut found = Found::default();
    found.env(env);
    found.inputs
}

#[derive(Default)]
struct Found {
    inputs: BTreeSet<Input>,
}

impl Found {
    fn command(&mut self, command: &Command, preserve_symlinks: bool) {
        match command {
            Command::Shell(step) => {
                self.text(step.line.as_bytes());
                self.env(&step.env);
                self.dir(step.dir.as_deref());
            }
            Command::Bin(step) => {
                step.args.iter().for_each(|arg| self.text(arg.as_bytes()));
                self.env(&step.env);
                self.dir(step.dir.as_deref());
            }
            Command::Copy(step) => self.read(step.dir.as_deref(), &step.source),
            Command::Sync(step) => {
                self.read(step.dir.as_deref(), &step.source);
                step.decide.iter().for_each(|decide| self.text(decide.text.as_bytes()));
            }
            // A link that is replaced by what it points to is a copy.
            Command::Link(step) if !preserve_symlinks => self.read(None, &step.target),
            Command::Patch(step) => self.dir(step.dir.as_deref()),
            Command::Template(step) => self.template(step),
            Command::Block(step) => self.text(step.text.as_bytes()),
            Command::Link(_) | Command::Mkdir(_) | Command::Emit(_) => {}
        }
    }

    fn template(&mut self, step: &Template) {
        let mut values: Vec<_> = step.variables.values().collect();
        while let Some(value) = values.pop() {
            match value {
                Value::String(text) => self.text(text.as_bytes()),
                Value::Array(list) => values.extend(list),
                Value::Object(map) => values.extend(map.values()),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }

    fn env(&mut self, env: &Env) {
        env.iter().for_each(|(_, value)| self.text(value.text.as_bytes()));
    }

    fn dir(&mut self, dir: Option<&Path>) {
        dir.into_iter().for_each(|dir| self.path(dir));
    }

    fn path(&mut self, path: &Path) {
        self.text(path.as_os_str().as_bytes());
    }

    /// A path that the engine itself reads from: an absolute one counts as well.
    fn read(&mut self, dir: Option<&Path>, source: &Path) {
        let path = dir.map_or_else(|| source.to_path_buf(), |dir| dir.join(source));
        self.path(&path);
        if path.is_absolute() {
            let bytes = path.as_os_str().as_bytes();
            let end = bytes.iter().position(|byte| b"*?[".contains(byte)).unwrap_or(bytes.len());
            let (beginning, _) = bytes.split_at(end);
            self.inputs.insert(Input::Mention(clean(Path::new(OsStr::from_bytes(beginning)))));
        }
    }

    fn text(&mut self, text: &[u8]) {
        self.inputs.extend(below_recipe(text).map(Input::Mention));
    }
}

/// What is named below `@{recipe_dir}` in a text: for each mention the path behind it, up to the first character
/// after which a shell or a glob might go on in its own way. `@{recipe_dir}/files/a*.h` gives `files/a`.
fn below_recipe(text: &[u8]) -> impl Iterator<Item = PathBuf> + '_ {
    const WORD: &[u8] = b"@{recipe_dir}";
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = loop {
            let at = rest.iter().position(|byte| *byte == b'@')?;
            match rest.get(at..)?.strip_prefix(WORD) {
                Some(behind) => break behind,
                None => rest = rest.get(at + 1..)?,
            }
        };
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._+-/".contains(byte) || *byte >= 0x80;
        let end = rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
        let path = Path::new(OsStr::from_bytes(rest.get(..end)?));
        // Without a slash the text goes on from the directory's own name: all of it counts.
        Some(clean(path.strip_prefix("/").unwrap_or(Path::new(""))))
    })
}

/// One spelling of a path: without doubled slashes, `/.` and a slash at the end.
fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Task;
    use crate::model::command::{Copy, Link, Shell, Sync};

    fn found(task: Task) -> Vec<PathBuf> {
        let path = |input| match input {
            Input::Mention(path) => path,
            other => panic!("{other:?} is not a mention"),
        };
        of_task(&task.commands, task.particulars()).into_iter().map(path).collect()
    }

    #[test]
    fn a_mention_ends_where_a_shell_might_go_on() {
        let text = b"cp @{recipe_dir}/files/a*.h \"@{recipe_dir}/a b\" && ls @{recipe_dir}; x @{install_dir}/y@";
        assert_eq!(below_recipe(text).collect::<Vec<_>>(), [Path::new("files/a"), Path::new("a"), Path::new("")]);
        let text = b"@@{recipe_dir}/conf$DEBUG @{recipe_dir}-old/x @{recipe_dir}/a,@{recipe_dir}/b";
        assert_eq!(below_recipe(text).collect::<Vec<_>>(), ["conf", "", "a", "b"].map(PathBuf::from));
    }

    #[test]
    fn a_mention_has_one_spelling() {
        let spelled: Vec<_> = below_recipe(b"@{recipe_dir}//a/./b// @{recipe_dir}/a/b").collect();
        assert!(spelled.iter().all(|path| path.as_os_str() == "a/b"), "{spelled:?}");
        let srv = found(Task::new("t").copy("/srv//x/*", "y"));
        assert!(srv.iter().all(|path| path.as_os_str() == "/srv/x"), "{srv:?}");
    }

    #[test]
    fn a_step_reads_below_its_own_directory() {
        let task = Task::new("t")
            .step(Copy::new("a", "x").dir("@{recipe_dir}/files"))
            .step(Sync::new("b", "x").dir("/srv"))
            .step(Shell::new("make").dir("@{recipe_dir}/src"));
        assert_eq!(found(task), ["/srv/b", "files/a", "src"].map(PathBuf::from));
    }

    #[test]
    fn absolute_sources_of_copies_count_but_for_their_globs() {
        assert_eq!(
            found(Task::new("t").copy("/etc/motd", "x").copy("/srv/lib*.so", "y").copy("inside", "z")),
            ["/etc/motd", "/srv/lib"].map(PathBuf::from)
        );
    }

    #[test]
    fn a_link_that_becomes_a_copy_reads_its_target() {
        let task = || Task::new("t").step(Link::new("/etc/motd", "motd"));
        assert!(found(task()).is_empty());
        assert_eq!(found(task().preserve_symlinks(false)), [Path::new("/etc/motd")]);
    }

    #[test]
    fn values_of_variables_are_looked_at() {
        let nested = serde_json::json!({"files": ["@{recipe_dir}/deep"]});
        let template = Template::text("", "x").variable("v", nested);
        let task = Task::new("t").env([("CONF", "@{recipe_dir}/conf")]).step(template);
        assert_eq!(found(task), ["conf", "deep"].map(PathBuf::from));
    }
}
