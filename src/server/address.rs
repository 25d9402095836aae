//! The address of the server, as whoever looks at a page has reached it.

use axum::http::{HeaderMap, Uri, header};

use super::connection::Peer;
use super::site::Site;

/// Where the settings of clients lead when it is not known how the server is reached.
const EXAMPLE: &str = "cache.example.org:8000";

/// The longest name of a host, with its port.
const LONGEST: usize = 255;

/// `http://cache:8000`, of a request. People will paste it into a shell, so it has no character that is not of an address.
pub(super) fn address(site: &Site, peer: Peer, uri: &Uri, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    let host = host.filter(|host| is_host(host)).unwrap_or(EXAMPLE);
    let scheme = match headers.get("x-forwarded-proto").map(|scheme| scheme.as_bytes()) {
        Some(b"https") => "https",
        Some(b"http") => "http",
        _ if site.speaks_tls && peer != Peer::Local => "https",
        _ => "http",
    };
    format!("{scheme}://{host}")
}

/// Whether it is `name`, `192.0.2.7` or `[2001:db8::7]`, with or without a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
    };
    // A name that begins like an option could be taken for one.
    text.len() <= LONGEST && is_name && !name.starts_with('-') && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_what_is_none() {
        for good in
            ["cache", "cache:8000", "192.0.2.7", "192.0.2.7:80", "[2001:db8::7]", "[::1]:8000", "a_b.example.org"]
        {
            assert!(is_host(good), "{good}");
        }
        let long = "x".repeat(256);
        let bad = [
            "", ":80", "a b", "a;b", "a$(b)", "a\"b", "<b>", "a/b", "a@b", "a:80:80", "a:", "a:x", "[]", "[::1", "::1",
            "-o", "a:123456", "ä", &long,
        ];
        for bad in bad {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
