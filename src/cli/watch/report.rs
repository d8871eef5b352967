//! Reports the findings and writes of a watcher as they occur.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;

use serde_json::value::RawValue;

use super::time::utc;
use crate::cli::coverage::Coverage;
use crate::cli::lines::{Line, Totals, repair_started_text};
use crate::cli::names::item_name;
use crate::cli::rule_file::counts;
use crate::cli::tables::count;
use crate::cli::{Context, Failure, Outcome};
use crate::engine::{self, Rejected, Violation, WriteMade};
use crate::integrity::finding::ItemName;
use crate::rules::model::{Rules, Severity};
use crate::runtime::clock::Clock as _;
use crate::runtime::repair_log::StartedRepair;
use crate::runtime::system_clock::SystemClock;
use crate::streams::StreamRecord;
use crate::watch::Notice;
use crate::wording;

/// Writes results to stdout and progress to stderr.
pub(super) struct Reporter<'t, 'c> {
    rules: &'t Rules,
    state: RefCell<State<'t, 'c>>,
}

struct State<'t, 'c> {
    context: &'t mut Context<'c>,
    totals: Totals,
    coverage: Coverage,
    /// Whether a record that matches no entity counts as a finding.
    is_strict: bool,
    has_begun: bool,
    has_errors: bool,
    failure: Option<io::Error>,
}

impl<'t, 'c> Reporter<'t, 'c> {
    pub(super) fn new(rules: &'t Rules, is_strict: bool, context: &'t mut Context<'c>) -> Self {
        let state = State {
            context,
            coverage: Coverage::default(),
            is_strict,
            totals: Totals::default(),
            has_begun: false,
            has_errors: false,
            failure: None,
        };
        Self { rules, state: RefCell::new(state) }
    }

    /// Prints a notice. Fails if the output cannot be written.
    pub(super) fn report(&self, notice: Notice<'_>) -> Result<(), ()> {
        match notice {
            Notice::Started { stream, is_resumed } => {
                let how = if is_resumed { " from the checkpoint" } else { "" };
                self.state.borrow_mut().has_begun = true;
                self.message(&format!("watching `{}`{how}", stream.table));
            }
            Notice::RepairsStarted { repairs } => {
                self.state.borrow_mut().start(self.rules, repairs);
            }
            Notice::Delivered { outcome, records } => {
                self.state.borrow_mut().deliver(self.rules, outcome, records);
            }
            Notice::Redelivering { stream, reason, pause_ms } => self.message(&format!(
                "redelivering records of `{}` in {pause_ms} ms: {reason}",
                stream.table
            )),
            Notice::Retrying { stream, error, pause_ms } => self.message(&format!(
                "reading the stream of `{}` again in {pause_ms} ms: {error}",
                stream.table
            )),
            Notice::Recovered { stream } => {
                self.message(&format!("the stream of `{}` is processed again", stream.table));
            }
            Notice::MetricsLost { error } => {
                self.message(&format!("warning: lost the metrics of a batch: {error}"));
            }
            Notice::RecordsLost { stream, what } => {
                let help = "these changes were not checked, and mirrors may be stale";
                self.message(&format!(
                    "warning: RECORDS OF TABLE `{}` WERE LOST: {what}\nhelp: {help}",
                    stream.table
                ));
            }
        }
        if self.state.borrow().failure.is_some() { Err(()) } else { Ok(()) }
    }

    /// Writes a message.
    pub(super) fn message(&self, text: &str) {
        let state = &mut *self.state.borrow_mut();
        let written = state.context.output.message(&format!("{} {text}\n", now()));
        state.flush(written);
    }

    /// Reports the totals.
    pub(super) fn finish(self) -> Result<Outcome, Failure> {
        let State { context, totals, coverage, is_strict, has_begun, has_errors, failure } =
            self.state.into_inner();
        if let Some(error) = failure {
            return Err(Failure::Output(error));
        }
        if context.json {
            context.output.json(&Line::summary(self.rules, totals, &coverage))?;
        }
        if has_begun {
            let found = counts(&[
                (totals.violations, "violation"),
                (totals.writes, "write"),
                (totals.rejected, "rejected record"),
            ]);
            let text = match totals.records {
                0 => "stopped: there were no records".to_owned(),
                records => format!("stopped after {}: {found}", count(records, "record")),
            };
            context.output.message(&format!("{} {text}\n", now()))?;
            context.output.message(&coverage.text(self.rules, "record"))?;
        }
        let is_unmatched = is_strict && coverage.unmatched() > 0;
        Ok(if has_errors || is_unmatched { Outcome::Findings } else { Outcome::Clean })
    }
}

