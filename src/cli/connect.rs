//! The cache of a build: the recipe's own callbacks, or the tiers that are configured, opened and handed to the engine.

use std::sync::Arc;

use super::credentials;
use super::netrc;
use super::origin;
use super::recipe::Loaded;
use super::terminal::Terminal;
use crate::{
    CacheMode, CacheSpec, Callbacks, Engine, Error, Flights, Ledger, PublicKey, Result, SigningKey, Store, StoreSpec,
    Tier, TierSpec, Tiers,
};

/// An engine with the cache that is configured.
///
/// A store that cannot be opened is a warning, unless the policy or the store's own settings ask for more.
pub(super) fn connect<'p>(
    engine: Engine<'p>,
    spec: &CacheSpec,
    loaded: &Loaded,
    terminal: &Terminal,
) -> Result<Engine<'p>> {
    let engine = engine.cache_mode(spec.mode).cache_policy(spec.policy);
    if spec.mode == CacheMode::Off {
        return Ok(engine);
    }
    let engine = counted(vouched(engine, spec)?, spec).provenance(origin::provenance(loaded.dir()));
    if let Some(callbacks) = loaded.recipe().callbacks() {
        return Ok(engine.shared_callbacks(callbacks));
    }
    match tiers(spec, terminal)? {
        Some(tiers) => Ok(engine.callbacks(tiers)),
        None => Ok(engine),
    }
}

/// An engine that takes a cache for granted, for looking ahead: nothing is opened or asked.
pub(super) fn taken_for_granted(engine: Engine<'_>, mode: CacheMode) -> Engine<'_> {
    engine.cache_mode(mode).callbacks(Assumed)
}

/// A cache that is never asked.
struct Assumed;

impl Callbacks for Assumed {}

/// The store behind a specification, with whatever is secret about it.
pub(super) fn store(spec: &TierSpec) -> Result<StoreSpec> {
    let mut store = spec.store(&credentials::reveal)?;
    if let (true, StoreSpec::Http(server)) = (spec.netrc(), &mut store) {
        netrc::fill(server)?;
    }
    Ok(store)
}

/// The file and the keys that `key` is about, read.
pub(super) fn secret_key(path: &std::path::Path) -> Result<SigningKey> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|source| Error::Io { verb: "read", path: path.to_path_buf(), source })?;
    text.parse().map_err(|problem: crate::NotAKey| Error::Invalid {
        place: format!("`{}`", path.display()),
        problem: problem.to_string(),
        hint: "make one with `cortado cache key new FILE`".into(),
    })
}

/// The public keys of a list.
pub(super) fn public_keys(texts: &[String]) -> Result<Vec<PublicKey>> {
    let key = |text: &String| {
        text.parse().map_err(|problem: crate::NotAKey| Error::Invalid {
            place: "`cache.trust`".into(),
            problem: problem.to_string(),
            hint: "`cortado cache key new` prints the public key of the key that it makes".into(),
        })
    };
    texts.iter().map(key).collect()
}

fn vouched<'p>(mut engine: Engine<'p>, spec: &CacheSpec) -> Result<Engine<'p>> {
    if let Some(path) = &spec.sign {
        engine = engine.sign(secret_key(path)?);
    }
    if let Some(keys) = &spec.trust {
        engine = engine.trust(public_keys(keys)?);
    }
    Ok(engine)
}

fn counted<'p>(engine: Engine<'p>, spec: &CacheSpec) -> Engine<'p> {
    match &spec.ledger {
        Some(dir) => engine.ledger(Ledger::new(dir)),
        None => engine,
    }
}

/// The tiers that could be opened; `None` when none could.
fn tiers(spec: &CacheSpec, terminal: &Terminal) -> Result<Option<Tiers>> {
    let mut tiers = Vec::new();
    for tier in &spec.tiers {
        match open(tier) {
            Ok(tier) => tiers.push(tier),
            Err(error) if spec.policy.requires_read() || tier.settings().required => {
                return Err(Error::Cache { operation: "opening", tag: tier.name().into(), reason: error.to_string() });
            }
            Err(error) => terminal.line(&without(tier, spec, &error)),
        }
    }
    if tiers.is_empty() {
        return Ok(None);
    }
    let tiers = Tiers::new(tiers)?.write_policy(spec.write);
    let Some(dir) = &spec.flights else { return Ok(Some(tiers)) };
    // Without it two runs may build the same twice, which hurts nobody.
    Ok(Some(match Flights::open(dir) {
        Ok(flights) => tiers.flights(flights),
        Err(_) => tiers,
    }))
}

fn open(tier: &TierSpec) -> Result<Tier> {
    let store: Arc<dyn Store> = store(tier)?.open()?;
    Ok(tier.with(store))
}

fn without(tier: &TierSpec, spec: &CacheSpec, error: &Error) -> String {
    match spec.tiers.as_slice() {
        [_] => format!("warning: going on without a cache: {error}"),
        _ => format!("warning: going on without the store `{}`: {error}", tier.name()),
    }
}
