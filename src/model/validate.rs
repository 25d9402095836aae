//! Checks of what a task says: everything that can be wrong with it on any machine.

use std::fmt;
use std::path::{Component, Path};

use super::checksum::{Algorithm, Checksum};
use super::command::Command;
use super::env::Env;
use super::name;
use super::patterns::pattern_set;
use super::source::{Archive, At, Git, Source};
use super::task::Task;
use crate::error::{Error, Result};

/// A task as a place in messages, spelled out only when there is one to write: most tasks have no mistakes.
struct TaskNamed<'t>(&'t str);

impl fmt::Display for TaskNamed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task `{}`", self.0)
    }
}

/// Checks a task by itself; what it depends on is checked with the graph.
pub(super) fn task(task: &Task) -> Result<()> {
    let place = &TaskNamed(&task.name);
    if name::check("task", &task.name).is_err() {
        return name::check(&place.to_string(), &task.name);
    }
    if task.version.is_none() && !task.is_virtual {
        return Err(invalid(place, "has no version", "give it one, or make it virtual"));
    }
    for group in &task.particulars().sequences {
        name::check(&format!("{place}, sequence"), group)?;
    }
    for file in &task.particulars().license.files {
        let below_recipe = file.strip_prefix("@{recipe_dir}").unwrap_or(file);
        below(&format!("{place}, license_files"), below_recipe)?;
    }
    if let Some(path) = &task.particulars().relative_path {
        below(&format!("{place}, relative_path"), path)?;
    }
    env(place, &task.particulars().env)?;
    source(place, task.particulars().source.as_ref())?;
    task.commands.iter().try_for_each(|command| check_command(place, command))
}

/// Checks the names of declared variables.
pub(super) fn env(place: &dyn fmt::Display, env: &Env) -> Result<()> {
    for (name, value) in env.iter() {
        if name.is_empty() || name.contains(['=', '\0']) {
            let problem = format!("`{}` cannot be the name of a variable", name.escape_debug());
            return Err(invalid(&format!("{place}, env"), &problem, "use letters, digits and `_`"));
        }
        if value.text.contains('\0') {
            let problem = format!("the value of `{name}` has a NUL character in it");
            return Err(invalid(&format!("{place}, env"), &problem, "remove it"));
        }
    }
    Ok(())
}

fn source(place: &dyn fmt::Display, source: Option<&Source>) -> Result<()> {
    let Some(source) = source else { return Ok(()) };
    let place = format!("{place}, source");
    match source {
        Source::Archive(archive) => check_archive(&place, archive),
        Source::Local(local) => pattern_set(&place, &local.excludes).map(drop),
        Source::Git(git) => check_git(&place, git),
    }
}

fn check_archive(place: &str, archive: &Archive) -> Result<()> {
    let scheme = archive.url.split_once("://").map(|(scheme, _)| scheme);
    if !matches!(scheme, Some("http" | "https" | "file")) {
        let problem = format!("`{}` is not an http, https or file URL", archive.url);
        return Err(invalid(place, &problem, "for a directory use a local source, for a repository a git source"));
    }
    for (algorithm, text) in &archive.checksums {
        checksum(place, *algorithm, text)?;
    }
    if archive.checksums.is_empty() {
        let hint = "add `sha256`; `sha256sum` of the downloaded file prints it";
        return Err(invalid(place, &format!("`{}` has no checksum", archive.url), hint));
    }
    Ok(())
}

fn checksum(place: &str, algorithm: Algorithm, text: &str) -> Result<Checksum> {
    Checksum::new(algorithm, text).map_err(|error| invalid(place, &error.to_string(), "copy the whole checksum"))
}

fn check_git(place: &str, git: &Git) -> Result<()> {
    match &git.at {
        At::Commit(commit) => {
            let whole = matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            let problem = format!("`{commit}` is not a whole commit");
            whole
                .then_some(())
                .ok_or_else(|| invalid(place, &problem, "give all 40 digits, or a branch or tag with `reference`"))
        }
        At::Reference(name) if name.is_empty() || name.starts_with('-') => {
            Err(invalid(place, &format!("`{name}` is not a reference"), "name a branch or tag"))
        }
        At::Reference(_) => Ok(()),
        At::Nothing => Err(invalid(place, "does not say which commit", "give `commit` or `reference`")),
    }
}

