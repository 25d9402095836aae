//! The arguments of `cortado serve`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::parse_size;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Serve {
    /// The directory store to serve; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub(in crate::cli) dir: PathBuf,
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
    /// The largest object to take
    #[arg(long, default_value = "10G", value_name = "SIZE", value_parser = size)]
    pub(in crate::cli) max_object: u64,
    /// Let nobody write or remove anything
    #[arg(long)]
    pub(in crate::cli) read_only: bool,
    /// The file of users and tokens; `docs/server.md` describes it
    #[arg(long, env = "CORTADO_SERVE_HTPASSWD", value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) htpasswd: Option<PathBuf>,
    /// Let those read who say nothing of themselves
    #[arg(long, requires = "htpasswd", help_heading = "Access")]
    pub(in crate::cli) anonymous_read: bool,
    /// Speak TLS with this certificate, a PEM file
    #[arg(long, requires = "tls_key", value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// The key of the certificate, a PEM file
    #[arg(long, requires = "tls_cert", value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// Let only those in who show a certificate of these authorities, a PEM file
    #[arg(long, requires = "tls_cert", value_name = "FILE", help_heading = "Access")]
    pub(in crate::cli) tls_client_ca: Option<PathBuf>,
    /// Connections at once; further ones wait
    #[arg(long, default_value = "16384", value_name = "N", help_heading = "Limits")]
    pub(in crate::cli) max_connections: usize,
    /// Requests a second of each user, or of each address without one; any number unless given
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(in crate::cli) max_rate: Option<u32>,
    /// Seconds that transfers may go on after the server was asked to stop
    #[arg(long, default_value = "30", value_name = "SECONDS", help_heading = "Limits")]
    pub(in crate::cli) grace: u64,
    /// How requests are logged, on the standard output
    #[arg(long, default_value = "text", value_name = "FORMAT")]
    pub(in crate::cli) access_log: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LogFormat {
    /// A line for people
    Text,
    /// A line of JSON
    Json,
    /// Not at all
    None,
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error| error.to_string())
}
