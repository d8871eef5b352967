//! What a watcher finds and does, line by line, as it happens.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;

use serde_json::value::RawValue;

use crate::cli::lines::{Line, Totals};
use crate::cli::names::item_name;
use crate::cli::rule_file::counts;
use crate::cli::{Context, Failure, Outcome};
use crate::engine::{self, Rejected, Violation, WriteMade};
use crate::integrity::finding::ItemName;
use crate::rules::model::{Rules, Severity};
use crate::streams::StreamRecord;
use crate::watch::Told;
use crate::wording;

/// Tells what is found and done: results on stdout, and how it goes on stderr.
pub(super) struct Teller<'t, 'c> {
    rules: &'t Rules,
    told: RefCell<State<'t, 'c>>,
}

struct State<'t, 'c> {
    context: &'t mut Context<'c>,
    totals: Totals,
    has_begun: bool,
    has_errors: bool,
    failure: Option<io::Error>,
}

impl<'t, 'c> Teller<'t, 'c> {
    pub(super) fn new(rules: &'t Rules, context: &'t mut Context<'c>) -> Self {
        let state = State {
            context,
            totals: Totals::default(),
            has_begun: false,
            has_errors: false,
            failure: None,
        };
        Self { rules, told: RefCell::new(state) }
    }

    /// Tells something. An error means that nobody can hear it.
    pub(super) fn tell(&self, told: Told<'_>) -> Result<(), ()> {
        match told {
            Told::Begun { stream, is_resumed } => {
                let how = if is_resumed { ", from the checkpoint on" } else { "" };
                self.told.borrow_mut().has_begun = true;
                self.message(&format!("watching `{}`{how}", stream.table));
            }
            Told::Delivered { outcome, records } => {
                self.told.borrow_mut().deliver(self.rules, outcome, records);
            }
            Told::HandedBack { stream, reason, pause_ms } => self.message(&format!(
                "records of `{}` are delivered again in {pause_ms} ms: {reason}",
                stream.table
            )),
            Told::Delayed { stream, what, pause_ms } => self.message(&format!(
                "the stream of `{}` is read again in {pause_ms} ms: {what}",
                stream.table
            )),
            Told::MetricsLost { what } => {
                self.message(&format!("warning: the metrics of a batch are lost: {what}"));
            }
            Told::Lost { stream, what } => {
                let help = "what changed then, nobody has checked, and mirrors may be stale";
                self.message(&format!(
                    "warning: RECORDS WERE LOST of table `{}`: {what}\nhelp: {help}",
                    stream.table
                ));
            }
        }
        if self.told.borrow().failure.is_some() { Err(()) } else { Ok(()) }
    }

    /// Tells people how it goes.
    pub(super) fn message(&self, text: &str) {
        let told = &mut *self.told.borrow_mut();
        let written = told.context.output.message(&format!("{text}\n"));
        told.settle(written);
    }

    /// Tells the totals.
    pub(super) fn finish(self) -> Result<Outcome, Failure> {
        let told = self.told.into_inner();
        if let Some(error) = told.failure {
            return Err(Failure::Output(error));
        }
        let totals = told.totals;
        if told.context.json {
            told.context.output.json(&Line::Summary(totals))?;
        }
        if told.has_begun {
            let found = counts(&[
                (totals.violations, "violation"),
                (totals.writes, "write"),
                (totals.rejected, "rejected record"),
            ]);
            let seen = counts(&[(totals.records, "record")]);
            let text = format!("stopped; {seen} came, and caused {found}\n");
            told.context.output.message(&text)?;
        }
        Ok(if told.has_errors { Outcome::Findings } else { Outcome::Clean })
    }
}

impl State<'_, '_> {
    fn deliver(&mut self, rules: &Rules, outcome: &engine::Outcome, records: &[StreamRecord]) {
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
        self.settle(Ok(()));
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

    /// Writes a result, as JSON or for people.
    fn result(&mut self, line: &Line<'_>, text: impl FnOnce() -> String) {
        let output = &mut self.context.output;
        let written = if self.context.json {
            output.json(line)
        } else {
            output.result(&format!("{}\n", text()))
        };
        if let Err(error) = written {
            self.failure.get_or_insert(error);
        }
    }

    /// Sees to it that everything is written, for nobody knows when there will be more.
    fn settle(&mut self, written: io::Result<()>) {
        if let Err(error) = written.and_then(|()| self.context.output.flush()) {
            self.failure.get_or_insert(error);
        }
    }
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
