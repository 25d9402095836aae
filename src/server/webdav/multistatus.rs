//! A multistatus: what is known of places, as XML (RFC 4918, section 13).

use std::fmt::{self, Display};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::fmt_http_date;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::ROOT;

/// What begins the document, and what ends it.
pub(super) const BEGIN: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n";
pub(super) const END: &str = "</D:multistatus>\n";

/// The media type of the document.
pub(super) const MEDIA_TYPE: &str = "application/xml; charset=utf-8";

/// What may stand in an address as it is. Nothing of it means anything in XML.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is known of a place.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    /// The path below the root; that of a directory ends with a slash.
    pub(super) path: &'a str,
    pub(super) kind: Kind,
    pub(super) modified: SystemTime,
}

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    /// An object with its size in bytes, where that is known.
    Object(Option<u64>),
}

impl Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = utf8_percent_encode(self.path, &ENCODED);
        write!(f, "<D:response><D:href>{ROOT}/{path}</D:href><D:propstat><D:prop>")?;
        write!(f, "<D:getlastmodified>{}</D:getlastmodified>", date(self.modified))?;
        match self.kind {
            Kind::Directory => f.write_str("<D:resourcetype><D:collection/></D:resourcetype>")?,
            Kind::Object(None) => f.write_str("<D:resourcetype/>")?,
            Kind::Object(Some(size)) => {
                write!(f, "<D:resourcetype/><D:getcontentlength>{size}</D:getcontentlength>")?;
            }
        }
        f.write_str("</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>\n")
    }
}

/// A date as HTTP has it, which knows no years before 1970 and after 9999. A clock may.
fn date(time: SystemTime) -> String {
    let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    fmt_http_date(time.clamp(UNIX_EPOCH, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_any_clock_are_told() {
        let far = Duration::from_secs(1 << 40);
        assert_eq!(date(UNIX_EPOCH - far), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(date(UNIX_EPOCH + far), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn an_entry_holds_in_xml_whatever_its_name_is() {
        let entry = Entry { path: "a/<b>&\"'ä", kind: Kind::Object(Some(5)), modified: UNIX_EPOCH };
        assert_eq!(
            entry.to_string(),
            "<D:response><D:href>/webdav/a/%3Cb%3E%26%22%27%C3%A4</D:href><D:propstat><D:prop>\
             <D:getlastmodified>Thu, 01 Jan 1970 00:00:00 GMT</D:getlastmodified><D:resourcetype/>\
             <D:getcontentlength>5</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
             </D:response>\n"
        );
    }
}
