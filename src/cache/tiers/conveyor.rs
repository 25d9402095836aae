//! The conveyor: an object as it comes from a store that may fall silent. A thread reads ahead, in pieces; whoever wants
//! the object waits for the next piece, and not longer than the tier may take.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;

use super::breaker::Pass;
use super::fault::Fault;
use super::line::{Visit, asked};
use super::wait::Wait;
use crate::cache::provenance::Provenance;
use crate::cache::store::Store;

/// Bytes of a piece, and how many are read ahead.
const PIECE: usize = 128 << 10;
const AHEAD: usize = 8;

/// An object on its way. Reading it fails when the tier does; `fault` then says how.
struct Conveyor<'v> {
    pass: Arc<Pass>,
    wait: &'v mut Wait,
    pieces: Receiver<Piece>,
    current: io::Cursor<Vec<u8>>,
    ended: bool,
    fault: Option<Fault>,
}

enum Piece {
    /// There is such an object.
    Opened(Option<Provenance>),
    Absent,
    Bytes(Vec<u8>),
    End,
    Fault(Fault),
}

/// Asks for an object, with what is known about it; `None` when the tier has none of that name.
fn open<'v>(
    visit: &'v mut Visit<'_>,
    store: Arc<dyn Store>,
    name: &str,
) -> Result<Option<(Conveyor<'v>, Option<Provenance>)>, Fault> {
    let (send, pieces) = sync_channel(AHEAD);
    let (pass, name) = (visit.pass.clone(), name.to_owned());
    let read = move || read(&*store, &name, &pass, &send);
    let started = thread::Builder::new().name("cortado tier".into()).spawn(read);
    started.map_err(|error| Fault::Failed(format!("could not start a thread: {error}")))?;
    let (pass, wait) = (visit.pass.clone(), &mut visit.wait);
    let mut conveyor = Conveyor { pass, wait, pieces, current: io::Cursor::default(), ended: false, fault: None };
    match conveyor.next()? {
        Piece::Opened(provenance) => Ok(Some((conveyor, provenance))),
        Piece::Fault(fault) => Err(fault),
        _ => Ok(None),
    }
}

/// Opens an object and hands it to `take`, with what is known about it; `None` when the tier has none of that name.
/// How reading it failed stands beside what `take` made of that.
pub(super) fn carry<T>(
    visit: &mut Visit<'_>,
    store: Arc<dyn Store>,
    name: &str,
    take: impl FnOnce(&mut (dyn Read + Send), Option<Provenance>) -> T,
) -> Result<Option<(T, Option<Fault>)>, Fault> {
    if visit.pass.limit().is_none() {
        let Some((object, provenance)) = asked(None, || open_in(&*store, name))? else { return Ok(None) };
        let mut object = Watched { object, fault: None };
        return Ok(Some((take(&mut object, provenance), object.fault)));
    }
    let Some((mut object, provenance)) = open(visit, store, name)? else { return Ok(None) };
    Ok(Some((take(&mut object, provenance), object.fault)))
}

/// Remembers how reading failed, which whoever reads takes for damage.
struct Watched<R> {
    object: R,
    fault: Option<Fault>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.object.read(buffer).map_err(|error| {
            let (kind, text) = (error.kind(), error.to_string());
            if kind != io::ErrorKind::Interrupted {
                self.fault = Some(Fault::of(&error.into(), None));
            }
            io::Error::new(kind, text)
        })
    }
}

impl Conveyor<'_> {
    fn next(&mut self) -> Result<Piece, Fault> {
        self.wait.idle = Default::default();
        loop {
            let limit = self.pass.limit();
            match self.wait.once(limit, |moment| self.pieces.recv_timeout(moment)) {
                Ok(piece) => return Ok(piece),
                Err(RecvTimeoutError::Disconnected) => return Err(Fault::Failed("it ended without an answer".into())),
                Err(RecvTimeoutError::Timeout) => self.pass.bear(self.wait)?,
            }
        }
    }

    fn turn(&mut self) -> Result<(), Fault> {
        match self.next()? {
            Piece::Bytes(bytes) => {
                self.wait.moved_to(self.wait.bytes + bytes.len() as u64);
                self.current = io::Cursor::new(bytes);
                // A tier that drips is found out here: it is never silent for long.
                self.pass.bear(self.wait)?;
            }
            Piece::Fault(fault) => return Err(fault),
            _ => self.ended = true,
        }
        Ok(())
    }
}

impl Read for Conveyor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(buffer)?;
            if read > 0 || self.ended || buffer.is_empty() {
                return Ok(read);
            }
            if let Err(fault) = self.turn() {
                let told = io::Error::other(fault.to_string());
                self.fault = Some(fault);
                return Err(told);
            }
        }
    }
}

/// The thread: it ends with the object, with the first error, or when nobody wants the object any more.
fn read(store: &dyn Store, name: &str, pass: &Pass, send: &SyncSender<Piece>) {
    let limit = pass.limit();
    let (first, object) = match asked(limit, || open_in(store, name)) {
        Ok(Some((object, provenance))) => (Piece::Opened(provenance), Some(object)),
        Ok(None) => (Piece::Absent, None),
        Err(fault) => (Piece::Fault(fault), None),
    };
    hear(pass, &first);
    let wanted = send.send(first).is_ok();
    let Some(mut object) = object.filter(|_| wanted) else { return };
    loop {
        let piece = match asked(limit, || Ok(piece(&mut object)?)) {
            Ok(bytes) if bytes.is_empty() => Piece::End,
            Ok(bytes) => Piece::Bytes(bytes),
            Err(fault) => Piece::Fault(fault),
        };
        hear(pass, &piece);
        let more = matches!(piece, Piece::Bytes(_));
        if send.send(piece).is_err() || !more {
            return;
        }
    }
}

/// Everything is a sign of life, but that the store has waited in vain itself.
fn hear(pass: &Pass, piece: &Piece) {
    if !matches!(piece, Piece::Fault(Fault::TimedOut(_))) {
        pass.hear();
    }
}

/// An object being read, and where it comes from, if that is known.
type Opened = (Box<dyn Read + Send>, Option<Provenance>);

fn open_in(store: &dyn Store, name: &str) -> anyhow::Result<Option<Opened>> {
    let Some(object) = store.get(name)? else { return Ok(None) };
    // What is not known costs a number, and no more.
    let known = store.describe(name).ok().flatten();
    Ok(Some((object, known.map(|known| known.provenance))))
}

/// Some bytes, as soon as there are any; none at the end.
fn piece(object: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; PIECE];
    loop {
        match object.read(&mut bytes) {
            Ok(read) => {
                bytes.truncate(read);
                return Ok(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
