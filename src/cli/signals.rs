//! The signals that stop the process.

use std::io;
use std::process;
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;

/// How long the main thread has to end by itself after a second signal.
const EXIT_AFTER: Duration = Duration::from_millis(500);

/// Ends the process with this exit code soon after a second signal, whatever the main thread does:
/// while it computes, it does not notice signals. If it does notice the signal, it prints why the
/// command ended before this.
pub(in crate::cli) fn exit_after_second_signal(code: u8) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _context = runtime.enter();
        Signals::new()?
    };
    let wait = move || {
        runtime.block_on(async {
            signals.next().await;
            signals.next().await;
        });
        thread::sleep(EXIT_AFTER);
        process::exit(i32::from(code));
    };
    // It has no result to wait for: the process ends with the main thread.
    thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
}

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
