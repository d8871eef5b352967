//! The progress of long work: a bar on a terminal, and a line every few seconds elsewhere.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;

/// How often a line is written, in milliseconds.
const LINE_MS: i64 = 5_000;

/// Shows how far the work is.
pub(super) struct Progress {
    /// The bar, on a terminal. It is drawn only by the thread that holds the lock on standard error.
    bar: Option<ProgressBar>,
    shown_ms: i64,
    is_stopping: bool,
}

impl Progress {
    /// Begins work of this length, if it is known.
    pub(super) fn new(length: Option<u64>, now_ms: i64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(length));
        Self { bar, shown_ms: now_ms, is_stopping: false }
    }

    /// Shows how much is done.
    pub(super) fn show(
        &mut self,
        output: &mut Output<'_>,
        done: u64,
        text: impl FnOnce() -> String,
        now_ms: i64,
    ) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(text());
        } else if !(0..LINE_MS).contains(&now_ms.saturating_sub(self.shown_ms)) {
            self.shown_ms = now_ms;
            self.line(output, &text());
        }
    }

    /// Says once that the work stops after what is in flight.
    pub(super) fn stopping(&mut self, output: &mut Output<'_>, in_flight: &str) {
        if !self.is_stopping {
            self.is_stopping = true;
            let text = format!("stopping after the {in_flight} in flight");
            self.line(output, &format!("{text}; a second signal stops at once"));
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Writes a line. Without an output, there is nothing to show.
    fn line(&self, output: &mut Output<'_>, text: &str) {
        let mut write = || output.message(&format!("{text}\n")).and_then(|()| output.flush());
        let _ = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A rate, and the time that is left at this rate.
pub(super) struct Pace {
    /// How much was done, in any unit.
    pub(super) done: f64,
    /// How much there is to do, as far as it is known.
    pub(super) all: f64,
    /// How long it took.
    pub(super) elapsed_s: f64,
}

impl Pace {
    /// The remaining time, in seconds; `None` if it is not known, or if nothing is left.
    pub(super) fn left_s(&self) -> Option<f64> {
        let (left, rate) = (self.all - self.done, self.done / self.elapsed_s);
        (left > 0.0 && rate > 0.0).then(|| left / rate)
    }
}

fn bar(length: Option<u64>) -> ProgressBar {
    let template = if length.is_some() { "{wide_bar} {percent:>3}%\n{msg}" } else { "{msg}" };
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The seconds between two times, at least a thousandth.
pub(super) fn elapsed_s(from_ms: i64, to_ms: i64) -> f64 {
    let elapsed_ms = i32::try_from(to_ms.saturating_sub(from_ms)).unwrap_or(i32::MAX).max(1);
    f64::from(elapsed_ms) / 1_000.0
}

/// A whole number that is not negative.
pub(super) fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let whole = number.round() as u64;
    whole
}
