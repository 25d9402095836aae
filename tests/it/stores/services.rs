//! Every store against the real service, or what is nearest to it: started here, stopped here. And without one: what
//! never shows, and what is refused.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use cortado::conformance::{self, Lack};
use cortado::stores::{Azblob, Gcs, Http, Memcached, ObjectStore, Redis, S3, Unsupported, Webdav};
use cortado::{CachePolicy, Provenance, Put, Store, Stored};

use crate::support::Shop;
use crate::support::server::{Answer, Server};
use crate::support::service::{self, Service};

const BODY: &[u8] = b"the quick brown fox jumps over the lazy dog";

fn s3(endpoint: impl Into<String>) -> S3 {
    let mut s3 = S3::new("shop");
    s3.endpoint = Some(endpoint.into().into());
    s3.access_key_id = Some("me".into());
    s3.secret_access_key = Some("hush".into());
    s3
}

fn gcs(service: &Service) -> Gcs {
    let mut gcs = Gcs::new("shop");
    gcs.endpoint = Some(service.url().into());
    gcs.anonymous = true;
    gcs
}

fn webdav(service: &Service) -> Webdav {
    let mut webdav = Webdav::new(service.url());
    webdav.username = Some("me".into());
    webdav.password = Some("hush".into());
    webdav
}

fn read(store: &dyn Store, name: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    store.get(name).unwrap()?.read_to_end(&mut content).unwrap();
    Some(content)
}

/// What a store is for: another machine builds nothing.
fn serves_two_machines<S: Store + 'static>(open: impl Fn() -> S) {
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "one")]);
    let run = || shop.run_with(&project, |engine| engine.store(open()).cache_policy(CachePolicy::RequireWrite));
    assert_eq!(run().of("a"), "built");
    shop.clean();
    assert_eq!((run().of("a"), shop.count("a")), ("restored".into(), 1));
}

/// More than a part: it goes and comes in pieces.
fn keeps_large_objects(store: &dyn Store) {
    let shop = Shop::new();
    let content: Vec<u8> = (0..40_000_003_u32).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
    let file = shop.write("large", &content);
    assert_eq!(store.put_file("large", &file, &Put::default()).unwrap(), Stored::New);
    assert!(read(store, "large").unwrap() == content);
    assert_eq!(store.put_file("large", &file, &Put::default()).unwrap(), Stored::Present);
    assert!(store.remove("large").unwrap());
}

/// What is known of an object is kept beside it.
fn keeps_provenance(store: &ObjectStore) {
    let mut options = Put::default();
    options.provenance = Provenance::new().project("Küche").task("zlib").build_time(Duration::from_millis(1500));
    store.put("known", &mut &BODY[..], &options).unwrap();
    let listed = store.describe("known").unwrap().unwrap();
    assert_eq!((listed.size, listed.provenance), (43, options.provenance));
    assert!(listed.stored.is_some());
    assert!(store.describe("unknown").unwrap().is_none());
    store.remove("known").unwrap();
}

/// Two stores with prefixes of their own do not meet.
fn keeps_prefixes_apart(one: &dyn Store, other: &dyn Store) {
    one.put("a", &mut &b"one"[..], &Put::default()).unwrap();
    other.put("b", &mut &b"other"[..], &Put::default()).unwrap();
    assert_eq!((read(one, "b"), read(other, "a")), (None, None));
    let names = |store: &dyn Store| store.list().unwrap().map(|listed| listed.unwrap().name).collect::<BTreeSet<_>>();
    assert_eq!((names(one), names(other)), (BTreeSet::from(["a".into()]), BTreeSet::from(["b".into()])));
    one.remove("a").unwrap();
    other.remove("b").unwrap();
}

