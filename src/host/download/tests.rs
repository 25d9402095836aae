//! Downloads against a server that misbehaves, and without any server.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::{Download, DownloadEvent};
use crate::error::{Error, Result};
use crate::host::http::{Network, Retries};
use crate::model::{Algorithm, Checksum, Digest};

const BODY: &[u8] = b"the quick brown fox jumps over the lazy dog";

/// A source cache and everything else a download wants.
struct Shop {
    dir: TempDir,
    headers: Vec<(String, String)>,
    checksum: Checksum,
    mirrors: Vec<PathBuf>,
    network: Network,
}

impl Shop {
    fn new() -> Self {
        let retries = Retries { times: 2, first: Duration::ZERO, longest: Duration::from_millis(1) };
        Self {
            dir: TempDir::new().unwrap(),
            headers: Vec::new(),
            checksum: Checksum::new(Algorithm::Sha256, &Digest::of(BODY).to_string()).unwrap(),
            mirrors: Vec::new(),
            network: Network { retries, ..Network::default() },
        }
    }

    fn offline() -> Self {
        let mut shop = Self::new();
        shop.network.offline = true;
        shop
    }

    fn cache_dir(&self) -> PathBuf {
        self.dir.path().join("sources")
    }

    /// A directory of files at hand.
    fn mirror(&mut self, files: &[(&str, &[u8])]) {
        let dir = self.dir.path().join(format!("mirror{}", self.mirrors.len()));
        fs::create_dir(&dir).unwrap();
        for (name, content) in files {
            fs::write(dir.join(name), content).unwrap();
        }
        self.mirrors.push(dir);
    }

    fn get(&self, url: &str) -> (Result<PathBuf>, Vec<DownloadEvent>) {
        self.get_unless(url, &|| false)
    }

    fn get_unless(&self, url: &str, cancelled: &dyn Fn() -> bool) -> (Result<PathBuf>, Vec<DownloadEvent>) {
        let mut events = Vec::new();
        let download = Download {
            url,
            headers: &self.headers,
            checksum: &self.checksum,
            cache_dir: &self.cache_dir(),
            mirrors: &self.mirrors,
            network: &self.network,
            cancelled,
        };
        (download.run(&mut |event| events.push(event)), events)
    }

    /// Everything in the cache, as paths below it.
    fn kept(&self) -> Vec<String> {
        let mut kept = Vec::new();
        for slot in fs::read_dir(self.cache_dir()).unwrap() {
            let slot = slot.unwrap();
            kept.push(slot.file_name().into_string().unwrap());
            for file in fs::read_dir(slot.path()).unwrap() {
                kept.push(file.unwrap().path().strip_prefix(self.cache_dir()).unwrap().display().to_string());
            }
        }
        kept.sort();
        kept
    }
}

fn content((path, _): (Result<PathBuf>, Vec<DownloadEvent>)) -> Vec<u8> {
    fs::read(path.unwrap()).unwrap()
}

fn text((result, _): (Result<PathBuf>, Vec<DownloadEvent>)) -> String {
    result.unwrap_err().to_string()
}

fn file_url(path: &Path) -> String {
    format!("file://{}", path.display())
}

#[test]
fn a_file_address_is_copied_into_the_cache_and_found_there_again() {
    let shop = Shop::offline();
    let origin = shop.dir.path().join("a b.tar");
    fs::write(&origin, BODY).unwrap();
    fs::set_permissions(&origin, fs::Permissions::from_mode(0o755)).unwrap();
    let (path, events) = shop.get(&file_url(&origin));
    let place = shop.cache_dir().join(Digest::of(BODY).to_string()).join("a_b.tar");
    assert_eq!((path.unwrap(), events.len()), (place.clone(), 1));
    assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o644, "whatever the origin's mode");

    fs::remove_file(&origin).unwrap();
    let (path, events) = shop.get(&file_url(&origin));
    assert_eq!((path.unwrap(), events), (place, vec![DownloadEvent::Cached]));
    assert_eq!(shop.kept().len(), 2, "no lock and no partial file stays: {:?}", shop.kept());
}

#[test]
fn a_wrong_checksum_names_both_values_and_keeps_nothing() {
    let shop = Shop::offline();
    let origin = shop.dir.path().join("evil.tar");
    fs::write(&origin, "evil").unwrap();
    let message = text(shop.get(&file_url(&origin)));
    let (wanted, found) = (Digest::of(BODY), Digest::of("evil"));
    assert_eq!(message, format!("{}: wrong sha256: expected {wanted}, found {found}", file_url(&origin)));
    assert!(shop.kept().is_empty(), "{:?}", shop.kept());
}