impl State<'_, '_> {
    fn start(&mut self, rules: &Rules, repairs: &[StartedRepair]) {
        for repair in repairs {
            let text = || repair_started_text(rules, repair);
            self.result(&Line::repair_started(rules, repair), text);
        }
        self.flush(Ok(()));
    }

    fn deliver(&mut self, rules: &Rules, outcome: &engine::Outcome, records: &[StreamRecord]) {
        let known = self.coverage.unmatched();
        self.coverage.add(outcome);
        if known == 0 && self.coverage.unmatched() > 0 {
            // The end of the run, at which all are counted, may be days away.
            let text = self.coverage.unmatched_text(rules, "record");
            let text = format!("{} {text}", now());
            if let Err(error) = self.context.output.message(&text) {
                self.failure.get_or_insert(error);
            }
        }
        self.totals.records += outcome.records;
        self.totals.batches += 1;
        self.totals.requests += outcome.requests;
        self.totals.read_units += outcome.units.read;
        self.totals.write_units += outcome.units.write;
        self.totals.writes += outcome.writes.len();
        self.totals.violations += outcome.violations.len();
        self.totals.rejected += outcome.rejected.len();
        self.has_errors |= !outcome.rejected.is_empty()
            || outcome
                .violations
                .iter()
                .any(|violation| violation.finding.severity == Severity::Error);
        for rejected in &outcome.rejected {
            self.reject(rejected, records.get(rejected.position));
        }
        for write in &outcome.writes {
            self.result(&Line::write(rules, write), || written(rules, write));
        }
        for write in &outcome.planned {
            self.result(&Line::would_write(rules, write), || {
                format!("would {}", written(rules, write))
            });
        }
        for violation in &outcome.violations {
            self.result(&Line::violation(rules, violation), || violated(rules, violation));
        }
        self.flush(Ok(()));
    }

    fn reject(&mut self, rejected: &Rejected, record: Option<&StreamRecord>) {
        let payload = record.map(|record| &*record.json);
        let line = Line::Rejected {
            sequence: rejected.sequence.as_deref(),
            error: &rejected.error,
            event: None,
            record: None,
            payload,
        };
        self.result(&line, || {
            let payload = payload.map(RawValue::get).unwrap_or_default();
            format!("rejected   {}\n           {payload}", rejected.error)
        });
    }

    /// Writes a result, as JSON or as text.
    fn result(&mut self, line: &Line<'_>, text: impl FnOnce() -> String) {
        let output = &mut self.context.output;
        let written = if self.context.json {
            output.json(line)
        } else {
            let text = colored(&text(), self.context.colors.results);
            output.result(&format!("{} {text}\n", now()))
        };
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }

    /// Writes everything that is buffered, because the next output may be hours away.
    fn flush(&mut self, written: io::Result<()>) {
        if let Err(error) = written.and_then(|()| self.context.output.flush()) {
            self.failure.get_or_insert(error);
        }
    }
}

/// The time at which a line is written.
fn now() -> String {
    utc(SystemClock.now_ms())
}

/// A result with its first word in colour, if that is wanted.
fn colored(text: &str, is_wanted: bool) -> String {
    let color = match text.split_once(' ').map(|(first, _)| first) {
        Some("violation" | "rejected") if is_wanted => "31",
        Some("warning") if is_wanted => "33",
        _ => return text.to_owned(),
    };
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    format!("\x1b[{color}m{first}\x1b[0m {rest}")
}

fn written(rules: &Rules, write: &WriteMade) -> String {
    let item = item_name(rules, write.item.table, &write.item.key);
    let detail = write.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{:10} {item}, for `{}`{detail}", write.operation.name(), write.rule)
}

fn violated(rules: &Rules, violation: &Violation) -> String {
    let item = |item: &ItemName| item_name(rules, item.table, &item.key);
    let severity = match violation.finding.severity {
        Severity::Error => "violation",
        Severity::Warn => "warning",
    };
    let mut text = format!("{severity:10} {} of `{}`", violation.kind(), violation.finding.rule);
    if let Some(referencing) = &violation.finding.referencing {
        let _ = write!(text, ": {}", item(referencing));
    }
    if let Some(referenced) = &violation.finding.referenced {
        let _ = write!(text, " -> {}", item(referenced));
    }
    let _ = write!(
        text,
        " ({}): {}",
        violation.resolution.response.name(),
        wording::violation(rules, violation)
    );
    text
}