#[test]
fn s3_conforms() {
    let Some(service) = service::s3() else { return };
    let store = s3(service.url()).open().unwrap();
    conformance::check(&store).unwrap();
    keeps_large_objects(&store);
    keeps_provenance(&store);
    let mut below = s3(service.url());
    below.prefix = "a/b".into();
    let mut beside = s3(service.url());
    beside.prefix = "/c/".into();
    keeps_prefixes_apart(&below.open().unwrap(), &beside.open().unwrap());
    serves_two_machines(|| s3(service.url()).open().unwrap());
    let mut wrong = s3(service.url());
    wrong.bucket = "elsewhere".into();
    let error = wrong.open().unwrap().put("a", &mut &BODY[..], &Put::default()).unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.starts_with("put of `a` from s3 bucket elsewhere failed: ") && error.contains("NoSuchBucket"),
        "{error}"
    );
}

#[test]
fn of_two_processes_that_put_one_object_into_s3_one_wins() {
    let Some(service) = service::s3() else { return };
    // Two stores share nothing, like two processes: that leaves the condition of the put.
    let (one, other) = (s3(service.url()).open().unwrap(), s3(service.url()).open().unwrap());
    struct Meanwhile<'a>(&'a dyn Store, bool);
    impl Read for Meanwhile<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.1, true) {
                return Ok(0);
            }
            self.0.put("a", &mut &b"first"[..], &Put::default()).map_err(std::io::Error::other)?;
            (&mut &b"second"[..]).read(buffer)
        }
    }
    assert_eq!(one.put("a", &mut Meanwhile(&other, false), &Put::default()).unwrap(), Stored::Present);
    assert_eq!(read(&one, "a").as_deref(), Some(&b"first"[..]));
}

#[test]
fn gcs_conforms() {
    let Some(service) = service::gcs() else { return };
    let store = gcs(&service).open().unwrap();
    conformance::check(&store).unwrap();
    serves_two_machines(|| gcs(&service).open().unwrap());
    let mut reader = gcs(&service);
    reader.read_only = true;
    let declined = reader.open().unwrap().put("a", &mut &BODY[..], &Put::default()).unwrap();
    assert_eq!(declined, Stored::Declined("gcs bucket shop is read-only".into()));
}

#[test]
fn azblob_conforms() {
    let Some((_service, connection)) = service::azblob() else { return };
    let open = || Azblob::new(connection.as_str(), "shop").open().unwrap();
    conformance::check(&open()).unwrap();
    keeps_large_objects(&open());
    keeps_provenance(&open());
    let mut below = Azblob::new(connection.as_str(), "shop");
    below.prefix = "a".into();
    let mut beside = Azblob::new(connection.as_str(), "shop");
    beside.prefix = "b".into();
    keeps_prefixes_apart(&below.open().unwrap(), &beside.open().unwrap());
    serves_two_machines(open);
}

#[test]
fn redis_conforms() {
    let Some(service) = service::redis("hu:sh") else { return };
    let redis = || Redis::new(format!("redis://:hu%3Ash@127.0.0.1:{}/1", service.port));
    let store = redis().open().unwrap();
    conformance::check(&store).unwrap();
    keeps_large_objects(&store);
    let mut other = redis();
    other.prefix = "[a]*".into();
    keeps_prefixes_apart(&store, &other.open().unwrap());
    serves_two_machines(|| redis().open().unwrap());

    let mut short = redis();
    short.ttl = Some(Duration::from_secs(3600));
    short.value_limit = 300_000;
    let short = short.open().unwrap();
    conformance::check_without(&short, &[Lack::Size(300_000)]).unwrap();
    let mut options = Put::default();
    options.size = Some(600 << 20);
    let Stored::Declined(why) = short.put("a", &mut &BODY[..], &options).unwrap() else { panic!("not declined") };
    let place = format!("redis at redis://127.0.0.1:{}/1/cortado", service.port);
    assert_eq!(why, format!("too large for {place}: 600.0 MiB, its limit is 293.0 KiB"));

    let stranger = Redis::new(format!("redis://:hush@127.0.0.1:{}", service.port)).open().unwrap();
    let error = format!("{:#}", stranger.get("a").err().unwrap());
    assert!(error.starts_with("get of `a` from redis at ") && !error.contains("hush"), "{error}");
}

