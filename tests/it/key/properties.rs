//! Properties of keys over random projects: one change moves exactly what is downstream, and order moves nothing.

use std::collections::BTreeSet;

use cortado::command::{Copy, Patch, Shell, Sync, Template};
use cortado::{Env, Source, Task};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{answers, shop, tags};

/// The fields of a random task; each holds a small number that a flip adds one to.
#[derive(Debug, Clone)]
struct Parts {
    fields: [u8; FIELDS],
    upstreams: Vec<Index>,
}

const FIELDS: usize = 12;

fn parts() -> impl Strategy<Value = Parts> {
    (any::<[u8; FIELDS]>(), prop::collection::vec(any::<Index>(), 0..4))
        .prop_map(|(fields, upstreams)| Parts { fields: fields.map(|field| field % 4), upstreams })
}

/// The task at `position`, which depends on some of those before it.
fn task(position: usize, parts: &Parts) -> Task {
    let [version, checksum, strip, license, line, env, dir, decide, patch, variable, secret, input] = parts.fields;
    let of = |field: u8| field.to_string();
    let source = Source::url("https://example.org/x").sha256(of(checksum).repeat(64)).strip(strip.into());
    let task = Task::new(format!("t{position}"))
        .version(of(version))
        .source(source)
        .license(of(license))
        .env(Env::new().set("A", of(env)).secret("B", of(secret)))
        .step(Shell::new(of(line)).dir(of(dir)))
        .step(Copy::new(of(input), "@{recipe_dir}"))
        .step(Sync::new("a", "b").decide(of(decide), |_, _| Ok(true)))
        .step(Patch::text(of(patch)))
        .step(Template::text("", "x").variable("v", variable));
    upstreams(position, parts).into_iter().fold(task, |task, upstream| task.depends_on(format!("t{upstream}")))
}

fn upstreams(position: usize, parts: &Parts) -> BTreeSet<usize> {
    let below = (position > 0).then_some(position);
    below.map(|count| parts.upstreams.iter().map(|index| index.index(count)).collect()).unwrap_or_default()
}

/// `start` and everything that depends on it, by name.
fn downstream(start: usize, all: &[Parts]) -> BTreeSet<String> {
    let mut reached = BTreeSet::from([start]);
    for (position, parts) in all.iter().enumerate().skip(start + 1) {
        if !upstreams(position, parts).is_disjoint(&reached) {
            reached.insert(position);
        }
    }
    reached.into_iter().map(|position| format!("t{position}")).collect()
}

fn tags_of(tasks: impl IntoIterator<Item = Task>) -> std::collections::BTreeMap<String, String> {
    let project = shop().tasks(tasks).build().unwrap();
    tags(&project, answers(&project))
}

fn tasks(all: &[Parts]) -> Vec<Task> {
    all.iter().enumerate().map(|(position, parts)| task(position, parts)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn one_flipped_field_changes_a_task_and_its_downstreams_alone(
        all in prop::collection::vec(parts(), 1..24),
        which in any::<Index>(),
        field in 0..FIELDS,
    ) {
        let which = which.index(all.len());
        let mut flipped = all.clone();
        flipped[which].fields[field] += 1;
        let (before, after) = (tags_of(tasks(&all)), tags_of(tasks(&flipped)));
        let changed: BTreeSet<_> = before.into_iter().filter(|(name, tag)| after[name] != *tag).map(|(name, _)| name).collect();
        prop_assert_eq!(changed, downstream(which, &all));
    }

    #[test]
    fn the_order_of_declaration_changes_nothing(
        (all, shuffled) in prop::collection::vec(parts(), 1..24)
            .prop_flat_map(|all| (Just(all.clone()), Just(tasks(&all)).prop_shuffle())),
    ) {
        prop_assert_eq!(tags_of(tasks(&all)), tags_of(shuffled));
    }
}
