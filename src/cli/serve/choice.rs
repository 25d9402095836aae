//! The choice: what holds for a server, the command line over its file, with the store that stands behind it.

use std::path::PathBuf;

use crate::cli::args::{Common, Serve};
use crate::cli::{connect, settings};
use crate::{Configuration, Error, Result, ServerSpec, Tier};

/// The name of an upstream that is given by its address. Its keys can be set under that name.
const UPSTREAM: &str = "upstream";

/// What holds for a server.
pub(super) struct Choice {
    pub(super) spec: ServerSpec,
    /// The directory to serve.
    pub(super) dir: PathBuf,
    /// The store to bring from what is missing.
    pub(super) upstream: Option<Tier>,
}

impl Choice {
    pub(super) fn new(common: &Common, args: &Serve) -> Result<Self> {
        let configuration = settings::for_server(common)?;
        let spec = args.over(configuration.server_spec()?);
        hold_together(&spec)?;
        let dir = spec.dir.clone().ok_or_else(|| wrong("DIR", "no directory is given", "`cortado serve DIR`"))?;
        let upstream = spec.upstream.as_deref().map(|store| open(store, configuration)).transpose()?;
        Ok(Self { spec, dir, upstream })
    }
}

/// Opens the store that is meant: by its name, or by its address.
fn open(store: &str, configuration: Configuration) -> Result<Tier> {
    let Some((scheme, rest)) = store.split_once("://") else { return tier(store, configuration) };
    if !matches!(scheme, "http" | "https") {
        let hint = "other stores are configured by a table `[stores.NAME]`, and given by their name";
        return Err(wrong("--upstream", "this is no address of a web server", hint));
    }
    if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
        let hint = "give the password by `CORTADO_STORES_UPSTREAM_PASSWORD`, or by a table `[stores.upstream]`";
        return Err(wrong("--upstream", "everybody on this machine sees the command line", hint));
    }
    let said = configuration.option(Some(UPSTREAM), "type", "http", "--upstream");
    tier(UPSTREAM, said.option(Some(UPSTREAM), "url", store, "--upstream"))
}

fn tier(name: &str, configuration: Configuration) -> Result<Tier> {
    let tier = configuration.merge()?.tier(name)?;
    Ok(tier.with(connect::store(&tier)?.open()?))
}

/// What means nothing alone stands beside what it takes, whichever of them said it.
fn hold_together(spec: &ServerSpec) -> Result<()> {
    let needs = [
        ("--anonymous-read", spec.anonymous_read == Some(true), "--htpasswd", spec.htpasswd.is_some()),
        ("--tls-cert", spec.tls_cert.is_some(), "--tls-key", spec.tls_key.is_some()),
        ("--tls-key", spec.tls_key.is_some(), "--tls-cert", spec.tls_cert.is_some()),
        ("--tls-client-ca", spec.tls_client_ca.is_some(), "--tls-cert", spec.tls_cert.is_some()),
    ];
    match needs.into_iter().find(|(_, is_given, _, has)| *is_given && !has) {
        Some((option, _, other, _)) => Err(wrong(option, &format!("it means nothing without `{other}`"), "")),
        None => Ok(()),
    }
}

fn wrong(place: &str, problem: &str, hint: &str) -> Error {
    Error::Invalid { place: place.into(), problem: problem.into(), hint: hint.into() }
}
