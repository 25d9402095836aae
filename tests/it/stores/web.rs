//! The HTTP store against servers that behave.

use std::io::Read;
use std::time::Duration;

use cortado::conformance::{self, Lack};
use cortado::stores::Http;
use cortado::{CachePolicy, Digest, Provenance, Put, Store, Stored};

use crate::support::Shop;
use crate::support::warehouse::{Skills, Warehouse};

#[test]
fn a_plain_server_conforms_but_for_its_list() {
    let warehouse = Warehouse::open(Skills::default());
    conformance::check_without(&Http::new(warehouse.url.as_str()).open().unwrap(), &[Lack::Listing]).unwrap();
}

#[test]
fn a_server_that_lists_conforms() {
    let warehouse = Warehouse::open(Skills { lists: true, ..Skills::default() });
    conformance::check(&Http::new(format!("{}/", warehouse.url)).open().unwrap()).unwrap();
}

#[test]
fn a_server_without_conditions_conforms_within_one_process() {
    let warehouse = Warehouse::open(Skills { ignores_conditions: true, ..Skills::default() });
    conformance::check_without(&Http::new(warehouse.url.as_str()).open().unwrap(), &[Lack::Listing]).unwrap();
}

#[test]
fn what_is_known_of_an_object_stays_beside_it() {
    let warehouse = Warehouse::open(Skills::default());
    let store = Http::new(warehouse.url.as_str()).open().unwrap();
    let known = Provenance::new().project("Küche").task("zlib").writer("ci").build_time(Duration::from_millis(1500));
    let mut options = Put::default();
    options.provenance = known.clone();
    options.digest = Some(Digest::of(b"one"));
    assert_eq!(store.put("a", &mut &b"one"[..], &options).unwrap(), Stored::New);
    let listed = store.describe("a").unwrap().unwrap();
    assert_eq!((listed.size, listed.provenance), (3, known));
    assert_eq!(store.put("a", &mut &b"one"[..], &options).unwrap(), Stored::Present);
    options.digest = Some(Digest::of(b"two"));
    let Stored::Differs(how) = store.put("a", &mut &b"two"[..], &options).unwrap() else { panic!("it is another") };
    assert_eq!(how, format!("its digest is {}, not {}", Digest::of(b"one"), Digest::of(b"two")));
    assert!(store.describe("b").unwrap().is_none());
}

#[test]
fn names_stay_below_the_address() {
    let warehouse = Warehouse::open(Skills::default());
    let store = Http::new(warehouse.url.as_str()).open().unwrap();
    let name = "ä b/../c?d#e%20.tar.gz";
    store.put(name, &mut &b"one"[..], &Put::default()).unwrap();
    let mut content = String::new();
    store.get(name).unwrap().unwrap().read_to_string(&mut content).unwrap();
    assert_eq!(content, "one");
    for name in ["", ".", ".."] {
        assert!(store.get(name).is_err(), "{name}");
    }
}

#[test]
fn a_second_machine_builds_nothing() {
    let warehouse = Warehouse::open(Skills::default());
    let store = || Http::new(warehouse.url.as_str()).open().unwrap();
    let shop = Shop::new();
    let project = shop.project([shop.ware("a", "one"), shop.ware("b", "two").depends_on("a")]);
    let run = || shop.run_with(&project, |engine| engine.store(store()).cache_policy(CachePolicy::RequireWrite));
    assert_eq!(run().of("b"), "built");
    shop.clean();
    let second = run();
    assert_eq!((second.of("a"), second.of("b"), shop.count("a")), ("restored".into(), "restored".into(), 1));
    assert_eq!(shop.text("install/share/b"), "two");
}
