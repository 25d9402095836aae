//! `cortado serve`: a directory of artifacts for other machines.

#[cfg(feature = "server")]
mod access_log;
#[cfg(feature = "server")]
mod supervisor;

use super::args::Serve;
use super::terminal::Terminal;
use crate::{Error, Exit, Result};

/// Says how to get a server: this build has none.
#[cfg(not(feature = "server"))]
pub(super) fn run(_args: &Serve, _terminal: &Terminal) -> Result<Exit> {
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
    use std::thread;
    use std::time::Duration;

    use rustix::process::{Resource, getrlimit, setrlimit};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    use super::access_log::AccessLog;
    use super::{Error, Exit, Result, Serve, Terminal, supervisor};
    use crate::server::{Bound, Listener, Server, ServerOptions, Stop, Tls};
    use crate::{DirectoryOptions, DirectoryStore};

    /// Where a server listens unless told: for this machine alone.
    const ADDRESS: &str = "127.0.0.1:8000";

    pub(in crate::cli) fn run(args: &Serve, terminal: &Terminal) -> Result<Exit> {
        raise_limit();
        let listeners = listeners(args)?;
        let server = server(args, terminal)?.on(listeners)?;
        stop_by_signal(server.stopper(), terminal)?;
        announce(&server, args, terminal);
        supervisor::tell("READY=1");
        server.run()?;
        terminal.line("stopped");
        Ok(Exit::Success)
    }

    fn server(args: &Serve, terminal: &Terminal) -> Result<Server> {
        let mut store = DirectoryOptions::new();
        if let Some(size) = args.size {
            store = store.initial_size(size);
        }
        let log = AccessLog::new(terminal, args.access_log);
        let server = Server::new(DirectoryStore::open_with(&args.dir, &store)?)
            .options(options(args))
            .observe(move |event| log.tell(event));
        match (&args.tls_cert, &args.tls_key) {
            (Some(certificate), Some(key)) => {
                Ok(server.tls(Tls::new(certificate, key, args.tls_client_ca.as_deref())?))
            }
            _ => Ok(server),
        }
    }

    fn options(args: &Serve) -> ServerOptions {
        ServerOptions {
            read_only: args.read_only,
            anonymous_read: args.anonymous_read,
            users: args.htpasswd.clone(),
            max_object: args.max_object,
            max_connections: args.max_connections,
            max_rate: args.max_rate,
            grace: Duration::from_secs(args.grace),
            ..ServerOptions::default()
        }
    }

    fn listeners(args: &Serve) -> Result<Vec<Listener>> {
        let mut listeners = supervisor::listeners()?;
        for address in &args.listen {
            listeners.push(Listener::tcp(address)?);
        }
        if let Some(path) = &args.unix {
            listeners.push(Listener::unix(path)?);
        }
        if listeners.is_empty() {
            listeners.push(Listener::tcp(ADDRESS)?);
        }
        Ok(listeners)
    }

    fn announce(server: &Bound, args: &Serve, terminal: &Terminal) {
        let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
        for listener in server.listeners() {
            let place =
                listener.address().map_or_else(|| listener.to_string(), |address| format!("{scheme}://{address}"));
            terminal.line(&format!("serving {} on {place}", args.dir.display()));
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
