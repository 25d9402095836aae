//! The HTTP client: how it connects, whom it trusts, and how it says who is asking.

use std::fs;

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use super::Network;
use crate::error::{Error, Result};

/// A pool of connections. It follows no redirects: that would carry a caller's own headers to any host.
pub(crate) fn agent(network: &Network) -> Result<Agent> {
    let proxy = match &network.proxy {
        Some(proxy) => Some(Proxy::new(proxy).map_err(|error| invalid("proxy", error))?),
        None => None,
    };
    let config = Agent::config_builder()
        .allow_non_standard_methods(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("cortado/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .proxy(proxy)
        .tls_config(TlsConfig::builder().root_certs(roots(network)?).build())
        .timeout_connect(Some(network.timeouts.connect))
        .timeout_per_read(Some(network.timeouts.idle))
        .timeout_per_write(Some(network.timeouts.idle))
        .timeout_global(network.timeouts.total);
    Ok(config.build().new_agent())
}

/// The value of an `Authorization` header for `user:password`.
pub(crate) fn basic(credentials: &[u8]) -> String {
    format!("Basic {}", base64(credentials))
}

fn roots(network: &Network) -> Result<RootCerts> {
    let Some(path) = &network.ca_file else { return Ok(RootCerts::WebPki) };
    let pem = fs::read(path).map_err(Error::io("read", path))?;
    let mut roots = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(root) = item.map_err(|error| invalid(&path.display().to_string(), error))? {
            roots.push(root);
        }
    }
    if roots.is_empty() {
        return Err(invalid(&path.display().to_string(), "it holds no certificate"));
    }
    Ok(RootCerts::new_with_certs(&roots))
}

fn invalid(place: &str, problem: impl std::fmt::Display) -> Error {
    Error::Invalid { place: place.to_owned(), problem: problem.to_string(), hint: String::new() }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain(&[0; 2]).take(3).fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = DIGITS.get(group >> (18 - 6 * place) & 63).copied().unwrap_or(b'=');
            text.push(if place > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_encoded_as_the_rfc_says() {
        let all = ["", "f", "fo", "foo", "foob", "Aladdin:open sesame"].map(|text| base64(text.as_bytes()));
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
    }
}
