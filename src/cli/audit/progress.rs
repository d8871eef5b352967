//! The progress of a scan: a bar on a terminal, and a line every few seconds elsewhere.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::audit::live::estimate::{Bytes, Span};
use crate::audit::live::segments::Totals;
use crate::cli::Context;

/// How often a line is written, in milliseconds.
const LINE_MS: i64 = 5_000;
/// The bytes that a read unit covers in an eventually consistent scan.
const UNIT_BYTES: f64 = 8_192.0;

/// Shows how far a scan is.
pub(super) struct Progress<'c, 'o> {
    context: &'c mut Context<'o>,
    /// The bar, on a terminal. It is drawn only when a page arrives, by this thread, which holds
    /// the lock on standard error.
    bar: Option<ProgressBar>,
    /// The read units of the whole scan, as far as they are known.
    units_expected: f64,
    /// What earlier runs of this audit did.
    before: Totals,
    started_ms: i64,
    shown_ms: i64,
    is_stopping: bool,
}

impl<'c, 'o> Progress<'c, 'o> {
    pub(super) fn new(
        context: &'c mut Context<'o>,
        units_expected: f64,
        before: Totals,
        now_ms: i64,
    ) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(units_expected));
        Self {
            context,
            bar,
            units_expected,
            before,
            started_ms: now_ms,
            shown_ms: now_ms,
            is_stopping: false,
        }
    }

    /// Shows the totals so far.
    pub(super) fn show(&mut self, totals: Totals, is_stopping: bool, now_ms: i64) {
        if let Some(bar) = &self.bar {
            bar.set_position(whole(totals.units));
            bar.set_message(self.text(totals, now_ms));
        } else if !(0..LINE_MS).contains(&now_ms.saturating_sub(self.shown_ms)) {
            self.shown_ms = now_ms;
            let text = self.text(totals, now_ms);
            self.line(&text);
        }
        if is_stopping && !self.is_stopping {
            self.is_stopping = true;
            self.line("stopping after the pages in flight; a second signal stops at once");
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Writes a line. Without an output, there is nothing to show.
    fn line(&mut self, text: &str) {
        let write = |output: &mut crate::cli::Output<'_>| {
            output.message(&format!("{text}\n")).and_then(|()| output.flush())
        };
        let output = &mut self.context.output;
        let _ = match &self.bar {
            Some(bar) => bar.suspend(|| write(output)),
            None => write(output),
        };
    }

    fn text(&self, totals: Totals, now_ms: i64) -> String {
        let elapsed_s = f64::from(
            i32::try_from(now_ms.saturating_sub(self.started_ms)).unwrap_or(i32::MAX).max(1),
        ) / 1_000.0;
        let items = totals.items - self.before.items.min(totals.items);
        let speed = whole(f64::from(u32::try_from(items).unwrap_or(u32::MAX)) / elapsed_s);
        let bytes = Bytes(totals.units * UNIT_BYTES);
        let Totals { items, units, segments_done, segments, .. } = totals;
        let units_left = self.units_expected - units;
        let units_per_second = (units - self.before.units) / elapsed_s;
        let left = if units_left > 0.0 && units_per_second > 0.0 {
            format!(", about {} left", Span(units_left / units_per_second))
        } else {
            String::new()
        };
        format!(
            "{items} items, {bytes}, {speed} items/s, {units} read units, \
             {segments_done} of {segments} segments{left}"
        )
    }
}

fn bar(units_expected: f64) -> ProgressBar {
    let length = (units_expected > 0.0).then(|| whole(units_expected));
    let template = if length.is_some() { "{wide_bar} {percent:>3}%\n{msg}" } else { "{msg}" };
    let style = ProgressStyle::with_template(template);
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A whole number that is not negative.
fn whole(number: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let whole = number.round() as u64;
    whole
}
