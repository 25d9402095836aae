//! How long a plan takes: graph, selection and every shasum, for graphs of several shapes and sizes.

#![allow(missing_docs, clippy::unwrap_used, reason = "made by criterion; a bench fails by panicking")]

use std::hint::black_box;
use std::time::Duration;

use cortado::{Graph, Inputs, Plan, Project, Source, Task};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// A task of ordinary size.
fn task(number: usize) -> Task {
    Task::new(format!("package-{number}"))
        .version("1.3.1")
        .license("Zlib")
        .license_file("LICENSE")
        .source(Source::url(format!("https://example.org/package-{number}-1.3.1.tar.gz")).sha256("a".repeat(64)))
        .env([("CFLAGS", "-O2 -g")])
        .command("./configure --prefix=@{install_dir} --disable-static")
        .command("make")
        .command("make install DESTDIR=@{stage_dir}")
}

fn project(tasks: impl Iterator<Item = Task>) -> Project {
    Project::new("bench").install_dir("/opt/bench").work_dir("/var/bench").tasks(tasks).build().unwrap()
}

fn needs(task: Task, upstream: usize) -> Task {
    task.depends_on(format!("package-{upstream}"))
}

/// Each task depends on the one before it.
fn chain(count: usize) -> Project {
    let link = |number: usize| number.checked_sub(1).map_or(task(0), |before| needs(task(number), before));
    project((0..count).map(link))
}

/// Layers of a hundred; each task depends on three of the layer below.
fn layered(count: usize) -> Project {
    project((0..count).map(|number| match (number / 100).checked_sub(1) {
        None => task(number),
        Some(layer) => (0..3).fold(task(number), |task, step| needs(task, layer * 100 + (number + step * 7) % 100)),
    }))
}

/// All tasks depend on the first.
fn fan(count: usize) -> Project {
    project(std::iter::once(task(0)).chain((1..count).map(|number| needs(task(number), 0))))
}

fn plan(project: &Project) -> usize {
    let graph = Graph::new(project).unwrap();
    let selection = graph.select(&[] as &[&str]).unwrap();
    Plan::new(&graph, &selection, Inputs::new("linux-x86_64-gnu-2.36")).unwrap().tasks().len()
}

fn plans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    let graphs = [
        ("chain", 1_000, chain(1_000)),
        ("layered", 1_000, layered(1_000)),
        ("layered", 10_000, layered(10_000)),
        ("layered", 100_000, layered(100_000)),
        ("fan", 1_000, fan(1_000)),
        ("fan", 10_000, fan(10_000)),
    ];
    for (shape, count, project) in &graphs {
        group.throughput(Throughput::Elements(*count));
        group.bench_function(BenchmarkId::new(*shape, count), |bencher| bencher.iter(|| plan(black_box(project))));
    }
    group.finish();
}

criterion_group!(benches, plans);
criterion_main!(benches);
