//! The log: JSON lines for operators. `ERROR` means that an operator must act.
//!
//! Unless configured otherwise, the log contains only an item's key and the keys that the item
//! refers to. The one exception is a record that cannot be understood: it is skipped, and only the
//! log keeps its payload.

use std::borrow::Cow;

use serde_json::json;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::audit::{PartRequest, SummaryAnswer, Totals};
use super::config::Problem;
use super::failure::Failure;
use super::rechecks::Delivered;
use crate::engine::{Audited, Dropped, Outcome, Rechecked, Violation, WriteMade, records};
use crate::integrity::finding::ItemName;
use crate::rules::Rules;
use crate::runtime::repair_log::StartedRepair;
use crate::wording::{ItemLine, ViolationLine};

/// The maximum length of a payload in one line, in bytes: CloudWatch Logs limits an event to
/// 256 KB, and escaping makes JSON longer inside JSON.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const PAYLOAD_BYTES_MAX: usize = 100_000;

/// The maximum length of any other text in a line, in bytes: an error may quote megabytes of a
/// record.
const TEXT_BYTES_MAX: usize = 2_000;

/// Initializes the log as Lambda's logging controls require: JSON unless the format is `Text`, and
/// level `INFO` unless another one is set.
///
/// Other crates log only at `ERROR`: the SDK's lines at lower levels contain items and credentials.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html>
pub(super) fn init(environment: &dyn Fn(&str) -> Option<String>) {
    let level = match environment("AWS_LAMBDA_LOG_LEVEL").map(|level| level.to_uppercase()) {
        Some(level) => match level.as_str() {
            "TRACE" => LevelFilter::TRACE,
            "DEBUG" => LevelFilter::DEBUG,
            "WARN" => LevelFilter::WARN,
            "ERROR" | "FATAL" => LevelFilter::ERROR,
            _ => LevelFilter::INFO,
        },
        None => LevelFilter::INFO,
    };
    let filter = Targets::new()
        .with_target("referee", level)
        .with_default(LevelFilter::ERROR)
        // This target repeats what the function's panic hook has already logged.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF);
    let is_text = environment("AWS_LAMBDA_LOG_FORMAT")
        .is_some_and(|format| format.eq_ignore_ascii_case("text"));
    let lines = tracing_subscriber::fmt::layer().with_target(false).with_ansi(false);
    let registry = tracing_subscriber::registry().with(filter);
    if is_text {
        // In this format, Lambda adds the time itself.
        registry.with(lines.without_time()).init();
    } else {
        let lines = lines.json().flatten_event(true);
        registry.with(lines.with_current_span(false).with_span_list(false)).init();
    }
}

/// Logs the problems found during initialization.
pub(super) fn problems(problems: &[Problem]) {
    for Problem { is_warning, text } in problems {
        if *is_warning {
            tracing::warn!("{text}");
        } else {
            tracing::error!("{text}");
        }
    }
}

/// The log of one invocation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log<'l> {
    pub(super) rules: &'l Rules,
    pub(super) request_id: &'l str,
    /// Whether the log may contain items.
    pub(super) shows_items: bool,
}