#[test]
fn a_redis_that_hangs_up_is_connected_to_again() {
    let Some(service) = service::redis("") else { return };
    let store = Redis::new(format!("redis://127.0.0.1:{}", service.port)).open().unwrap();
    store.put("a", &mut &BODY[..], &Put::default()).unwrap();
    let mut other = TcpStream::connect(("127.0.0.1", service.port)).unwrap();
    other.write_all(b"CLIENT KILL TYPE normal SKIPME yes\r\n").unwrap();
    let mut killed = [0; 2];
    other.read_exact(&mut killed).unwrap();
    assert_eq!(&killed, b":1");
    assert_eq!(read(&store, "a").as_deref(), Some(BODY));
}

#[test]
fn memcached_conforms_but_for_its_list() {
    let Some(service) = service::memcached("32m") else { return };
    let mut memcached = Memcached::new(format!("tcp://127.0.0.1:{}", service.port));
    memcached.value_limit = 31 << 20;
    memcached.ttl = Some(Duration::from_secs(3600));
    conformance::check_without(&memcached.open().unwrap(), &[Lack::Listing]).unwrap();
    serves_two_machines(|| memcached.open().unwrap());
}

#[test]
fn memcached_declines_what_it_could_not_keep() {
    let Some(service) = service::memcached("1m") else { return };
    let memcached = Memcached::new(format!("127.0.0.1:{}", service.port));
    let store = memcached.open().unwrap();
    conformance::check_without(&store, &[Lack::Listing, Lack::Size(memcached.value_limit)]).unwrap();
    let largest = vec![7; usize::try_from(memcached.value_limit).unwrap()];
    assert_eq!(store.put(&"n".repeat(200), &mut &largest[..], &Put::default()).unwrap(), Stored::New);
}

#[test]
fn webdav_conforms() {
    let Some(service) = service::nginx() else { return };
    conformance::check(&webdav(&service).open().unwrap()).unwrap();
    let mut below = webdav(&service);
    below.prefix = "a/b".into();
    conformance::check(&below.open().unwrap()).unwrap();
    keeps_large_objects(&below.open().unwrap());
    let mut beside = webdav(&service);
    beside.prefix = "c".into();
    keeps_prefixes_apart(&below.open().unwrap(), &beside.open().unwrap());
    serves_two_machines(|| webdav(&service).open().unwrap());
}

#[test]
fn a_plain_web_server_conforms_but_for_its_list() {
    let Some(service) = service::nginx() else { return };
    let mut http = Http::new(service.url());
    http.username = Some("me".into());
    http.password = Some("hush".into());
    let store = http.open().unwrap();
    conformance::check_without(&store, &[Lack::Listing]).unwrap();
    keeps_large_objects(&store);
    serves_two_machines(|| http.open().unwrap());
    http.password = Some("hash".into());
    let error = http.open().unwrap().put("a", &mut &BODY[..], &Put::default()).unwrap_err();
    assert!(
        format!("{error:#}").ends_with("the server answered 401 Unauthorized: it wants other credentials"),
        "{error:#}"
    );
}

#[test]
fn half_of_an_object_out_of_s3_is_an_error() {
    for answer in [Answer::truncated(BODY, 20), Answer::cut_off(BODY), Answer::unmarked(BODY)] {
        let server = Server::start([answer]);
        let store = s3(server.url.as_str()).open().unwrap();
        let read = store.get("a").and_then(|object| {
            let mut content = Vec::new();
            object.unwrap().read_to_end(&mut content)?;
            Ok(content)
        });
        let error = format!("{:#}", read.unwrap_err());
        assert!(error.starts_with("get of `a` from s3 bucket shop "), "{error}");
    }
}

#[test]
fn s3_waits_no_longer_than_it_may() {
    for answer in [Answer::silence(), Answer::hang(BODY), Answer::drip(Duration::from_millis(5))] {
        let server = Server::start([answer]);
        let mut s3 = s3(server.url.as_str());
        s3.network.idle_timeout = Duration::from_millis(200);
        s3.network.total_timeout = Duration::from_millis(500);
        let read = s3
            .open()
            .unwrap()
            .get("a")
            .and_then(|object| Ok(std::io::copy(&mut object.unwrap(), &mut std::io::sink())?));
        assert!(read.is_err());
    }
    let server = Server::start([Answer::endless()]);
    assert!(s3(server.url.as_str()).open().unwrap().get("a").is_err(), "nothing says where it ends");
    let server = Server::start([Answer::ok(&vec![0; (1 << 20) + 1])]);
    let mut s3 = s3(server.url.as_str());
    s3.network.max_object_size = 1 << 20;
    let error = format!("{:#}", s3.open().unwrap().get("a").err().unwrap());
    assert!(error.ends_with("failed: it is larger than 1.0 MiB, the limit"), "{error}");
}

