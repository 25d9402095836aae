//! Forms as clients write them, in parts of any size, and what is none.

use proptest::prelude::*;

use std::time::Duration;

use super::*;

/// A form with one field, as urllib3 writes it.
fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: application/x-tar\r\n\r\n"
    );
    [head.as_bytes(), content, b"\r\n--XX--\r\n"].concat()
}

/// The content of a field, of a form that arrives in parts of that size; `None` when it breaks off.
fn read(form: &[u8], name: &str, size: usize) -> Result<Option<Vec<u8>>, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let parts: Vec<_> = form.chunks(size).map(Bytes::copy_from_slice).map(Ok::<_, io::Error>).collect();
        let body = Body::from_stream(Parts(parts.into_iter()));
        let field = field(body, "XX", name, Pace::new(Duration::from_secs(5), 0)).await?;
        let mut content = Vec::new();
        let mut stream = Body::from_stream(field).into_data_stream();
        while let Some(part) = std::future::poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
            match part {
                Ok(part) => content.extend_from_slice(&part),
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(content))
    })
}

struct Parts<I>(I);

impl<I: Iterator + Unpin> Stream for Parts<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }
}

#[test]
fn a_field_is_found_among_others() {
    let other = "preamble\r\n--XX\r\ncontent-disposition: form-data; name=note\r\n\r\nhello\r\n";
    let form = [other.as_bytes(), &form("a.whl", b"beans")].concat();
    for size in [1, 7, 4096] {
        assert_eq!(read(&form, "a.whl", size).unwrap().unwrap(), b"beans");
        assert_eq!(read(&form, "note", size).unwrap().unwrap(), b"hello");
        assert_eq!(read(&form, "b.whl", size).unwrap_err().status().as_u16(), 400);
    }
}

#[test]
fn a_form_that_breaks_off_has_no_content() {
    let whole = form("a.whl", b"beans");
    let (head, end) = (whole.len() - b"beans\r\n--XX--\r\n".len(), whole.len() - b"--\r\n".len());
    for length in head..end {
        assert_eq!(read(&whole[..length], "a.whl", 5).unwrap(), None, "{length}");
    }
    for length in 0..head {
        assert!(read(&whole[..length], "a.whl", 5).is_err(), "{length}");
    }
}

#[test]
fn what_is_no_form_is_not_held_in_memory() {
    for junk in
        [vec![b'x'; 1 << 20], form("x", &vec![b'x'; 1 << 20]), [b"--XX\r\n".as_slice(), &vec![b'x'; 1 << 20]].concat()]
    {
        assert_eq!(read(&junk, "a.whl", 8192).unwrap_err().status().as_u16(), 400);
    }
    for junk in ["--XX--", "--XXX\r\n\r\n", "--XX\n\nname", ""] {
        assert!(read(junk.as_bytes(), "a.whl", 3).is_err(), "{junk}");
    }
}

#[test]
fn parameters_are_read_with_and_without_quotes() {
    let name = |text: &str| parameter(text, "name");
    assert_eq!(name(" filename=\"a;name=b\"; name=\"c\\\"d\""), Some("c\"d".into()));
    assert_eq!(name("NAME=x ; filename=y"), Some("x".into()));
    assert_eq!((name("filename=name"), name(""), name("name")), (None, None, None));
    let mut headers = HeaderMap::new();
    assert_eq!(boundary(&headers).unwrap(), None);
    headers.insert(header::CONTENT_TYPE, "Multipart/Form-Data; boundary=\"a b\"".parse().unwrap());
    assert_eq!(boundary(&headers).unwrap().as_deref(), Some("a b"));
    headers.insert(header::CONTENT_TYPE, "multipart/form-data".parse().unwrap());
    assert!(boundary(&headers).is_err());
}

proptest! {
    #[test]
    fn any_content_comes_through_in_parts_of_any_size(
        content in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), any::<u8>()], 0..200),
        size in 1_usize..64,
    ) {
        prop_assume!(memmem::find(&content, b"\r\n--XX").is_none() && !content.starts_with(b"\n--XX"));
        prop_assert_eq!(read(&form("a", &content), "a", size).unwrap(), Some(content));
    }

    #[test]
    fn no_form_does_harm(junk in prop::collection::vec(prop::sample::select(PIECES), 0..20), size in 1_usize..9) {
        _ = read(&junk.concat().into_bytes(), "a", size);
    }
}

/// What forms are made of.
const PIECES: &[&str] =
    &["\r\n", "--XX", "--", "\r\n\r\n", "Content-Disposition: form-data; name=\"a\"", "x", "\r", "=", ";"];

#[test]
fn a_form_without_end_is_not_read_for_ever() {
    let other = "--XX\r\nContent-Disposition: form-data; name=note\r\n\r\n\r\n".repeat(2000);
    let form = [other.as_bytes(), &form("a.whl", b"beans")].concat();
    assert_eq!(read(&form, "a.whl", 1000).unwrap_err().status().as_u16(), 400);
}
