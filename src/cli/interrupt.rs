//! Interruption: Ctrl-C and the system's polite requests to stop, handed to the engine.

use std::process;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::{Cancel, Error, Exit, Result};

/// Listens for signals for as long as it lives.
///
/// The first asks the run to stop and lets its commands end, the second kills them, the third ends this process as it
/// is.
pub(super) struct Interrupt {
    handle: Handle,
}

impl Interrupt {
    /// Begins to listen. `say` tells people what is going on.
    pub(super) fn listen(cancel: &Cancel, say: impl Fn(&str) + Send + 'static) -> Result<Self> {
        let error = |source| Error::Io { verb: "listen for", path: "signals".into(), source };
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(error)?;
        let handle = signals.handle();
        let cancel = cancel.clone();
        let listen = move || {
            for (number, _) in signals.forever().enumerate() {
                match number {
                    0 => {
                        say("stopping; interrupt again to kill what is still running");
                        cancel.cancel();
                    }
                    1 => {
                        say("killing what is still running");
                        cancel.force();
                    }
                    _ => process::exit(Exit::Interrupted.code().into()),
                }
            }
        };
        thread::Builder::new().name("signals".into()).spawn(listen).map_err(error)?;
        Ok(Self { handle })
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.handle.close();
    }
}