#[test]
fn a_cached_file_that_went_bad_is_fetched_again() {
    let shop = Shop::offline();
    let origin = shop.dir.path().join("a.tar");
    fs::write(&origin, BODY).unwrap();
    let path = shop.get(&file_url(&origin)).0.unwrap();
    fs::write(&path, "bit rot").unwrap();
    assert_eq!(content(shop.get(&file_url(&origin))), BODY);
}

#[test]
fn the_same_content_at_another_address_is_taken_from_the_cache() {
    let shop = Shop::offline();
    let origin = shop.dir.path().join("a.tar");
    fs::write(&origin, BODY).unwrap();
    shop.get(&file_url(&origin)).0.unwrap();
    let (path, events) = shop.get("https://elsewhere.invalid/b.tar");
    assert!(path.unwrap().ends_with("b.tar"));
    assert_eq!(events, [DownloadEvent::Cached]);
}

#[test]
fn weaker_algorithms_have_directories_of_their_own() {
    let mut shop = Shop::offline();
    shop.checksum = Checksum::new(Algorithm::Md5, "d41d8cd98f00b204e9800998ecf8427e").unwrap();
    shop.mirror(&[("empty", b"")]);
    let path = shop.get("https://example.invalid/").0.unwrap();
    assert!(path.ends_with("md5-d41d8cd98f00b204e9800998ecf8427e/source"), "{path:?}");
}

#[test]
fn offline_without_the_file_says_so() {
    let shop = Shop::offline();
    let message = text(shop.get("https://me:secret@example.invalid/a.tar"));
    assert_eq!(message, "`https://example.invalid/a.tar` is not in the source cache, and the network is forbidden");
}

#[test]
fn a_mirror_is_searched_by_name_then_by_content() {
    let mut shop = Shop::offline();
    shop.mirror(&[("a.tar", b"wrong"), ("other-name.bin", BODY)]);
    let (path, events) = shop.get("https://example.invalid/a.tar");
    assert_eq!(fs::read(path.unwrap()).unwrap(), BODY);
    assert_eq!(events, [DownloadEvent::FromMirror(shop.mirrors[0].join("other-name.bin"))]);
}

#[test]
fn a_file_of_the_right_name_is_preferred_in_any_mirror() {
    let mut shop = Shop::offline();
    shop.mirror(&[("1", BODY)]);
    shop.mirror(&[("a.tar", BODY)]);
    let (_, events) = shop.get("https://example.invalid/a.tar");
    assert_eq!(events, [DownloadEvent::FromMirror(shop.mirrors[1].join("a.tar"))]);
}

#[test]
fn a_mirror_that_does_not_exist_is_named() {
    let mut shop = Shop::offline();
    shop.mirrors.push("/nonexistent/mirror".into());
    assert!(text(shop.get("https://example.invalid/a")).starts_with("could not read `/nonexistent/mirror`"));
}

#[cfg(not(feature = "http"))]
#[test]
fn without_the_feature_the_error_names_it() {
    assert!(text(Shop::new().get("https://example.invalid/a")).ends_with("build it with the feature `http`"));
}

#[cfg(feature = "http")]
mod over_http {
    use super::*;
    use crate::host::http::server::{Answer, Server};

    fn reasons(events: &[DownloadEvent]) -> Vec<&str> {
        let mut reasons = Vec::new();
        for event in events {
            if let DownloadEvent::Retrying { reason, .. } = event {
                reasons.push(reason.as_str());
            }
        }
        reasons
    }

    #[test]
    fn a_download_tells_how_far_it_is() {
        let (shop, server) = (Shop::new(), Server::start([Answer::pieces(BODY, 7)]));
        let (path, events) = shop.get(&format!("{}/dir/a.tar", server.url));
        assert_eq!(fs::read(path.unwrap()).unwrap(), BODY);
        assert_eq!(events[0], DownloadEvent::Started(format!("{}/dir/a.tar", server.url)));
        let total = BODY.len() as u64;
        assert_eq!(events.last(), Some(&DownloadEvent::Progress { bytes: total, total: Some(total) }));
        assert!(server.requests()[0].starts_with("get /dir/a.tar http/1.1\n"));
    }

    #[test]
    fn what_is_not_there_is_not_asked_for_twice() {
        for status in ["401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"] {
            let (shop, server) = (Shop::new(), Server::start([Answer::status(status, "")]));
            let url = format!("{}/a", server.url);
            assert_eq!(text(shop.get(&url)), format!("could not download `{url}`: the server answered {status}"));
            assert_eq!(server.requests().len(), 1);
            assert!(shop.kept().is_empty());
        }
    }

