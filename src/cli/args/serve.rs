//! The arguments of `cortado serve`. Each but `--config` is a key of its file, too.

use std::path::PathBuf;

#[cfg(feature = "server")]
use std::time::Duration;

#[cfg(feature = "server")]
use crate::ServerSpec;
use crate::parse_size;

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct Serve {
    /// The directory store to serve; it is made if it is not there. It may stand in the file that `--config FILE` names, as
    /// may every option
    #[arg(value_name = "DIR")]
    pub(in crate::cli) dir: Option<PathBuf>,
    /// Listen on this TCP address; may be given more than once. 127.0.0.1:8000 unless another or `--unix` is given, or
    /// systemd hands over sockets
    #[arg(short, long, env = "CORTADO_SERVE_LISTEN", value_name = "ADDRESS:PORT")]
    pub(in crate::cli) listen: Vec<String>,
    /// Listen on this Unix socket
    #[arg(long, value_name = "SOCKET")]
    pub(in crate::cli) unix: Option<PathBuf>,
    /// The size of a store that is made; one that is there has its own in `config.toml`
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(in crate::cli) size: Option<u64>,
    /// The largest object to take; 10G unless given
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(in crate::cli) max_object: Option<u64>,
    /// Let nobody write or remove anything
    #[arg(long)]
    pub(in crate::cli) read_only: bool,
    /// Bring what is missing from this store: its name in the configuration, or the address of a web server
    #[arg(long, env = "CORTADO_SERVE_UPSTREAM", value_name = "STORE")]
    pub(in crate::cli) upstream: Option<String>,
    /// The file of users and tokens; `docs/server.md` describes it
    #[arg(long, env = "CORTADO_SERVE_HTPASSWD", value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) htpasswd: Option<PathBuf>,
    /// Let those read who say nothing of themselves; it takes `--htpasswd`
    #[arg(long, help_heading = "Access")]
    pub(in crate::cli) anonymous_read: bool,
    /// Speak TLS with this certificate, a PEM file; it takes `--tls-key`
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// The key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// Let only those in who show a certificate of these authorities, a PEM file
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) tls_client_ca: Option<PathBuf>,
    /// Connections at once; further ones wait. 16384 unless given
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(in crate::cli) max_connections: Option<usize>,
    /// Requests a second of each user, or of each address without one; any number unless given
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(in crate::cli) max_rate: Option<u32>,
    /// Bytes a second that a client has to send or take while it is waited for; 1K unless given, 0 for any
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    pub(in crate::cli) min_rate: Option<u64>,
    /// Seconds that transfers may go on after the server was asked to stop; 30 unless given
    #[arg(long, value_name = "SECONDS", help_heading = "Limits")]
    pub(in crate::cli) grace: Option<u64>,
    /// How requests are logged, on the standard output: text, json or none; text unless given
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json", "none"])]
    pub(in crate::cli) access_log: Option<String>,
}

#[cfg(feature = "server")]
impl Serve {
    /// What a file says, with these options over it.
    pub(in crate::cli) fn over(&self, mut spec: ServerSpec) -> ServerSpec {
        let Self { dir, unix, upstream, htpasswd, tls_cert, tls_key, tls_client_ca, access_log, .. } = self.clone();
        let listen = Some(self.listen.clone()).filter(|listen| !listen.is_empty());
        spec.dir = dir.or(spec.dir);
        spec.listen = listen.or(spec.listen);
        spec.unix = unix.or(spec.unix);
        spec.size = self.size.or(spec.size);
        spec.max_object = self.max_object.or(spec.max_object);
        spec.read_only = self.read_only.then_some(true).or(spec.read_only);
        spec.upstream = upstream.or(spec.upstream);
        spec.htpasswd = htpasswd.or(spec.htpasswd);
        spec.anonymous_read = self.anonymous_read.then_some(true).or(spec.anonymous_read);
        spec.tls_cert = tls_cert.or(spec.tls_cert);
        spec.tls_key = tls_key.or(spec.tls_key);
        spec.tls_client_ca = tls_client_ca.or(spec.tls_client_ca);
        spec.max_connections = self.max_connections.or(spec.max_connections);
        spec.max_rate = self.max_rate.or(spec.max_rate);
        spec.min_rate = self.min_rate.or(spec.min_rate);
        spec.grace = self.grace.map(Duration::from_secs).or(spec.grace);
        spec.access_log = access_log.or(spec.access_log);
        spec
    }
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error| error.to_string())
}
