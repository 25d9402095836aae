//! `cortado serve`: a directory of artifacts for other machines.

#[cfg(feature = "server")]
mod access_log;
#[cfg(feature = "server")]
mod choice;
#[cfg(feature = "server")]
mod supervisor;

use super::args::{Common, Serve};
use super::terminal::Terminal;
use crate::{Error, Exit, Result};

/// Says how to get a server: this build has none.
#[cfg(not(feature = "server"))]
pub(super) fn run(_common: &Common, _args: &Serve, _terminal: &Terminal) -> Result<Exit> {
    Err(Error::Invalid {
        place: "cortado serve".into(),
        problem: "this build has no server in it".into(),
        hint: "build one that has: `cargo install cortado --features server`".into(),
    })
}

#[cfg(feature = "server")]
pub(super) use self::open::run;

#[cfg(feature = "server")]
mod open {
    use std::path::Path;
    use std::thread;

    use rustix::process::{Resource, getrlimit, setrlimit};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::access_log::AccessLog;
    use super::choice::Choice;
    use super::{Common, Error, Exit, Result, Serve, Terminal, supervisor};
    use crate::server::{Bound, Listener, Server, ServerOptions, Stop, Tls};
    use crate::{DirectoryOptions, DirectoryStore, ServerSpec};

    /// Where a server listens unless told: for this machine alone.
    const ADDRESS: &str = "127.0.0.1:8000";

    pub(in crate::cli) fn run(common: &Common, args: &Serve, terminal: &Terminal) -> Result<Exit> {
        let choice = Choice::new(common, args)?;
        let spec = choice.spec.clone();
        raise_limit();
        let listeners = listeners(&spec)?;
        let server = server(choice, terminal)?.on(listeners)?;
        stop_by_signal(server.stopper(), terminal)?;
        announce(&server, &spec, terminal);
        supervisor::tell("READY=1");
        server.run()?;
        terminal.line("stopped");
        Ok(Exit::Success)
    }

    fn server(choice: Choice, terminal: &Terminal) -> Result<Server> {
        let Choice { spec, dir, upstream } = choice;
        let mut store = DirectoryOptions::new();
        if let Some(size) = spec.size {
            store = store.initial_size(size);
        }
        let log = AccessLog::new(terminal, spec.access_log.as_deref());
        let options = ServerOptions { history: Some(dir.join("server")), ..options(&spec) };
        let mut server =
            Server::new(DirectoryStore::open_with(dir, &store)?).options(options).observe(move |event| log.tell(event));
        if let Some(tier) = upstream {
            server = server.upstream(tier);
        }
        match (&spec.tls_cert, &spec.tls_key) {
            (Some(certificate), Some(key)) => {
                Ok(server.tls(Tls::new(certificate, key, spec.tls_client_ca.as_deref())?))
            }
            _ => Ok(server),
        }
    }

    fn options(spec: &ServerSpec) -> ServerOptions {
        let by_itself = ServerOptions::default();
        ServerOptions {
            read_only: spec.read_only.unwrap_or(by_itself.read_only),
            anonymous_read: spec.anonymous_read.unwrap_or(by_itself.anonymous_read),
            users: spec.htpasswd.clone(),
            max_object: spec.max_object.unwrap_or(by_itself.max_object),
            max_connections: spec.max_connections.unwrap_or(by_itself.max_connections),
            max_rate: spec.max_rate,
            min_rate: spec.min_rate.unwrap_or(by_itself.min_rate),
            grace: spec.grace.unwrap_or(by_itself.grace),
            ..by_itself
        }
    }

    fn listeners(spec: &ServerSpec) -> Result<Vec<Listener>> {
        let mut listeners = supervisor::listeners()?;
        for address in spec.listen.iter().flatten() {
            listeners.push(Listener::tcp(address)?);
        }
        if let Some(path) = &spec.unix {
            listeners.push(Listener::unix(path)?);
        }
        if listeners.is_empty() {
            listeners.push(Listener::tcp(ADDRESS)?);
        }
        Ok(listeners)
    }

    fn announce(server: &Bound, spec: &ServerSpec, terminal: &Terminal) {
        let scheme = if spec.tls_cert.is_some() { "https" } else { "http" };
        let dir = spec.dir.as_deref().unwrap_or(Path::new("")).display();
        for listener in server.listeners() {
            let place =
                listener.address().map_or_else(|| listener.to_string(), |address| format!("{scheme}://{address}"));
            terminal.line(&format!("serving {dir} on {place}"));
        }
        if server.is_open_to_all() {
            terminal.line(
                "WARNING: everybody who can reach this address may read, write and remove artifacts.\n\
                 WARNING: `--htpasswd FILE` asks who they are, `--read-only` lets nobody write.",
            );
        }
    }

    /// The first signal lets transfers finish, the second breaks them off.
    fn stop_by_signal(stop: Stop, terminal: &Terminal) -> Result<()> {
        let error = |source| Error::Io { verb: "listen for", path: "signals".into(), source };
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(error)?;
        let terminal = terminal.clone();
        let listen = move || {
            for (number, _) in signals.forever().enumerate() {
                if number > 0 {
                    stop.abort();
                    continue;
                }
                supervisor::tell("STOPPING=1");
                terminal.line("stopping when all transfers are done; interrupt again to break them off");
                stop.stop();
            }
        };
        thread::Builder::new().name("signals".into()).spawn(listen).map(drop).map_err(error)
    }

    /// Every connection takes a descriptor, and what a shell allows is often 1024.
    fn raise_limit() {
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // Where it stays as it is, further clients wait.
        _ = setrlimit(Resource::Nofile, limit);
    }
}
