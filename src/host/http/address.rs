//! The address of a file: its credentials apart from what may be shown, and the name that the file gets.

use std::path::PathBuf;

use crate::error::{Error, Result};

/// The longest file name made from an address: temporary names around it must stay below the usual 255 bytes.
const NAME_MAX: usize = 200;

/// An absolute `http`, `https` or `file` address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// `http`, `https` or `file`.
    pub(crate) scheme: String,
    /// `user:password`, as written.
    credentials: Option<String>,
    /// Host and port, in lower case.
    pub(crate) authority: String,
    /// Path and query, without the fragment; begins with a slash.
    pub(crate) target: String,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let refused = |reason: &str| Error::Download { url: redact(url), reason: reason.to_owned() };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refused("an address begins with `https://`"))?;
        let scheme = scheme.to_ascii_lowercase();
        if !["http", "https", "file"].contains(&scheme.as_str()) {
            return Err(refused("only `http`, `https` and `file` addresses can be downloaded"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials.to_owned()), host),
            None => (None, authority),
        };
        if host.is_empty() && scheme != "file" {
            return Err(refused("it names no host"));
        }
        let target = encode(if target.starts_with('/') { target.to_owned() } else { format!("/{target}") });
        Ok(Self { scheme, credentials, authority: host.to_ascii_lowercase(), target })
    }

    /// The address without its credentials: for messages, and for the request.
    pub(crate) fn shown(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority, self.target)
    }

    /// The address of a name below this one; without a name, of the directory itself.
    #[cfg(feature = "http")]
    pub(crate) fn below(&self, name: &str) -> Self {
        let target = format!("{}/{}", self.target.trim_end_matches('/'), escape(name));
        Self { target, ..self.clone() }
    }

    /// Whether a secret meant for one may be told to the other.
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        (&self.scheme, &self.authority) == (&other.scheme, &other.authority)
    }

    /// User and password, decoded, for basic authentication.
    pub(crate) fn credentials(&self) -> Option<Vec<u8>> {
        self.credentials.as_deref().map(decode)
    }

    /// The file that a `file` address names; `None` for the others.
    pub(crate) fn local_path(&self) -> Result<Option<PathBuf>> {
        use std::os::unix::ffi::OsStringExt;
        if self.scheme != "file" {
            return Ok(None);
        }
        if !["", "localhost"].contains(&self.authority.as_str()) {
            return Err(self.error("a `file` address has three slashes before its path: `file:///srv/a.tar.gz`"));
        }
        Ok(Some(PathBuf::from(std::ffi::OsString::from_vec(decode(&self.target)))))
    }

    /// The last segment of the path as a file name that is harmless anywhere; `source` where there is none.
    pub(crate) fn file_name(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        let last = decode(path.rsplit('/').next().unwrap_or_default());
        let name: String = String::from_utf8_lossy(&last).chars().map(harmless).collect();
        let name = match name.strip_prefix(['.', '-']) {
            Some(rest) => format!("_{rest}"),
            None => name,
        };
        let mut start = name.len().saturating_sub(NAME_MAX);
        while !name.is_char_boundary(start) {
            start += 1;
        }
        match name.get(start..) {
            None | Some("" | "_") => "source".to_owned(),
            Some(end) => end.to_owned(),
        }
    }

    /// A failure to download this.
    pub(crate) fn error(&self, reason: impl Into<String>) -> Error {
        Error::Download { url: self.shown(), reason: reason.into() }
    }
}

/// An address as it may be shown: without `user:password@`.
pub(crate) fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{target}")
}

fn harmless(c: char) -> char {
    if c.is_alphanumeric() || "._+-~@=,".contains(c) { c } else { '_' }
}

/// Percent-encodes what people write into addresses although it may not stand there.
fn encode(target: String) -> String {
    let mut encoded = String::with_capacity(target.len());
    for byte in target.bytes() {
        match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}".contains(&byte) => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Percent-encodes a text so that it is one segment of a path, or a header: all but letters, digits and `-._~`
/// (RFC 3986, section 2.3).
#[cfg(feature = "http")]
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Undoes [`escape`].
#[cfg(feature = "http")]
pub(crate) fn unescape(text: &str) -> String {
    String::from_utf8_lossy(&decode(text)).into_owned()
}

/// Undoes percent-encoding; a stray `%` stands for itself.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = (*first == b'%').then(|| tail.get(..2).and_then(|digits| hex::decode(digits).ok())).flatten();
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
        bytes.push(escaped.and_then(|byte| byte.first().copied()).unwrap_or(*first));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(url: &str) -> String {
        Address::parse(url).unwrap().file_name()
    }

    #[test]
    fn the_last_segment_is_the_name() {
        assert_eq!(name("https://zlib.net/zlib-1.3.1.tar.gz"), "zlib-1.3.1.tar.gz");
        assert_eq!(name("https://a.org/x/libstdc%2B%2B.tar?raw=1#top"), "libstdc++.tar");
        assert_eq!(name("file:///srv/ünï.zip"), "ünï.zip");
    }

    #[test]
    fn no_name_escapes_or_hides() {
        assert_eq!(name("https://a.org/..%2f..%2fetc%2fpasswd"), "_._.._etc_passwd");
        assert_eq!(name("https://a.org/.lock"), "_lock");
        assert_eq!(name("https://a.org/-rf"), "_rf");
        assert_eq!(name("https://a.org/a%00b%0ac\\d%"), "a_b_c_d_");
        for url in ["https://a.org", "https://a.org/", "https://a.org/?a=/b", "https://a.org/.", "https://a.org/%2e"] {
            assert_eq!(name(url), "source", "{url}");
        }
        let long = name(&format!("https://a.org/{}.tar.gz", "é".repeat(200)));
        assert!(long.len() <= NAME_MAX && long.ends_with("é.tar.gz"), "{long}");
    }

    #[test]
    fn credentials_are_kept_apart() {
        let address = Address::parse("https://me:p%40ss@Example.org:8443/a?b#c").unwrap();
        assert_eq!(address.shown(), "https://example.org:8443/a?b");
        assert_eq!(address.credentials().unwrap(), b"me:p@ss");
        assert_eq!(redact("https://me:p@ss@example.org/a@b"), "https://example.org/a@b");
        let error = Address::parse("ftp://me:secret@example.org/a").unwrap_err().to_string();
        assert!(error.contains("only `http`, `https` and `file`") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn what_may_not_stand_in_an_address_is_encoded() {
        assert_eq!(Address::parse("https://a.org/a b/é?c%20d").unwrap().shown(), "https://a.org/a%20b/%C3%A9?c%20d");
    }

    #[test]
    fn file_addresses_name_a_path() {
        let path = |url| Address::parse(url).unwrap().local_path();
        assert_eq!(path("file:///srv/a%20b.tar").unwrap(), Some(PathBuf::from("/srv/a b.tar")));
        assert_eq!(path("file://localhost/srv/a").unwrap(), Some(PathBuf::from("/srv/a")));
        assert!(path("file://srv/a").unwrap_err().to_string().contains("three slashes"));
        assert_eq!(path("https://srv/a").unwrap(), None);
    }
}
