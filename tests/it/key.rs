//! The key: what counts, what does not, and that another implementation would compute the same.

mod boundaries;
mod busting;
mod golden;
mod properties;
mod recipe;
mod scale;
mod worked_example;

use std::collections::BTreeMap;

use cortado::{Digest, Graph, Input, Inputs, Plan, Project, ProjectBuilder, Task};

/// What a host might say of itself.
const HOST: &str = "linux-x86_64-gnu-2.36";

fn shop() -> ProjectBuilder {
    Project::new("shop").install_dir("/opt/shop").work_dir("/var/cache/shop")
}

fn task(name: &str) -> Task {
    Task::new(name).version("1")
}

/// Everything that `project` asks for, each input answered by a digest of its own name.
fn answers(project: &Project) -> Inputs {
    let asked = project.tasks().iter().flat_map(Task::all_inputs).chain(project.inputs());
    let mut inputs = Inputs::new(HOST);
    asked.for_each(|input| inputs.insert(input.clone(), Digest::of(input.to_string()).to_string()));
    inputs
}

/// The tags of all tasks by name.
fn tags(project: &Project, inputs: Inputs) -> BTreeMap<String, String> {
    let graph = Graph::new(project).unwrap();
    let plan = Plan::new(&graph, &graph.select(&[] as &[&str]).unwrap(), inputs).unwrap();
    plan.tasks().iter().map(|task| (task.name().to_owned(), task.tag().to_owned())).collect()
}

/// The tag of a task that stands alone in the shop.
fn tag(task: Task) -> String {
    let project = shop().task(task).build().unwrap();
    let inputs = answers(&project);
    tags(&project, inputs).into_values().next().unwrap()
}

#[test]
fn a_tag_is_prefix_name_and_shasum() {
    let project = shop().task(task("zlib")).build().unwrap();
    let graph = Graph::new(&project).unwrap();
    let plan = Plan::new(&graph, &[0], Inputs::default()).unwrap();
    let planned = plan.task("zlib").unwrap();
    assert_eq!(planned.tag(), format!("shop-zlib-{}", planned.shasum()));
    let prefixed = |prefix: &str| shop().cache_tag_prefix(prefix).task(task("zlib")).build().unwrap();
    assert_eq!(tags(&prefixed(""), Inputs::default())["zlib"], format!("zlib-{}", planned.shasum()));
    assert_eq!(tags(&prefixed("x-y"), Inputs::default())["zlib"], format!("x-y-zlib-{}", planned.shasum()));
}

#[test]
fn a_filter_changes_no_key() {
    let project = shop().tasks([task("a"), task("b").depends_on("a"), task("c").depends_on("b")]).build().unwrap();
    let graph = Graph::new(&project).unwrap();
    let all = tags(&project, Inputs::default());
    let some = Plan::new(&graph, &graph.select(&["b"]).unwrap(), Inputs::default()).unwrap();
    assert_eq!(some.tasks().iter().map(|task| task.tag()).collect::<Vec<_>>(), [&all["a"], &all["b"]]);
}

#[test]
fn a_selection_that_lacks_an_upstream_makes_no_key() {
    let project = shop().tasks([task("a"), task("b").depends_on("a")]).build().unwrap();
    let graph = Graph::new(&project).unwrap();
    for wrong in [&[1][..], &[1, 0], &[0, 0], &[2]] {
        let error = Plan::new(&graph, wrong, Inputs::default()).unwrap_err();
        assert!(error.to_string().starts_with("project `shop`: the selection has "), "{error}");
    }
}

#[test]
fn an_input_without_an_answer_makes_no_key() {
    let project = shop().task(task("a").probe("cc --version")).build().unwrap();
    let graph = Graph::new(&project).unwrap();
    let error = Plan::new(&graph, &[0], Inputs::default()).unwrap_err();
    assert_eq!(error.to_string(), "task `a`: its input `cc --version` was not looked up");
    let project = shop().env([("A", "@{recipe_dir}/a")]).build().unwrap();
    let error = Plan::new(&Graph::new(&project).unwrap(), &[], Inputs::default()).unwrap_err();
    assert_eq!(error.to_string(), "project `shop`: its input `@{recipe_dir}/a` was not looked up");
}

#[test]
fn an_outline_shows_the_fields_but_no_secret() {
    let source = cortado::Source::git("https://me:s3cret@example.org/x.git").commit("a".repeat(40));
    let env = cortado::Env::new().secret("TOKEN", "hunter2").set("CC", "clang");
    let project = shop().task(task("a").source(source).env(env).command("make")).build().unwrap();
    let graph = Graph::new(&project).unwrap();
    let plan = Plan::new(&graph, &[0], Inputs::default()).unwrap();
    let outline = plan.outline(plan.task("a").unwrap());
    let shown = serde_json::to_string(&outline).unwrap();
    assert!(!shown.contains("hunter2") && !shown.contains("s3cret"), "{shown}");
    let value = |label: &str| outline.fields.iter().find(|field| field.label == label).map(|field| &*field.value);
    assert_eq!(value("project/install_dir"), Some("/opt/shop"));
    assert_eq!(value("task/env/CC"), Some("clang"));
    assert_eq!(value("task/build/1/command/line"), Some("make"));
    assert_eq!(value("task/source/git/url"), Some("https://example.org/x.git"));
}

#[test]
fn a_file_of_the_recipe_is_an_input_wherever_it_is_named() {
    let project = shop().recipe_dir("/home/me/shop").task(task("a").input("/home/me/shop/etc")).build().unwrap();
    let inputs = project.tasks()[0].all_inputs();
    assert_eq!(inputs, [Input::Tree { path: "etc".into(), excludes: Vec::new() }]);
}
