//! The host: the only layer that does I/O. Files, processes, archives, locks and the network live here; what to do
//! with them is decided above.

pub(crate) mod beneath;
pub(crate) mod busy;
pub(crate) mod cancel;
pub(crate) mod checksum;
pub(crate) mod clone;
pub(crate) mod copy;
pub(crate) mod decompress;
pub(crate) mod detect;
pub(crate) mod download;
pub(crate) mod drafts;
pub(crate) mod fs;
pub(crate) mod git;
pub(crate) mod gzip;
pub(crate) mod http;
pub(crate) mod jobserver;
pub(crate) mod lanes;
pub(crate) mod layout;
pub(crate) mod lines;
pub(crate) mod listing;
pub(crate) mod lock;
pub(crate) mod many;
pub(crate) mod pack;
pub(crate) mod patch;
pub(crate) mod pax;
pub(crate) mod process;
pub(crate) mod unpack;
