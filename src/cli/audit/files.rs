//! The audit of files: dumps and exports.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use super::{Args, Finished, Reporter, options, sources};
use crate::audit::live::estimate::{Bytes, Span, float};
use crate::audit::{self, Archive, Progress, Stop};
use crate::cli::progress::{self, Pace, whole};
use crate::cli::{Context, Failure};
use crate::rules::model::Rules;

/// How often the progress is looked at.
const TICK: Duration = Duration::from_millis(200);

/// The maximum number of findings that wait to be printed.
const FINDINGS_MAX: usize = 1_024;

/// Audits the sources in a thread of its own, while this one shows the progress and the findings.
pub(super) fn run(
    arguments: &Args,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Finished, Failure> {
    let mut options = options(arguments);
    let (archive, exported_ms) =
        sources::open(&arguments.sources, rules, options.threads, context)?;
    options.now_ms = arguments.at.or(exported_ms).unwrap_or(options.now_ms);
    let mut reporter = Reporter::new(rules, arguments, context)?;
    let progress = Progress::default();
    let mut shown = Shown::new(&progress, &archive);
    let (sender, findings) = sync_channel(FINDINGS_MAX);
    let audited = std::thread::scope(|scope| {
        let audit = scope.spawn(|| {
            let sender = sender;
            // The receiver is gone if a finding could not be printed: the reason is known there.
            let each = |finding| sender.send(finding).map_err(|_| Stop(String::new()));
            audit::audit(rules, &archive, &options, &progress, each)
        });
        let findings = findings;
        loop {
            match findings.recv_timeout(TICK) {
                Ok(finding) => {
                    shown.display.finish();
                    reporter.finding(finding)?;
                }
                Err(RecvTimeoutError::Timeout) => shown.update(&mut reporter.context.output),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let audited = audit.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        audited.map_err(|stop| Failure::Incomplete(stop.to_string()))
    })?;
    drop(shown);
    reporter.finish(&audited, None)
}

/// The progress, as it is shown.
struct Shown<'p> {
    progress: &'p Progress,
    /// The number of items, if it is known.
    items: Option<u64>,
    files: u32,
    display: progress::Progress,
    started: Instant,
}

impl<'p> Shown<'p> {
    fn new(progress: &'p Progress, archive: &dyn Archive) -> Self {
        #[expect(clippy::disallowed_methods, reason = "only for the display of the progress")]
        let started = Instant::now();
        let (items, files) = (archive.items(), archive.chunks());
        Self { progress, items, files, display: progress::Progress::new(items, 0), started }
    }

    fn update(&mut self, output: &mut crate::cli::Output<'_>) {
        let elapsed = self.started.elapsed();
        let items = self.progress.items.load(Ordering::Relaxed);
        let bytes = self.progress.bytes.load(Ordering::Relaxed);
        let chunks = self.progress.chunks.load(Ordering::Relaxed);
        let (all, files) = (self.items, self.files);
        let text = || text((items, bytes), all, (chunks, files), elapsed.as_secs_f64());
        let now_ms = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        self.display.show(output, items, text, now_ms);
    }
}

/// What was read of all items and files.
fn text(
    (items, bytes): (u64, u64),
    all: Option<u64>,
    (files_done, files): (u32, u32),
    elapsed_s: f64,
) -> String {
    if files_done == files {
        return format!("{items} items, {}, comparing", Bytes(float(bytes)));
    }
    let pace = Pace { done: float(items), all: float(all.unwrap_or(0)), elapsed_s };
    let left = pace.left_s().map(|left| format!(", about {} left", Span(left)));
    format!(
        "{items} items, {}, {} items/s, {files_done} of {files} files{}",
        Bytes(float(bytes)),
        whole(float(items) / elapsed_s.max(0.001)),
        left.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_shown_if_the_number_of_items_is_known() {
        assert_eq!(
            text((250_000, 60_000_000), Some(1_000_000), (3, 16), 2.0),
            "250000 items, 60.0 MB, 125000 items/s, 3 of 16 files, about 6 s left"
        );
        assert_eq!(
            text((250_000, 60_000_000), None, (0, 1), 2.0),
            "250000 items, 60.0 MB, 125000 items/s, 0 of 1 files"
        );
        assert_eq!(text((9, 2_000), Some(9), (1, 1), 2.0), "9 items, 2.0 KB, comparing");
    }
}