impl Log<'_> {
    /// Logs the outcome of a batch: a line for each violation, planned write and rejected record,
    /// one for the records that are returned to Lambda for redelivery, and a summary.
    pub(super) fn outcome(&self, outcome: &Outcome, event: &str, duration_ms: i64) {
        let shows_payloads =
            !outcome.rejected.is_empty() || self.shows_items && !outcome.violations.is_empty();
        let records = if shows_payloads { records(event).unwrap_or_default() } else { Vec::new() };
        let payload = |position: usize| records.get(position).map_or("", |record| record.get());
        for violation in &outcome.violations {
            self.violation(violation, Some(payload(violation.occurrence.position)));
        }
        for planned in &outcome.planned {
            self.planned(planned);
        }
        for rejected in &outcome.rejected {
            let sequence = rejected.sequence.as_deref();
            self.rejected(sequence, &rejected.error, payload(rejected.position));
        }
        let checkpoint = outcome.checkpoint();
        if let Some(first) = checkpoint {
            tracing::warn!(
                request_id = self.request_id,
                sequence = first.sequence,
                records = outcome.records - first.position,
                reason = &*short(&first.reason),
                "records handed back"
            );
        }
        if let Some(unqueued) = &outcome.unqueued {
            tracing::warn!(
                request_id = self.request_id,
                suspects = unqueued.suspects,
                reason = &*short(&unqueued.reason),
                "suspects not queued"
            );
        }
        tracing::info!(
            request_id = self.request_id,
            records = outcome.records,
            reads = outcome.reads,
            writes = outcome.requests - outcome.reads,
            read_units = outcome.units.read,
            write_units = outcome.units.write,
            violations = outcome.violations.len(),
            rejected = outcome.rejected.len(),
            duration_ms,
            queued = outcome.queued,
            checkpoint = checkpoint.map(|first| first.sequence.as_str()),
            "batch processed"
        );
    }

    /// Logs what became of a message of the queue: a line for each violation, planned write, rejected
    /// record and dropped suspect, one if the message is returned, and a summary.
    pub(super) fn rechecked(
        &self,
        message: &Delivered<'_>,
        rechecked: &Rechecked,
        duration_ms: i64,
    ) {
        let Rechecked { outcome, dropped, is_forwarded } = rechecked;
        for violation in &outcome.violations {
            self.violation(violation, Some(&message.body));
        }
        outcome.planned.iter().for_each(|planned| self.planned(planned));
        for rejected in &outcome.rejected {
            self.rejected(rejected.sequence.as_deref(), &rejected.error, &message.body);
        }
        for Dropped { rule, sequence, reason } in dropped {
            tracing::error!(
                request_id = self.request_id,
                rule = &*short(rule),
                sequence = &*short(sequence),
                reason = &*short(reason),
                "suspect dropped"
            );
        }
        if let Some(first) = outcome.checkpoint() {
            self.message_returned(message, &first.reason);
        }
        tracing::info!(
            request_id = self.request_id,
            message_id = &*message.message_id,
            records = outcome.records,
            reads = outcome.reads,
            writes = outcome.requests - outcome.reads,
            read_units = outcome.units.read,
            write_units = outcome.units.write,
            violations = outcome.violations.len(),
            rejected = outcome.rejected.len(),
            dropped = dropped.len(),
            sent_again = is_forwarded,
            duration_ms,
            "message processed"
        );
    }

    /// Logs that a message is returned to the queue.
    pub(super) fn message_returned(&self, message: &Delivered<'_>, reason: &str) {
        tracing::warn!(
            request_id = self.request_id,
            message_id = &*message.message_id,
            reason = &*short(reason),
            "message returned"
        );
    }

    /// Logs a message that cannot be read. The dead-letter queue keeps it.
    pub(super) fn message_rejected(&self, message: &Delivered<'_>, error: &str) {
        tracing::error!(
            request_id = self.request_id,
            message_id = &*message.message_id,
            error = &*short(error),
            "message rejected"
        );
    }

    /// Logs a write that a rule in observe mode would have made. Its detail contains parts of an
    /// item.
    fn planned(&self, planned: &WriteMade) {
        let ItemName { table, key } = &planned.item;
        let (name, schema) = (&self.rules[*table].name, &self.rules[*table].key);
        let item = json!({ "table": name, "key": schema.item_of(key) }).to_string();
        let detail = planned.detail.as_deref().filter(|_| self.shows_items);
        let detail = detail.map(|detail| cut(detail, PAYLOAD_BYTES_MAX));
        tracing::info!(
            request_id = self.request_id,
            rule = planned.rule,
            op = planned.operation.name(),
            item,
            detail = detail.as_deref(),
            "would write"
        );
    }

    /// Logs a repair that is about to be made.
    pub(super) fn repair_started(&self, repair: &StartedRepair) {
        let StartedRepair { violation, operation, item } = repair;
        let item = json!(ItemLine::new(self.rules, item)).to_string();
        tracing::warn!(
            request_id = self.request_id,
            id = violation.id,
            rule = violation.rule,
            kind = violation.kind.name(),
            sequence = violation.sequence,
            op = operation.name(),
            item,
            "repair started"
        );
    }

    /// Logs a violation.
    fn violation(&self, violation: &Violation, payload: Option<&str>) {
        let line = ViolationLine::new(self.rules, violation);
        let item = |item: &Option<ItemLine<'_>>| item.as_ref().map(|item| json!(item).to_string());
        let keys = line.keys.as_ref().map(|keys| json!(keys).to_string());
        let path = line.path.map(short);
        tracing::warn!(
            request_id = self.request_id,
            id = line.id,
            rule = line.rule,
            kind = line.kind,
            severity = line.severity,
            referencing = item(&line.referencing),
            referenced = item(&line.referenced),
            path = path.as_deref(),
            sequence = line.sequence,
            action = line.action,
            detail = &*short(&line.detail),
            count = line.count,
            keys,
            record = payload.filter(|_| self.shows_items).map(|it| parts(it).swap_remove(0)),
            "violation"
        );
    }

    /// Logs a rejected record with its payload, in several lines if it is long.
    fn rejected(&self, sequence: Option<&str>, error: &str, payload: &str) {
        let parts = parts(payload);
        let (sequence, error) = (sequence.map(short), short(error));
        for (number, payload) in parts.iter().enumerate() {
            let part = (parts.len() > 1).then(|| format!("{} of {}", number + 1, parts.len()));
            tracing::error!(
                request_id = self.request_id,
                sequence = sequence.as_deref(),
                error = &*error,
                part,
                payload,
                "record rejected"
            );
        }
    }

    /// Logs what an audit of a part of a table has done: a line for each violation, planned write and
    /// item that cannot be audited, one for the error that ended it early, and a summary.
    pub(super) fn audited(&self, part: &PartRequest<'_>, audited: &Audited, duration_ms: i64) {
        let outcome = &audited.outcome;
        outcome.violations.iter().for_each(|violation| self.violation(violation, None));
        outcome.planned.iter().for_each(|planned| self.planned(planned));
        for rejected in &outcome.rejected {
            let error = &*short(&rejected.error);
            tracing::error!(request_id = self.request_id, error, "item not audited");
        }
        if let Some(reason) = &audited.error {
            let reason = &*short(reason);
            tracing::warn!(request_id = self.request_id, reason, "audit interrupted");
        }
        tracing::info!(
            request_id = self.request_id,
            table = part.table,
            segment = part.segment,
            segments = part.segments,
            items = audited.items,
            pages = audited.pages,
            reads = outcome.reads,
            writes = outcome.requests - outcome.reads,
            read_units = outcome.units.read,
            write_units = outcome.units.write,
            violations = outcome.violations.len(),
            rejected = outcome.rejected.len(),
            duration_ms,
            done = audited.next.is_none() && audited.error.is_none(),
            "items audited"
        );
    }

    /// Logs the end of an audit.
    pub(super) fn audit_ended(&self, summary: &SummaryAnswer) {
        let Totals { items, violations, repairs, writes, read_units } = summary.totals;
        for part in &summary.incomplete {
            tracing::error!(request_id = self.request_id, part = &*short(part), "audit incomplete");
        }
        tracing::info!(
            request_id = self.request_id,
            items,
            violations,
            repairs,
            writes,
            read_units,
            complete = summary.complete,
            "audit ended"
        );
    }

    /// Logs why the whole invocation failed.
    pub(super) fn failure(&self, failure: &Failure) {
        let message = short(failure.message());
        match failure {
            Failure::Fatal(_) => tracing::error!(request_id = self.request_id, "{message}"),
            Failure::Retry(_) => tracing::warn!(request_id = self.request_id, "{message}"),
        }
    }

    /// Logs that the metrics of the invocation are lost.
    pub(super) fn metrics_lost(&self, error: &str) {
        let error = &*short(error);
        tracing::error!(request_id = self.request_id, error, "metrics not published");
    }
}