    #[test]
    fn a_server_in_trouble_gets_another_chance() {
        let busy = Answer::status("429 Too Many Requests", "Retry-After: 3600\r\n");
        let answers = [Answer::status("500 Internal Server Error", ""), busy, Answer::ok(BODY)];
        let (shop, server) = (Shop::new(), Server::start(answers));
        let (path, events) = shop.get(&format!("{}/a", server.url));
        assert_eq!(fs::read(path.unwrap()).unwrap(), BODY);
        let busy = "the server answered 429 Too Many Requests";
        assert_eq!(reasons(&events), ["the server answered 500 Internal Server Error", busy]);
        let capped = DownloadEvent::Retrying { attempt: 2, reason: busy.into(), after: Duration::from_millis(1) };
        assert!(events.contains(&capped), "{events:?}");
    }

    #[test]
    fn attempts_are_counted() {
        let trouble = || Answer::status("503 Service Unavailable", "");
        let (shop, server) = (Shop::new(), Server::start([trouble(), trouble(), trouble()]));
        assert!(text(shop.get(&format!("{}/a", server.url))).ends_with("503 Service Unavailable"));
        assert_eq!(server.requests().len(), 3);
    }

    #[test]
    fn a_truncated_body_is_continued_where_it_broke_off() {
        let (shop, server) = (Shop::new(), Server::start([Answer::truncated(BODY, 10), Answer::rest(BODY, 10)]));
        let (path, events) = shop.get(&format!("{}/a", server.url));
        assert_eq!(fs::read(path.unwrap()).unwrap(), BODY);
        assert!(reasons(&events)[0].starts_with("the transfer broke off after 10 B of 43 B"), "{events:?}");
        let requests = server.requests();
        assert!(!requests[0].contains("range:"));
        assert!(requests[1].contains("\nrange: bytes=10-\n") && requests[1].contains("\nif-range: \"v1\"\n"));
    }

    #[test]
    fn a_weak_etag_is_no_promise_about_bytes_but_a_date_is() {
        let headers = "ETag: W/\"v1\"\r\nLast-Modified: Sat, 01 Jan 2000 00:00:00 GMT\r\n";
        let half = Answer::truncated_with(BODY, 10, headers);
        let (shop, server) = (Shop::new(), Server::start([half, Answer::rest(BODY, 10)]));
        assert_eq!(content(shop.get(&format!("{}/a", server.url))), BODY);
        assert!(server.requests()[1].contains("\nif-range: sat, 01 jan 2000 00:00:00 gmt\n"));
    }