fn check_command(place: &dyn fmt::Display, command: &Command) -> Result<()> {
    match command {
        Command::Shell(step) if step.line.contains('\0') => {
            Err(invalid(place, "a command has a NUL character in it", "remove it"))
        }
        Command::Shell(step) => env(place, &step.env),
        Command::Bin(step) if step.program.is_empty() || step.program.contains('/') => {
            let problem = format!("bin `{}` is not the name of a program", step.program);
            Err(invalid(place, &problem, "give its file name, without directories"))
        }
        Command::Bin(step) => env(place, &step.env),
        Command::Sync(step) => pattern_set(&place.to_string(), &step.excludes).map(drop),
        Command::Mkdir(step) => mode(place, step.mode.unwrap_or(0)),
        Command::Template(step) => mode(place, step.mode),
        _ => Ok(()),
    }
}

fn mode(place: &dyn fmt::Display, mode: u32) -> Result<()> {
    if mode <= 0o7777 {
        return Ok(());
    }
    Err(invalid(place, &format!("mode {mode:o} has bits that are no permissions"), "use at most 7777, in octal"))
}

/// A relative path that stays below where it starts.
fn below(place: &str, path: &Path) -> Result<()> {
    let stays = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let has_word = path.as_os_str().as_encoded_bytes().starts_with(b"@{");
    if stays && !has_word && !path.as_os_str().is_empty() {
        return Ok(());
    }
    Err(invalid(place, &format!("`{}` leaves the source directory", path.display()), "use a path without `..`"))
}

fn invalid(place: &(impl fmt::Display + ?Sized), problem: &str, hint: &str) -> Error {
    Error::Invalid { place: place.to_string(), problem: problem.to_owned(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::command::{Bin, Template};

    fn problem(subject: Task) -> String {
        task(&subject).unwrap_err().to_string()
    }

    #[test]
    fn a_task_needs_a_version_unless_it_is_virtual() {
        assert_eq!(problem(Task::new("a")), "task `a`: has no version");
        assert!(task(&Task::new("a").virtual_task(true)).is_ok());
    }

    #[test]
    fn an_archive_needs_a_whole_checksum() {
        let archive = || Source::url("https://example.org/a.tar.gz");
        let a = || Task::new("a").version("1");
        assert_eq!(problem(a().source(archive())), "task `a`, source: `https://example.org/a.tar.gz` has no checksum");
        assert!(problem(a().source(archive().sha256("abc"))).starts_with("task `a`, source: "));
        assert!(task(&a().source(archive().sha256("A".repeat(64)))).is_ok());
    }

    #[test]
    fn git_sources_say_which_commit() {
        let a = || Task::new("a").version("1");
        assert!(problem(a().source(Source::git("https://example.org/x.git"))).contains("which commit"));
        assert!(problem(a().source(Source::git("x").commit("main"))).contains("not a whole commit"));
        assert!(problem(a().source(Source::git("x").reference("--upload-pack=x"))).contains("not a reference"));
        assert!(task(&a().source(Source::git("x").commit("a".repeat(40)))).is_ok());
    }

    #[test]
    fn paths_stay_below_the_source() {
        for path in ["../x", "/etc/passwd", "a/../../b", ""] {
            assert!(problem(Task::new("a").version("1").license_file(path)).contains("license_files"), "{path}");
        }
        assert!(task(&Task::new("a").version("1").license_file("@{recipe_dir}/LICENSE")).is_ok());
        assert!(task(&Task::new("a").version("1").relative_path("@{recipe_dir}/src")).is_err());
    }

    #[test]
    fn odd_steps_are_refused() {
        let a = || Task::new("a").version("1");
        assert!(problem(a().step(Bin::new("../sh"))).contains("name of a program"));
        assert!(problem(a().step(Template::text("", "x").mode(0o17777))).contains("mode 17777"));
        assert!(problem(a().env([("A=B", "")])).contains("name of a variable"));
        assert!(problem(a().command("echo \0")).contains("NUL"));
    }
}
