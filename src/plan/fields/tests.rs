//! Holds the list to its own promises: groups hold as many fields as they say, and only of inputs that were declared.

use super::*;
use crate::model::command::{Bin, Mkdir, Patch, Shell, Sync, Template};
use crate::model::{Format, Source};
use crate::plan::Inputs;

/// Counts what groups hold.
#[derive(Default)]
struct Counter {
    /// For each open group its label, the fields that it promised and those that it had.
    groups: Vec<(String, usize, usize)>,
}

impl Counter {
    fn count(&mut self) {
        self.groups.iter_mut().last().into_iter().for_each(|(_, _, had)| *had += 1);
    }
}

impl Reader for Counter {
    fn bytes(&mut self, _label: &str, _value: &[u8]) {
        self.count();
    }

    fn open(&mut self, label: &str, count: usize) {
        self.count();
        self.groups.push((label.to_owned(), count, 0));
    }

    fn close(&mut self) {
        let (label, promised, had) = self.groups.pop().expect("a group is open");
        assert_eq!(promised, had, "{label}");
    }
}

fn everything() -> Vec<Task> {
    let json = serde_json::json!({"list": [1, 2.5, "x", null, true], "map": {}});
    let full = Task::new("full")
        .version("1")
        .source(Source::url("https://example.org/a.tar.gz").sha256("a".repeat(64)).format(Format::TarGz))
        .license_file("LICENSE")
        .relative_path("sub")
        .env(Env::from([("A", "@{recipe_dir}/a")]).secret("TOKEN", "x"))
        .probe("cc --version")
        .input("etc")
        .step(Shell::new("make").env([("B", "b")]).dir("x"))
        .step(Bin::new("tool").args(["a", "b"]).dir("x"))
        .copy("/etc/motd", "b")
        .step(Sync::new("a", "b").exclude("*.o").decide("newer", |_, _| Ok(true)))
        .link("a", "b")
        .step(Mkdir::new("a").mode(0o700))
        .step(Patch::file("fix.patch"))
        .step(Patch::text("--- a"))
        .step(Template::file("in.j2", "out").variable("json", json))
        .block(crate::block!(|_scope| Ok(())))
        .emit("hello");
    let git = Source::git("https://example.org/x.git");
    vec![
        full,
        Task::new("git").version("1").source(git.clone().commit("a".repeat(40))),
        Task::new("reference").version("1").source(git.reference("main")),
        Task::new("local").version("1").source(Source::local("src").exclude("*.o")),
        Task::new("empty").virtual_task(true).depends_on("full"),
    ]
}

#[test]
fn every_group_holds_what_it_promises() {
    let project_of = Project::new("p").install_dir("/o").work_dir("/w").env([("A", "@{recipe_dir}/a")]);
    let inputs = Inputs::new("host");
    for platform in [PlatformKey::Host, PlatformKey::Any] {
        let mut counter = Counter::default();
        project(&mut counter, &project_of.clone().platform(platform).build().unwrap(), &Answers::of(&inputs));
        assert!(counter.groups.is_empty());
    }
    for each in everything() {
        let mut counter = Counter::default();
        let upstreams = [("a", Digest::of("a")), ("b", Digest::of("b"))];
        task(&mut counter, &each, &Answers::of(&inputs), Digest::of("p"), upstreams.into_iter());
        assert!(counter.groups.is_empty());
    }
}

#[test]
fn a_task_names_every_input_that_its_fields_ask_for() {
    for each in everything() {
        let mut inputs = Inputs::new("host");
        each.all_inputs().into_iter().for_each(|input| inputs.insert(input, "answer"));
        let answers = Answers::of(&inputs);
        task(&mut Counter::default(), &each, &answers, Digest::of("p"), [].into_iter());
        answers.check(String::new).unwrap();
    }
}