#[test]
fn a_busy_s3_is_asked_again_and_a_redirected_request_is_anonymous() {
    let elsewhere = Server::start([Answer::ok(BODY)]);
    let away = Answer::status("307 Temporary Redirect", &format!("Location: {}/b\r\n", elsewhere.url));
    let home = Server::start([Answer::status("503 Slow Down", "Retry-After: 0\r\n"), away]);
    let store = s3(home.url.as_str()).open().unwrap();
    assert_eq!(read(&store, "a").as_deref(), Some(BODY));
    assert!(home.requests().iter().all(|request| request.contains("authorization: aws4-hmac-sha256")));
    let request = &elsewhere.requests()[0];
    assert!(!request.contains("authorization") && !request.contains("x-amz"), "{request}");
}

#[test]
fn tokens_of_gcs_may_come_from_an_address() {
    let token = br#"{"accessToken": "tea-leaves", "expirationTime": "2999-01-31T12:00:00Z"}"#;
    let (tokens, objects) = (Server::start([Answer::ok(token)]), Server::start([Answer::ok(BODY), Answer::ok(BODY)]));
    let mut gcs = Gcs::new("shop");
    gcs.endpoint = Some(objects.url.as_str().into());
    gcs.token_url = Some(format!("{}/token", tokens.url).into());
    let store = gcs.open().unwrap();
    assert_eq!(read(&store, "a").as_deref(), Some(BODY));
    assert_eq!(read(&store, "a").as_deref(), Some(BODY), "the token lasts");
    assert!(objects.requests().iter().all(|request| request.contains("authorization: bearer tea-leaves\n")));
}

/// All stores, with `hush` wherever there is room for a secret, and a service that is not there.
fn stores_with_secrets() -> Vec<(String, Box<dyn Store>)> {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let http = format!("http://{closed}");
    let mut s3 = s3(http.as_str());
    s3.session_token = Some("hush".into());
    s3.network.proxy = Some(format!("http://me:hush@{closed}").into());
    let mut gcs = Gcs::new("shop");
    gcs.endpoint = Some(http.as_str().into());
    gcs.token_url = Some(format!("http://me:hush@{closed}/?token=hush").into());
    let signed = format!("BlobEndpoint={http};SharedAccessSignature=sv=2021&sig=hush");
    let (key, signed) =
        (format!("BlobEndpoint={http};AccountName=me;AccountKey=aHVzaA=="), Azblob::new(signed, "shop"));
    let keyed = Azblob::new(key, "shop");
    let mut webdav = Webdav::new(http.as_str());
    webdav.username = Some("me".into());
    webdav.password = Some("hush".into());
    let redis = Redis::new(format!("redis://me:hush@{closed}/1"));
    let mut memcached = Memcached::new(format!("tcp://{closed}"));
    memcached.username = Some("me".into());
    memcached.password = Some("hush".into());
    let dump = |config: &dyn std::fmt::Debug, json: String| format!("{config:?} {json}");
    macro_rules! each {
        ($($config:expr),*) => {
            vec![$({
                let store = $config.open().unwrap();
                let shown = dump(&$config, serde_json::to_string(&$config).unwrap());
                (format!("{shown} {store:?}"), Box::new(store) as Box<dyn Store>)
            }),*]
        };
    }
    each![s3, gcs, signed, keyed, webdav, redis, memcached]
}

