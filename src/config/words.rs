//! The words: every key of every table, once. Files, variables and recipes are read by these lists, and the reference is
//! compared with them.

use super::key::Key;
use super::kind::Kind;

const MODES: Kind = Kind::Choice(&["read-write", "read-only", "write-only", "recache", "off"]);
const POLICIES: Kind = Kind::Choice(&["degrade", "warn", "require-read", "require-write"]);
const WRITES: Kind = Kind::Choice(&["all", "nearest", "best-effort"]);
const TIER_MODES: Kind = Kind::Choice(&["read-write", "read", "write", "off"]);
const TYPES: Kind = Kind::Choice(&["directory", "http", "s3", "gcs", "azblob", "redis", "memcached", "webdav"]);
const FILE_SYNC: Kind = Kind::Choice(&["none", "dir", "sync"]);
const PERM: Kind = Kind::Choice(&["none", "group", "other"]);

const LOGS: Kind = Kind::Choice(&["text", "json", "none"]);

/// Why a project does not say with whose key something is signed.
const SIGNER: &str = "a signature is a person's or a CI's, not a project's";
/// Why a project does not say by which way the network is reached.
const WAY: &str = "the way to the network is a matter of the machine, and a proxy sees what passes";
/// Why a project does not say that passwords are looked up.
const NETRC: &str = "it sends a password of yours";
/// Why a project does not say who checks credentials.
const ISSUER: &str = "credentials of yours are sent there";

impl Key {
    /// The keys of every store: how it is used as a tier.
    pub const OF_TIERS: &'static [Key] = TIER;

    /// The keys of a server.
    pub const OF_SERVERS: &'static [Key] = SERVER;
}

/// The keys of `[cache]`, and of `[projects.<name>]`.
pub(super) const CACHE: &[Key] = &[
    Key::new("mode", MODES),
    Key::new("policy", POLICIES),
    Key::new("tiers", Kind::Texts),
    Key::new("write", WRITES),
    Key::new("transfers", Kind::Whole),
    Key::new("single_flight", Kind::Flag),
    Key::new("sign", Kind::Path).own(SIGNER),
    Key::new("trust", Kind::Texts),
];

/// The keys of `[server]`, in a server's own file.
pub(super) const SERVER: &[Key] = &[
    Key::new("dir", Kind::Path),
    Key::new("listen", Kind::Texts),
    Key::new("unix", Kind::Path),
    Key::new("size", Kind::Size),
    Key::new("max_object", Kind::Size),
    Key::new("read_only", Kind::Flag),
    Key::new("upstream", Kind::Text),
    Key::new("htpasswd", Kind::Path),
    Key::new("anonymous_read", Kind::Flag),
    Key::new("tls_cert", Kind::Path),
    Key::new("tls_key", Kind::Path),
    Key::new("tls_client_ca", Kind::Path),
    Key::new("max_connections", Kind::Whole),
    Key::new("max_rate", Kind::Whole),
    Key::new("min_rate", Kind::Size),
    Key::new("grace", Kind::Length),
    Key::new("access_log", LOGS),
];

/// The keys that every store has: what it is, and how it is used as a tier.
pub(super) const TIER: &[Key] = &[
    Key::new("mode", TIER_MODES),
    Key::new("timeout", Kind::Patience),
    Key::new("budget", Kind::Length),
    Key::new("pace", Kind::Size),
    Key::new("concurrency", Kind::Whole),
    Key::new("failures", Kind::Whole),
    Key::new("cool_down", Kind::Length),
    Key::new("required", Kind::Flag),
];

/// Whether the password is looked up by the server's name. No store knows this key: whoever opens one does.
pub(super) const NETRC_KEY: &str = "netrc";

/// What a store is.
pub(super) const TYPE: Key = Key::new("type", TYPES);

pub(super) const DIRECTORY: &[Key] = &[
    Key::new("path", Kind::Path).needed(),
    Key::new("size", Kind::Size),
    Key::new("file_sync", FILE_SYNC),
    Key::new("perm", PERM),
    Key::new("lock_wait", Kind::Length),
];

/// What every store over HTTP has besides.
macro_rules! over_http {
    ($($key:expr),* $(,)?) => {
        &[
            $($key,)*
            Key::new("ca_file", Kind::Path).at("network.ca_file"),
            Key::new("proxy", Kind::Address).at("network.proxy").own(WAY),
            Key::new("connect_timeout", Kind::Length).at("network.connect_timeout"),
            Key::new("idle_timeout", Kind::Length).at("network.idle_timeout"),
            Key::new("total_timeout", Kind::Length).at("network.total_timeout"),
            Key::new("retries", Kind::Whole).at("network.retries"),
            Key::new("longest_pause", Kind::Length).at("network.longest_pause"),
            Key::new("max_object_size", Kind::Size).at("network.max_object_size"),
        ]
    };
}

pub(super) const HTTP: &[Key] = over_http![
    Key::new("url", Kind::Address).needed(),
    Key::new("username", Kind::Text),
    Key::new("password", Kind::Secret),
    Key::new("token", Kind::Secret),
    Key::new(NETRC_KEY, Kind::Flag).own(NETRC),
];

pub(super) const S3: &[Key] = over_http![
    Key::new("bucket", Kind::Text).needed(),
    Key::new("prefix", Kind::Text),
    Key::new("endpoint", Kind::Address),
    Key::new("region", Kind::Text),
    Key::new("path_style", Kind::Flag),
    Key::new("anonymous", Kind::Flag),
    Key::new("profile", Kind::Text),
    Key::new("access_key_id", Kind::Text),
    Key::new("secret_access_key", Kind::Secret),
    Key::new("session_token", Kind::Secret),
];

pub(super) const GCS: &[Key] = over_http![
    Key::new("bucket", Kind::Text).needed(),
    Key::new("prefix", Kind::Text),
    Key::new("endpoint", Kind::Address).own(ISSUER),
    Key::new("key_file", Kind::Path).own(ISSUER),
    Key::new("token_url", Kind::Address).own(ISSUER),
    Key::new("anonymous", Kind::Flag),
    Key::new("read_only", Kind::Flag),
];

pub(super) const AZBLOB: &[Key] = over_http![
    Key::new("connection_string", Kind::Secret).needed(),
    Key::new("container", Kind::Text).needed(),
    Key::new("prefix", Kind::Text),
];

pub(super) const REDIS: &[Key] = &[
    Key::new("url", Kind::Address).needed(),
    Key::new("prefix", Kind::Text),
    Key::new("ttl", Kind::Length),
    Key::new("value_limit", Kind::Size),
    Key::new("idle_timeout", Kind::Length).at("timeout"),
];

pub(super) const MEMCACHED: &[Key] = &[
    Key::new("url", Kind::Address).needed(),
    Key::new("prefix", Kind::Text),
    Key::new("username", Kind::Text),
    Key::new("password", Kind::Secret),
    Key::new("ttl", Kind::Length),
    Key::new("value_limit", Kind::Size),
    Key::new("idle_timeout", Kind::Length).at("timeout"),
];

pub(super) const WEBDAV: &[Key] = over_http![
    Key::new("endpoint", Kind::Address).needed(),
    Key::new("prefix", Kind::Text),
    Key::new("username", Kind::Text),
    Key::new("password", Kind::Secret),
    Key::new("token", Kind::Secret),
];
