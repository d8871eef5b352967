//! The progress of a scan.

use crate::audit::live::estimate::{Bytes, Span, float};
use crate::audit::live::segments::Totals;
use crate::cli::Context;
use crate::cli::progress::{Pace, Progress, elapsed_s, whole};
use crate::cli::tables::count;

/// The bytes that a read unit covers in an eventually consistent scan.
const UNIT_BYTES: f64 = 8_192.0;

/// Shows how far a scan is.
pub(super) struct ScanProgress<'c, 'o> {
    context: &'c mut Context<'o>,
    progress: Progress,
    /// The read units of the whole scan, as far as they are known.
    units_expected: f64,
    /// What earlier runs of this audit did.
    before: Totals,
    started_ms: i64,
}

impl<'c, 'o> ScanProgress<'c, 'o> {
    pub(super) fn new(
        context: &'c mut Context<'o>,
        units_expected: f64,
        before: Totals,
        now_ms: i64,
    ) -> Self {
        let length = (units_expected > 0.0).then(|| whole(units_expected));
        let progress = Progress::new(length, now_ms);
        Self { context, progress, units_expected, before, started_ms: now_ms }
    }

    /// Shows the totals so far.
    pub(super) fn show(&mut self, totals: Totals, is_stopping: bool, now_ms: i64) {
        let Self { context, progress, units_expected, before, started_ms } = self;
        let elapsed_s = elapsed_s(*started_ms, now_ms);
        let text = || text(totals, *before, *units_expected, elapsed_s);
        progress.show(&mut context.output, whole(totals.units), text, now_ms);
        if is_stopping {
            progress.stopping(&mut context.output, "pages");
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&mut self) {
        self.progress.finish();
    }
}

fn text(totals: Totals, before: Totals, units_expected: f64, elapsed_s: f64) -> String {
    let speed = whole(float(totals.items.saturating_sub(before.items)) / elapsed_s);
    let bytes = Bytes(totals.units * UNIT_BYTES);
    let pace =
        Pace { done: totals.units - before.units, all: units_expected - before.units, elapsed_s };
    let left = pace.left_s().map(|left| format!(", about {} left", Span(left))).unwrap_or_default();
    let Totals { units, segments_done, segments, .. } = totals;
    let items = count(totals.items, "item");
    format!(
        "{items}, {bytes}, {speed} items/s, {units} read units, \
         {segments_done} of {segments} segments{left}"
    )
}