/// A text, cut to the maximum length.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    cut(text, TEXT_BYTES_MAX)
}

/// A text. If it is longer than the maximum, it is cut, and its original length is appended.
fn cut(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return text.into();
    }
    let (shown, _) = text.split_at(text.floor_char_boundary(bytes_max));
    format!("{shown}… ({} bytes)", text.len()).into()
}

/// Splits a text into parts that each fit in a line of the log. There is at least one part.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > PAYLOAD_BYTES_MAX {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PAYLOAD_BYTES_MAX));
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(short("short"), "short");
        let fits = "é".repeat(TEXT_BYTES_MAX / 2);
        assert_eq!(short(&fits), fits);
        let euros = "€".repeat(TEXT_BYTES_MAX);
        assert_eq!(short(&euros), format!("{}… (6000 bytes)", "€".repeat(TEXT_BYTES_MAX / 3)));
    }

    #[test]
    fn the_parts_of_a_payload_are_complete() {
        for text in ["", "short", &"é".repeat(PAYLOAD_BYTES_MAX), &"x".repeat(PAYLOAD_BYTES_MAX)] {
            let parts = parts(text);
            assert_eq!(parts.concat(), *text);
            assert!(parts.iter().all(|part| part.len() <= PAYLOAD_BYTES_MAX));
        }
        // No character is split, so a character of three bytes leaves one byte free in each part.
        assert_eq!(parts(&"€".repeat(PAYLOAD_BYTES_MAX)).len(), 4);
    }
}
