//! The signals that stop the process.

use std::io;

/// SIGINT, which Ctrl-C sends, and SIGTERM, which containers send.
#[cfg(unix)]
pub(in crate::cli) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Starts catching these signals.
    pub(in crate::cli) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next signal.
    pub(in crate::cli) async fn next(&mut self) {
        let (interrupt, terminate) =
            (std::pin::pin!(self.interrupt.recv()), std::pin::pin!(self.terminate.recv()));
        futures_util::future::select(interrupt, terminate).await;
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(in crate::cli) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Starts catching this signal.
    pub(in crate::cli) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next signal.
    pub(in crate::cli) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
