//! How fast a large object comes out of each store, beside `curl -o` of the same bytes.
//!
//! ```sh
//! CORTADO_TEST_SERVERS=target/servers cargo bench --features stores --bench stores -- 200
//! ```
//!
//! The number is the object's size in MB. Each server runs on the loopback. A round fetches the object once by curl and once
//! out of the store, each into a file of the same directory; what is told are medians of seven rounds. For Redis, which
//! curl does not speak, it is curl from nginx.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]

#[path = "../../tests/it/support/service.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod service;
#[path = "../../tests/it/support/wanted.rs"]
mod wanted;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cortado::stores::{Azblob, Http, Redis, S3, Webdav};
use cortado::{Put, Store, Stored};

const ROUNDS: usize = 7;

fn main() {
    let size = std::env::args().skip(1).find_map(|word| word.parse::<usize>().ok()).unwrap_or(200);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("object");
    std::fs::write(&file, noise(size * 1_000_000)).unwrap();
    println!("{:<8} {:>12} {:>12} {:>12} {:>7}", "store", "put MB/s", "get MB/s", "curl MB/s", "x curl");
    if let Some(nginx) = service::nginx() {
        let url = nginx.url().replace("http://", "http://me:hush@");
        compare("http", size, &Http::new(url.as_str()).open().unwrap(), &file, &format!("{url}/object"));
        let mut webdav = Webdav::new(nginx.url());
        (webdav.username, webdav.password) = (Some("me".into()), Some("hush".into()));
        compare("webdav", size, &webdav.open().unwrap(), &file, &format!("{url}/object"));
        if let Some(redis) = service::redis("") {
            let redis = Redis::new(format!("redis://127.0.0.1:{}", redis.port)).open().unwrap();
            compare("redis", size, &redis, &file, &format!("{url}/object"));
        }
    }
    if let Some(moto) = service::s3() {
        let mut s3 = S3::new("shop");
        s3.endpoint = Some(moto.url().into());
        (s3.access_key_id, s3.secret_access_key) = (Some("me".into()), Some("hush".into()));
        compare("s3", size, &s3.open().unwrap(), &file, &format!("{}/shop/object", moto.url()));
    }
    if let Some((_azurite, connection)) = service::azblob() {
        let store = Azblob::new(connection, "shop").open().unwrap();
        let put = time(|| assert_eq!(put(&store, &file), Stored::New));
        println!("{:<8} {:>12.0} {:>12.0}", "azblob", rate(size, put), rate(size, time(|| get(&store, &file))));
    }
}

fn compare(name: &str, size: usize, store: &dyn Store, file: &Path, url: &str) {
    let put = time(|| _ = put(store, file));
    let (mut gets, mut curls) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        curls.push(time(|| curl(url, file)));
        gets.push(time(|| get(store, file)));
    }
    let (get, curl) = (median(gets), median(curls));
    let ratio = curl.as_secs_f64() / get.as_secs_f64();
    println!("{name:<8} {:>12.0} {:>12.0} {:>12.0} {ratio:>7.2}", rate(size, put), rate(size, get), rate(size, curl));
}

fn put(store: &dyn Store, file: &Path) -> Stored {
    store.put_file("object", file, &Put::replacing(true)).unwrap()
}

fn get(store: &dyn Store, file: &Path) {
    let mut object = store.get("object").unwrap().unwrap();
    let mut copy = File::create(file.with_extension("copy")).unwrap();
    let mut buffer = vec![0; 128 << 10];
    let mut bytes = 0;
    loop {
        match object.read(&mut buffer).unwrap() {
            0 => break,
            count => {
                copy.write_all(&buffer[..count]).unwrap();
                bytes += count as u64;
            }
        }
    }
    assert_eq!(bytes, file.metadata().unwrap().len());
}

fn curl(url: &str, file: &Path) {
    let output = file.with_extension("curl");
    let status = Command::new("curl").args(["--silent", "--fail", "-o"]).arg(output).arg(url).status().unwrap();
    assert!(status.success());
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn rate(size: usize, time: Duration) -> f64 {
    size as f64 / time.as_secs_f64()
}

/// Bytes that no server compresses.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = Vec::with_capacity(size + 8);
    while noise.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(state.to_le_bytes());
    }
    noise.truncate(size);
    noise
}
