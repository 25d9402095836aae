//! A server that has worked for a month: projects, tasks, writers, and a history with days and nights.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::super::client::Request;
use super::super::served::Served;

/// A task: its project, its name, KiB of its artifacts, and who has put them there.
type Ware = (&'static str, &'static str, &'static [usize], &'static [&'static str]);

pub(super) const WARES: [Ware; 12] = [
    ("coffeeshop", "openssl", &[412, 409, 415, 402], &["ci-main", "ci-main", "anna", "ci-release"]),
    ("coffeeshop", "zlib", &[61, 60], &["ci-main"]),
    ("coffeeshop", "sqlite", &[230, 231, 228], &["ci-main", "jonas"]),
    ("coffeeshop", "curl", &[180], &["ci-main"]),
    ("coffeeshop", "espresso", &[95, 96, 97, 99, 101], &["ci-main", "anna", "jonas", "mira", "ci-release"]),
    ("coffeeshop", "beans", &[3], &["anna"]),
    ("roastery", "lua", &[120], &["ci-nightly"]),
    ("roastery", "drum", &[58, 57], &["ci-nightly"]),
    ("roastery", "chaff-cyclone", &[19], &["ci-nightly"]),
    ("deliveries", "router", &[310, 308], &["ci-main"]),
    ("deliveries", "maps", &[640], &["mira"]),
    ("tasting-notes", "site", &[12], &["anna"]),
];

/// A server with all of it.
pub(super) fn open() -> Served {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("kept");
    std::fs::create_dir(&kept).unwrap();
    std::fs::write(kept.join("0.json"), history().to_string()).unwrap();
    let served = Served::in_dir(dir, |options| options.history = Some(kept));
    fill(&served);
    served
}

fn fill(served: &Served) {
    for (project, task, sizes, writers) in WARES {
        for (number, size) in sizes.iter().enumerate() {
            let name = format!(
                "{project}-{task}-{:064x}.tar.gz",
                (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            );
            let put = Request::new("PUT", &format!("/v1/artifacts/{name}")).body(vec![b'x'; size << 10]);
            let put = put.header("Cortado-Project", project).header("Cortado-Task", task);
            let put = put.header("Cortado-Writer", writers[number % writers.len()]).header("Cortado-Host", "runner-7");
            let put = put.header("Cortado-Commit", "c0ffee5eed00112233445566778899aabbccddee");
            assert_eq!(served.send(&put.header("Cortado-Build-Time", (size * 311).to_string())).status, 201);
        }
    }
    for (package, versions) in
        [("cupping-form", ["1.9", "1.10"]), ("roast_curve", ["0.3", "0.4rc1"]), ("grinder", ["2.0", "2.1"])]
    {
        for version in versions {
            for file in [format!("{package}-{version}-py3-none-any.whl"), format!("{package}-{version}.tar.gz")] {
                let put = Request::new("PUT", &format!("/p/{file}")).body(vec![b'x'; 9 << 10]);
                assert_eq!(served.send(&put).status, 200);
            }
        }
    }
    for number in 0..9 {
        let path = format!("/gradle/{number:032x}");
        assert_eq!(served.send(&Request::new("PUT", &path).body(vec![b'x'; 40 << 10])).status, 201);
    }
}

/// Format 1 of the history, as `docs/server.md` describes it.
fn history() -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let line = |spans: u64, seconds: u64, scale: f64| {
        let line = (0..spans).filter_map(|back| {
            let number = now / seconds - back;
            Some((number.to_string(), tally(number * seconds, scale)?))
        });
        Value::Object(line.collect::<Map<_, _>>())
    };
    let day = |hits: u64, misses: u64| json!({(now / 86_400).to_string(): [hits, misses, 3], (now / 86_400 - 4).to_string(): [hits, 1, 0]});
    let mut subjects: Map<_, _> = WARES
        .iter()
        .enumerate()
        .map(|(n, ware)| (format!("{}-{}", ware.0, ware.1), day(900 / (n as u64 + 1), 40)))
        .collect();
    subjects.insert("gradle~".into(), day(311, 17));
    json!({"version": 1, "minutes": line(1440, 60, 1.0), "hours": line(720, 3600, 45.0), "subjects": subjects})
}

/// Busy days, quiet nights, and a change at times after which little is there.
fn tally(time: u64, scale: f64) -> Option<Value> {
    let hour = (time % 86_400) as f64 / 3600.0;
    let noise = ((time / 60).wrapping_mul(2_654_435_761) >> 7) % 100;
    let busy = ((hour - 4.0) / 24.0 * std::f64::consts::TAU).sin().max(-0.75) + 0.8;
    let lookups = (busy * scale * (10.0 + noise as f64 / 10.0)) as u64;
    let is_new = (time / 3600) % 29 == 3;
    let rate = if is_new { 0.35 } else { 0.86 + 0.13 * (noise as f64 / 100.0) };
    let hits = (lookups as f64 * rate).round() as u64;
    (lookups > 0).then(|| json!([hits, lookups - hits, (lookups - hits) / 2]))
}
