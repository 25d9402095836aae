//! Large graphs: every key its own, no recursion, whatever the shape.

use std::collections::HashSet;

use cortado::{Inputs, Task};

use super::{shop, tags, task};

fn all_distinct(tasks: impl IntoIterator<Item = Task>) -> usize {
    let project = shop().tasks(tasks).build().unwrap();
    let tags = tags(&project, Inputs::default());
    assert_eq!(tags.values().collect::<HashSet<_>>().len(), project.tasks().len());
    tags.len()
}

fn link(number: usize) -> Task {
    let task = task(&format!("t{number}")).command("make");
    if number == 0 { task } else { task.depends_on(format!("t{}", number - 1)) }
}

#[test]
fn a_chain_of_a_thousand() {
    assert_eq!(all_distinct((0..1_000).map(link)), 1_000);
}

#[test]
fn a_chain_of_a_hundred_thousand_declared_backwards_needs_no_deep_stack() {
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let chain = small.spawn(|| all_distinct((0..100_000).rev().map(link))).unwrap();
    assert_eq!(chain.join().unwrap(), 100_000);
}

#[test]
fn ten_thousand_tasks_in_layers_of_a_hundred() {
    let layered = |number: usize| {
        let below = (number / 100).checked_sub(1).map(|layer| layer * 100);
        let upstreams = below.into_iter().flat_map(|start| (0..3).map(move |step| start + (number + step * 7) % 100));
        upstreams.fold(task(&format!("t{number}")), |task, upstream| task.depends_on(format!("t{upstream}")))
    };
    assert_eq!(all_distinct((0..10_000).map(layered)), 10_000);
}

#[test]
fn twenty_thousand_tasks_upon_one() {
    let fan = (0..20_000).map(|number| task(&format!("t{number}")).depends_on("base"));
    assert_eq!(all_distinct(fan.chain([task("base")])), 20_001);
}
