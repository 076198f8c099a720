//! Signals: the first asks everything to stop, the second ends the process.
//! Must not know what is going on.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Error, Result};
use crate::tool::Cancel;

/// From now on signals raise `cancel`.
///
/// # Errors
/// A tool error if the machine does not allow it.
pub(super) fn watch(cancel: Cancel) -> Result<()> {
    // Not SIGHUP: a process that was started to outlive its terminal must.
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|cause| Error::tool(format!("cannot listen to signals: {cause}")))?;
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if cancel.requested().is_some() {
                std::process::exit(128 + signal);
            }
            cancel.request(u8::try_from(signal).unwrap_or(u8::MAX));
        }
    });
    Ok(())
}
