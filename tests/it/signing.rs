//! Signatures: whoever trusts certain keys uses nothing that is not signed by them, and builds instead.

use std::path::Path;

use cortado::{CachePolicy, Digest, Flights, Miss, Project, PublicKey, SigningKey, Tier, Tiers};

use crate::support::{Seen, Shop};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn beans(shop: &Shop) -> Project {
    shop.project([shop.ware("beans", "arabica")])
}

fn signed_by(shop: &Shop, key: &SigningKey) -> Seen {
    shop.clean();
    shop.run_with(&beans(shop), |engine| engine.store(shop.store()).sign(key.clone()))
}

/// A run elsewhere: nothing is installed and no tree is there.
fn trusting(shop: &Shop, keys: impl IntoIterator<Item = PublicKey>) -> Seen {
    shop.clean();
    shop.run_with(&beans(shop), |engine| engine.store(shop.store()).trust(keys))
}

fn why_not(seen: &Seen) -> &str {
    let [Miss::Untrusted(reason)] = seen.misses()[..] else { panic!("{:?}", seen.misses()) };
    reason
}

#[test]
fn what_a_trusted_key_signed_is_restored() {
    let shop = Shop::new();
    assert_eq!(signed_by(&shop, &key(1)).all(), "beans built");
    assert_eq!(trusting(&shop, [key(2).public(), key(1).public()]).all(), "beans restored");
    shop.clean();
    assert_eq!(shop.run(&beans(&shop)).all(), "beans restored", "whoever trusts everything reads it as ever");
}

#[test]
fn what_nobody_signed_is_a_miss_of_its_own_kind() {
    let shop = Shop::new();
    shop.run(&beans(&shop));
    let seen = trusting(&shop, [key(1).public()]);
    assert_eq!((seen.all(), why_not(&seen)), ("beans built".into(), "it is not signed"));
    assert!(shop.is_tidy());
}

#[test]
fn what_a_stranger_signed_is_replaced_by_whoever_signs() {
    let shop = Shop::new();
    signed_by(&shop, &key(1));
    let seen = trusting(&shop, [key(2).public()]);
    let stranger = format!("it is signed by {}, which is not trusted", key(1).public());
    assert_eq!((seen.all(), why_not(&seen)), ("beans built".into(), &*stranger));
    let again = trusting(&shop, [key(2).public()]);
    assert_eq!(why_not(&again), stranger, "whoever does not sign has nothing better to offer");
    shop.clean();
    let both = shop.run_with(&beans(&shop), |engine| engine.store(shop.store()).sign(key(2)).trust([key(2).public()]));
    assert_eq!(both.all(), "beans built");
    assert_eq!(trusting(&shop, [key(2).public()]).all(), "beans restored");
}

/// An artifact that says of itself what another one says: for which tag it was made.
fn relabelled(artifact: &Path, other: &Path) -> Vec<u8> {
    let tag = |path: &Path| path.file_name().unwrap().to_str().unwrap().strip_suffix(".tar.gz").unwrap().to_owned();
    let mut bytes = std::fs::read(artifact).unwrap();
    let own = Digest::of(tag(artifact));
    let place = bytes.windows(32).rposition(|window| window == own.as_bytes()).unwrap();
    bytes[place..place + 32].copy_from_slice(Digest::of(tag(other)).as_bytes());
    bytes
}

#[test]
fn an_artifact_cannot_stand_in_for_another() {
    let shop = Shop::new();
    let both = || shop.project([shop.ware("beans", "arabica"), shop.ware("milk", "oat")]);
    shop.run_with(&both(), |engine| engine.store(shop.store()).sign(key(1)));
    let objects = shop.objects();
    let of = |task: &str| objects.iter().find(|object| object.to_str().unwrap().contains(task)).unwrap();
    std::fs::write(of("shop-milk-"), relabelled(of("shop-beans-"), of("shop-milk-"))).unwrap();
    shop.clean();
    let seen = shop.run_with(&both(), |engine| engine.store(shop.store()).trust([key(1).public()]));
    assert_eq!(seen.all(), "beans restored, milk built");
    assert_eq!(why_not(&seen), format!("its signature by {} is wrong", key(1).public()));
}

#[test]
fn a_policy_may_make_it_the_end_of_the_run() {
    let shop = Shop::new();
    shop.run(&beans(&shop));
    shop.clean();
    let seen = shop.run_with(&beans(&shop), |engine| {
        engine.store(shop.store()).trust([key(1).public()]).cache_policy(CachePolicy::RequireRead)
    });
    assert!(seen.all().starts_with("beans failed"), "{}", seen.all());
}

#[test]
fn what_is_not_trusted_is_not_fetched_a_second_time() {
    let shop = Shop::new();
    shop.run(&beans(&shop));
    shop.clean();
    let flights = Flights::open(shop.path("flights")).unwrap();
    let tiers = Tiers::new([Tier::near("local", shop.store())]).unwrap().flights(flights);
    let seen = shop.run_with(&beans(&shop), |engine| engine.callbacks(tiers).trust([key(1).public()]));
    assert_eq!((seen.all(), why_not(&seen)), ("beans built".into(), "`local`: it is not signed"));
}