    #[test]
    fn a_file_that_is_all_there_but_for_its_name_is_not_asked_for() {
        let shop = Shop::new();
        let dir = shop.cache_dir().join(shop.checksum.hex());
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(".a.part"), BODY).unwrap();
        assert_eq!(content(shop.get("http://127.0.0.1:1/a")), BODY);
    }

    #[test]
    fn a_later_run_continues_too() {
        let mut shop = Shop::new();
        shop.network.retries.times = 0;
        let server = Server::start([Answer::truncated(BODY, 10), Answer::rest(BODY, 10)]);
        let url = format!("{}/a", server.url);
        assert!(text(shop.get(&url)).contains("broke off after 10 B"));
        assert_eq!(content(shop.get(&url)), BODY);
        assert!(server.requests()[1].contains("\nrange: bytes=10-\n"));
        assert_eq!(shop.kept().len(), 2, "only the file stays: {:?}", shop.kept());
    }

    #[test]
    fn a_server_that_ignores_ranges_starts_the_file_over() {
        let (shop, server) = (Shop::new(), Server::start([Answer::truncated(BODY, 10), Answer::ok(BODY)]));
        assert_eq!(content(shop.get(&format!("{}/a", server.url))), BODY);
    }

    #[test]
    fn a_range_that_cannot_be_served_starts_the_file_over() {
        let refused = Answer::status("416 Range Not Satisfiable", "");
        let wrong = Answer::rest(BODY, 12);
        for answer in [refused, wrong] {
            let (shop, server) = (Shop::new(), Server::start([Answer::truncated(BODY, 10), answer, Answer::ok(BODY)]));
            assert_eq!(content(shop.get(&format!("{}/a", server.url))), BODY);
            assert!(!server.requests()[2].contains("range:"));
        }
    }

    #[test]
    fn halves_of_different_files_are_thrown_away_once() {
        let other = [b'x'; BODY.len()];
        let halves = || [Answer::truncated(&other, 10), Answer::rest(BODY, 10)];
        let (shop, server) = (Shop::new(), Server::start(halves().into_iter().chain([Answer::ok(BODY)])));
        assert_eq!(content(shop.get(&format!("{}/a", server.url))), BODY);

        let (shop, server) = (Shop::new(), Server::start(halves().into_iter().chain(halves())));
        assert!(matches!(shop.get(&format!("{}/a", server.url)).0, Err(Error::Checksum { .. })));
        assert_eq!(server.requests().len(), 4);
        assert!(shop.kept().is_empty(), "{:?}", shop.kept());
    }

    #[test]
    fn a_wrong_whole_file_is_not_asked_for_again() {
        let (shop, server) = (Shop::new(), Server::start([Answer::ok(b"evil")]));
        assert!(matches!(shop.get(&format!("{}/a", server.url)).0, Err(Error::Checksum { .. })));
        assert_eq!(server.requests().len(), 1);
        assert!(shop.kept().is_empty(), "{:?}", shop.kept());
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let (mut shop, server) = (Shop::new(), Server::start([Answer::hang(BODY), Answer::ok(BODY)]));
        shop.network.timeouts.idle = Duration::from_secs(1);
        let (path, events) = shop.get(&format!("{}/a", server.url));
        assert_eq!(fs::read(path.unwrap()).unwrap(), BODY);
        assert!(reasons(&events)[0].contains("timeout"), "{events:?}");
    }

    #[test]
    fn an_attempt_may_take_so_long_as_a_whole() {
        let mut shop = Shop::new();
        shop.network.timeouts.idle = Duration::from_secs(60);
        shop.network.timeouts.total = Some(Duration::from_secs(1));
        let server = Server::start([Answer::hang(BODY), Answer::ok(BODY)]);
        assert_eq!(content(shop.get(&format!("{}/a", server.url))), BODY);
        assert_eq!(server.requests().len(), 2);
    }

    #[test]
    fn secrets_stay_with_the_host_they_are_for() {
        let mut shop = Shop::new();
        shop.headers = vec![("X-Token".into(), "hush".into())];
        let elsewhere = Server::start([Answer::ok(BODY)]);
        let away = Answer::redirect(&format!("{}/b", elsewhere.url));
        let home = Server::start([Answer::redirect("/moved"), away]);
        let url = home.url.replace("http://", "http://me:secret@");
        let (path, events) = shop.get(&format!("{url}/a"));
        assert!(path.unwrap().ends_with("a"));
        assert!(!format!("{events:?}").contains("secret"), "{events:?}");
        for request in home.requests() {
            assert!(request.contains("x-token: hush\n"), "{request}");
            assert!(request.contains("authorization: basic bwu6c2vjcmv0\n"), "{request}");
        }
        let request = &elsewhere.requests()[0];
        assert!(!request.contains("x-token") && !request.contains("authorization"), "{request}");
    }

    #[test]
    fn redirects_end_somewhere_on_the_network() {
        let (shop, server) = (Shop::new(), Server::start([Answer::redirect("file:///etc/passwd")]));
        assert!(text(shop.get(&format!("{}/a", server.url))).ends_with("it redirects to a `file` address"));
        let (shop, server) = (Shop::new(), Server::start((0..11).map(|_| Answer::redirect("/again"))));
        assert!(text(shop.get(&format!("{}/a", server.url))).ends_with("it redirects more than 10 times"));
    }

    #[test]
    fn a_refused_connection_is_tried_again_and_then_named() {
        let shop = Shop::new();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (result, events) = shop.get(&format!("http://me:secret@{closed}/a"));
        let message = result.unwrap_err().to_string();
        assert!(message.starts_with(&format!("could not download `http://{closed}/a`: ")), "{message}");
        assert_eq!(reasons(&events).len(), 2);
    }

    #[test]
    fn two_threads_want_one_file_and_one_of_them_downloads_it() {
        let (shop, server) = (Shop::new(), Server::start([Answer::pieces(BODY, 1)]));
        let url = format!("{}/a", server.url);
        std::thread::scope(|scope| {
            let both = [(); 2].map(|()| scope.spawn(|| content(shop.get(&url))));
            assert!(both.into_iter().all(|thread| thread.join().unwrap() == BODY));
        });
        assert_eq!(server.requests().len(), 1);
    }

    #[test]
    fn a_cancelled_download_can_be_continued() {
        let (shop, server) = (Shop::new(), Server::start([Answer::truncated(BODY, 10), Answer::rest(BODY, 10)]));
        let url = format!("{}/a", server.url);
        let asked = Cell::new(0);
        let cancelled = || asked.replace(asked.get() + 1) >= 3;
        assert!(matches!(shop.get_unless(&url, &cancelled).0, Err(Error::Interrupted)));
        assert_eq!(content(shop.get(&url)), BODY);
    }

    #[test]
    fn a_file_without_certificates_is_no_ca_file() {
        let mut shop = Shop::new();
        let pem = shop.dir.path().join("ca.pem");
        fs::write(&pem, "nothing").unwrap();
        shop.network.ca_file = Some(pem.clone());
        let message = text(shop.get("https://127.0.0.1:1/a"));
        assert_eq!(message, format!("{}: it holds no certificate", pem.display()));
    }
}
