//! The environment of a step: a clean, small one, and what the recipe declares.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::model::{Env, Paths, Project, Task};

/// Environment variables as a process takes them.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// What every step of a task sees, before its own `env`. In rising precedence: the caller's whole environment (only
/// if the project says so), the clean base, variables handed on, what the project declares, what the task declares.
pub(crate) fn of_task(project: &Project, task: &Task, paths: &Paths, tmp: &Path, ambient: &Variables) -> Variables {
    let mut variables = if project.inherit_env { ambient.clone() } else { Variables::new() };
    variables.extend(base(project, paths, tmp));
    for name in project.pass_env.iter().chain(&task.particulars().pass_env) {
        if let Some((name, value)) = ambient.get_key_value(OsStr::new(name)) {
            variables.insert(name.clone(), value.clone());
        }
    }
    declare(&mut variables, &project.env, paths);
    declare(&mut variables, &task.particulars().env, paths);
    variables
}

/// Adds declared variables, with their path words replaced.
pub(crate) fn declare(variables: &mut Variables, env: &Env, paths: &Paths) {
    for (name, value) in env.iter() {
        variables.insert(name.into(), paths.expand(OsStr::new(&value.text)).into_owned());
    }
}

/// The environments that a task declares: the project's, its own and those of its steps.
pub(crate) fn declared<'m>(project: &'m Project, task: &'m Task) -> impl Iterator<Item = &'m Env> {
    let steps = task.commands().iter().filter_map(|command| match command {
        crate::model::Command::Shell(step) => Some(&step.env),
        crate::model::Command::Bin(step) => Some(&step.env),
        _ => None,
    });
    [&project.env, &task.particulars().env].into_iter().chain(steps)
}

fn base(project: &Project, paths: &Paths, tmp: &Path) -> Variables {
    let mut base: Variables = [
        ("PATH", Env::DEFAULT_PATH.into()),
        ("HOME", tmp.as_os_str().to_owned()),
        ("TMPDIR", tmp.as_os_str().to_owned()),
        ("LC_ALL", "C".into()),
        ("TZ", "UTC".into()),
        ("SOURCE_DATE_EPOCH", project.source_date_epoch.to_string().into()),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value))
    .collect();
    if !paths.stage_dir.as_os_str().is_empty() {
        base.insert("DESTDIR".into(), paths.stage_dir.clone().into());
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(project: crate::model::ProjectBuilder, task: &Task, stage: &str) -> BTreeMap<String, String> {
        let project = project.install_dir("/opt/shop").work_dir("/w").build().unwrap();
        let paths = Paths { stage_dir: stage.into(), install_dir: "/opt/shop".into(), ..Paths::default() };
        let ambient = [("EDITOR", "vi"), ("TOKEN", "t"), ("PATH", "/odd")];
        let ambient = ambient.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let all = of_task(&project, task, &paths, Path::new("/tmp/t"), &ambient);
        all.into_iter().map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap())).collect()
    }

    #[test]
    fn a_step_sees_a_clean_environment() {
        let seen = variables(Project::new("shop"), &Task::new("a"), "/w/stage/a");
        let names: Vec<_> = seen.keys().map(String::as_str).collect();
        assert_eq!(names, ["DESTDIR", "HOME", "LC_ALL", "PATH", "SOURCE_DATE_EPOCH", "TMPDIR", "TZ"]);
        assert_eq!(seen["PATH"], Env::DEFAULT_PATH);
    }

    #[test]
    fn a_task_that_installs_directly_has_no_destdir() {
        assert!(!variables(Project::new("shop"), &Task::new("a"), "").contains_key("DESTDIR"));
    }

    #[test]
    fn tasks_add_to_projects_and_both_may_hand_variables_on() {
        let project = Project::new("shop").env([("A", "1"), ("B", "1")]).pass_env("TOKEN");
        let task = Task::new("a").env([("B", "@{install_dir}")]).pass_env("EDITOR").pass_env("ABSENT");
        let seen = variables(project, &task, "");
        assert_eq!([&seen["A"], &seen["B"], &seen["TOKEN"], &seen["EDITOR"]], ["1", "/opt/shop", "t", "vi"]);
        assert!(!seen.contains_key("ABSENT"));
    }

    #[test]
    fn inheriting_everything_is_an_explicit_choice() {
        let seen = variables(Project::new("shop").inherit_env(true), &Task::new("a"), "");
        assert_eq!([&seen["EDITOR"], &seen["PATH"]], ["vi", Env::DEFAULT_PATH]);
    }
}
