//! The own protocol: what is put is got, the first one stays, and what is wrong is refused.

use super::client::Request;
use super::served::Served;

/// The SHA-256 of `beans`, as a header has it.
const BEANS: &str = "sha-256=:h8vMvGuBTyGEW1iIvjTHiaXJ5JdnyNZJJJqCAIqEbJI=:";

#[test]
fn what_is_put_is_got() {
    let served = Served::new();
    let put = served.put("a", "beans");
    assert_eq!((put.status, served.get("a").status), (201, 200));
    let got = served.get("a");
    assert_eq!((got.body.as_slice(), got.header("etag")), (&b"beans"[..], put.header("etag")));
    let part = served.send(&Request::new("GET", "/v1/artifacts/a").header("Range", "bytes=1-2"));
    assert_eq!(
        (part.status, part.body.as_slice(), part.header("content-range")),
        (206, &b"ea"[..], Some("bytes 1-2/5"))
    );
    assert_eq!(served.get("b").detail(), "there is no such object");
}
