//! A server, from what it serves to its end.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;

use super::connection::Door;
use super::event::{Event, Observer};
use super::history;
use super::listener::Listener;
use super::options::ServerOptions;
use super::refill;
use super::router::router;
use super::site::Site;
use super::stop::{Phase, Stop};
use super::tls::Tls;
use crate::{Error, Result, Store, Tier};

/// What is served, and how. Nothing happens before it is bound to an address.
pub struct Server {
    store: Arc<dyn Store>,
    upstream: Option<Tier>,
    options: ServerOptions,
    tls: Option<Tls>,
    observer: Observer,
}

impl Server {
    /// Serves a store.
    pub fn new(store: impl Store + 'static) -> Self {
        let (options, observer) = (ServerOptions::default(), Observer::default());
        Self { store: Arc::new(store), upstream: None, options, tls: None, observer }
    }

    /// Asks this tier for what the store lacks, and keeps it; offers it what is uploaded, as its
    /// [mode](crate::TierSettings::mode) says. While it does not answer, what is missing is missing.
    pub fn upstream(self, tier: Tier) -> Self {
        Self { upstream: Some(tier), ..self }
    }

    /// Sets what is allowed.
    pub fn options(self, options: ServerOptions) -> Self {
        Self { options, ..self }
    }

    /// Speaks TLS to whoever comes by TCP.
    pub fn tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Sets who is told what happens. It is called by the threads that answer requests, so it should be quick.
    pub fn observe(self, observe: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { observer: Observer::new(observe), ..self }
    }

    /// Binds to a TCP address, as `127.0.0.1:8000`. Port 0 is a free one.
    ///
    /// # Errors
    /// As [`on`](Server::on), and when the address is in use.
    pub fn bind(self, address: impl ToSocketAddrs + fmt::Display) -> Result<Bound> {
        self.on(vec![Listener::tcp(address)?])
    }

    /// Gets ready to serve whoever connects to these.
    ///
    /// # Errors
    /// When the file of users cannot be read, or the system refuses threads.
    pub fn on(self, listeners: Vec<Listener>) -> Result<Bound> {
        let failed = |source| Error::Io { verb: "start", path: "the threads of the server".into(), source };
        let runtime = runtime::Builder::new_multi_thread()
            .thread_name("server")
            .max_blocking_threads(self.options.max_uploads + 64 + self.upstream.as_ref().map_or(0, refill::threads))
            .enable_all()
            .build()
            .map_err(failed)?;
        let site = Site::new(self.store, self.upstream, self.options, self.observer, self.tls.is_some())?;
        Ok(Bound { listeners, site: Arc::new(site), tls: self.tls, stop: Stop::new(), runtime })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("place", &self.store.place()).field("options", &self.options).finish()
    }
}

/// A server with its addresses. Clients can connect already; they are answered when it runs.
pub struct Bound {
    listeners: Vec<Listener>,
    site: Arc<Site>,
    tls: Option<Tls>,
    stop: Stop,
    runtime: runtime::Runtime,
}

impl Bound {
    /// The first TCP address; `0.0.0.0:0` when there is none.
    pub fn address(&self) -> SocketAddr {
        self.listeners.iter().find_map(Listener::address).unwrap_or_else(|| ([0, 0, 0, 0], 0).into())
    }

    /// Where it listens.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Whether strangers on other machines may write.
    pub fn is_open_to_all(&self) -> bool {
        let asks = self.tls.as_ref().is_some_and(Tls::asks_clients);
        !asks && self.site.is_open_to_all() && self.listeners.iter().any(Listener::is_public)
    }

    /// What stops it.
    pub fn stopper(&self) -> Stop {
        self.stop.clone()
    }

    /// Serves until it is stopped, and then until what was on its way has arrived or the time of grace is over.
    ///
    /// # Errors
    /// When a listener cannot be used.
    pub fn run(self) -> Result<()> {
        let Self { listeners, site, tls, stop, runtime } = self;
        let grace = site.options.grace;
        let served = runtime.block_on(async {
            let tls = tls.map(|tls| tls.observed(site.observer.clone()));
            let door = Door::new(router(site.clone()), &site.options, tls, stop.clone());
            let doors =
                listeners.into_iter().map(|listener| door.clone().open(listener)).collect::<Result<Vec<_>>>()?;
            let keeper = tokio::spawn(keep_history(site.clone()));
            stop.reached(Phase::Closing).await;
            let last = async {
                for closed in doors {
                    _ = closed.await;
                }
                door.empty().await;
                site.shelf.forwarded().await;
            };
            tokio::select! {
                () = last => {}
                () = stop.reached(Phase::Ended) => {}
                () = tokio::time::sleep(grace) => stop.abort(),
            }
            keeper.abort();
            Ok(())
        });
        site.history.keep();
        // An upload that was broken off sees the end of its content, and removes what it has written.
        runtime.shutdown_timeout(Duration::from_secs(5));
        served
    }
}

/// Keeps the history now and then, until it is stopped.
async fn keep_history(site: Arc<Site>) {
    loop {
        tokio::time::sleep(history::INTERVAL).await;
        let site = site.clone();
        // What cannot be kept is told by the history itself.
        _ = tokio::task::spawn_blocking(move || site.history.keep()).await;
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}