#[test]
fn no_store_shows_its_secrets() {
    for (shown, store) in stores_with_secrets() {
        let errors = [
            store.get("a").err().unwrap(),
            store.has("a").err().unwrap(),
            store.remove("a").err().unwrap(),
            store.put("a", &mut &BODY[..], &Put::replacing(true)).err().unwrap(),
            store.list().and_then(|mut list| list.next().unwrap()).err().unwrap(),
        ];
        let errors: Vec<_> = errors.iter().map(|error| format!("{error:#} {error:?}")).collect();
        let all = format!("{shown} {} {errors:?}", store.place());
        assert!(!all.contains("hush") && !all.contains("aHVzaA=="), "{all}");
        for (operation, error) in ["get of `a` from ", "head of", "head of", "put of"].iter().zip(&errors) {
            assert!(error.starts_with(operation) || operation.contains("head") || operation.contains("put"), "{error}");
            assert!(error.contains(&store.place()) || error.contains("server http://"), "{error}");
        }
    }
}

#[test]
fn a_store_without_a_list_says_so_without_asking() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = Memcached::new(format!("tcp://{closed}")).open().unwrap();
    let error = store.list().err().unwrap();
    assert_eq!(error.to_string(), format!("memcached at tcp://{closed}/cortado cannot list its objects"));
    assert!(error.is::<Unsupported>());
}

#[test]
fn names_are_names_and_not_paths() {
    let store = s3("http://127.0.0.1:1").open().unwrap();
    for name in ["", ".", "..", "a/b", "../a", "a\0"] {
        let error = store.get(name).err().unwrap();
        assert!(format!("{error:#}").contains("cannot be the name of an object"), "{error:#}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_when_it_is_opened() {
    let mut half = s3("http://127.0.0.1:1");
    half.secret_access_key = None;
    assert_eq!(
        half.open().unwrap_err().to_string(),
        "store s3 bucket shop: `access_key_id` and `secret_access_key` go together"
    );
    assert!(S3::new("").open().is_err());
    let mut both = Gcs::new("shop");
    both.anonymous = true;
    both.key_file = Some("key.json".into());
    assert!(both.open().unwrap_err().to_string().contains("says who asks"));
    let mut lost = Gcs::new("shop");
    lost.key_file = Some("/nowhere/key.json".into());
    assert!(lost.open().unwrap_err().to_string().contains("/nowhere/key.json"));
    assert!(!Azblob::new("AccountKey=hush", "shop").open().unwrap_err().to_string().contains("hush"));
    assert!(Redis::new("rediss://host").open().is_err(), "there is no TLS to Redis");
    assert!(Memcached::default().open().unwrap_err().to_string().contains("it has no `url`"));
    let mut eternal = Memcached::new("tcp://127.0.0.1:1");
    eternal.ttl = Some(Duration::from_secs(31 * 24 * 3600));
    assert!(eternal.open().is_err(), "memcached would take it for a date of 1970");
    assert!(Webdav::new("http://me:hush@host/").open().is_err());
}

#[test]
fn configurations_are_read_and_unknown_keys_refused() {
    let read = |text: &str| serde_json::from_str::<S3>(text).map_err(|error| error.to_string());
    let s3 = read(r#"{"bucket": "shop", "anonymous": true, "network": {"idle_timeout": 0.5, "retries": 0}}"#).unwrap();
    assert_eq!((s3.bucket.as_str(), s3.network.idle_timeout), ("shop", Duration::from_millis(500)));
    assert_eq!(s3.network.connect_timeout, Duration::from_secs(10));
    assert!(read(r#"{"bukket": "shop"}"#).unwrap_err().contains("unknown field `bukket`"));
    assert!(read(r#"{"network": {"idle_timeout": -1}}"#).unwrap_err().contains("`-1` is no number of seconds"));
    let redis: Redis = serde_json::from_str(r#"{"url": "redis://h", "ttl": 60}"#).unwrap();
    assert_eq!((redis.ttl, redis.prefix.as_str()), (Some(Duration::from_secs(60)), "cortado"));
}

#[test]
fn a_store_may_be_used_and_dropped_on_an_asynchronous_thread() {
    let Some(service) = service::s3() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = s3(service.url()).open().unwrap();
        store.put("a", &mut &BODY[..], &Put::default()).unwrap();
        assert_eq!(read(&store, "a").as_deref(), Some(BODY));
    });
}
