//! The handler: takes a batch of records or messages and returns a partial batch response, or takes a
//! request of an audit and returns its answer.

use std::time::Duration;

use lambda_runtime::Context;
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::audit::{PartAnswer, PartRequest, Request, SummaryAnswer, SummaryRequest, request};
use super::failure::Failure;
use super::log::Log;
use super::queue::Sqs;
use super::rechecks::{Delivered, FailedMessages, messages};
use crate::engine::{
    DecodeError, DecodedBatch, Engine, Home, PartialBatchResponse, RecheckError, Services, answer,
};
use crate::metrics::{
    AuditSummary, Datum, Metrics, measure, measure_audit, measure_audited, measure_rechecked,
    measure_started,
};
use crate::runtime::clock::Clock as _;
use crate::runtime::error::Fatal;
use crate::runtime::repair_log::{RepairLog, StartedRepair};
use crate::runtime::system_clock::{DeadlineClock, SystemClock};
use crate::store::DynamoDb;

/// The time reserved at the end of an invocation for the metrics and the response, in milliseconds.
const MARGIN_MS_MAX: i64 = 1_000;
/// The part of this time that is reserved for the response, so that slow metrics cannot delay it.
const RESPONSE_MS: i64 = 100;

/// The time that a batch may spend on publishing metrics, in milliseconds, because the shard waits
/// for it. Without a route to CloudWatch, requests get no answer.
const PUBLISH_MS_MAX: i64 = 500;
/// The same for a request of an audit. No shard waits for it, and a complete audit must be counted.
const PUBLISH_AUDIT_MS_MAX: i64 = 5_000;

/// A time longer than any invocation: Lambda's limit is 15 minutes.
const DAY_MS: i64 = 86_400_000;

/// The immutable state that invocations share.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) engine: Engine,
    /// The same rules in observe mode, for audits that only report.
    pub(super) observer: Engine,
    pub(super) store: DynamoDb,
    /// The queue on which suspects wait, if one is configured.
    pub(super) queue: Option<Sqs>,
    pub(super) metrics: Metrics,
    pub(super) logs_items: bool,
}

/// The answer to an event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Answer {
    /// To a batch of records.
    Batch(PartialBatchResponse),
    /// To messages of the queue.
    Messages(FailedMessages),
    /// To a request to audit a part of a table.
    Part(PartAnswer),
    /// To the end of an audit.
    Summary(SummaryAnswer),
}

/// One invocation.
struct Invocation<'i> {
    log: Log<'i>,
    began_ms: i64,
    /// When the response must be sent, in milliseconds since 1970.
    deadline_ms: i64,
    /// The clock of the work, with a deadline before that of the response.
    clock: DeadlineClock,
}

/// The log of an invocation's repairs: lines, which survive the process, and the metrics of them.
struct Repairs<'i> {
    log: Log<'i>,
    metrics: &'i Metrics,
}

impl RepairLog for Repairs<'_> {
    fn started(&self, repairs: &[StartedRepair]) {
        for repair in repairs {
            self.log.repair_started(repair);
        }
        let written = self.metrics.write_now(&measure_started(repairs), SystemClock.now_ms());
        written.unwrap_or_else(|error| self.log.metrics_lost(&error));
    }
}

impl Function {
    /// Answers an event before the deadline of its context.
    pub(super) async fn answer(&self, event: &[u8], context: &Context) -> Result<Answer, Failure> {
        let (rules, request_id) = (self.engine.rules(), context.request_id.as_str());
        let log = Log { rules, request_id, shows_items: self.logs_items };
        let began_ms = SystemClock.now_ms();
        let deadline_ms = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        let deadline_ms = believable_ms(deadline_ms, began_ms);
        let clock = DeadlineClock { deadline_ms: deadline_ms - margin_ms(deadline_ms - began_ms) };
        let invocation = Invocation { log, began_ms, deadline_ms, clock };
        let answer = async {
            let event = std::str::from_utf8(event).map_err(|error| Fatal(error.to_string()))?;
            let home = Home::of_function(&context.invoked_function_arn);
            match self.engine.decode_at(&home, event) {
                Ok(batch) => self.process(event, batch, &invocation).await.map(Answer::Batch),
                Err(DecodeError::Stream(error)) => match messages(event) {
                    None => Err(Fatal(error).into()),
                    Some(messages) => {
                        self.recheck(&messages, &invocation).await.map(Answer::Messages)
                    }
                },
                Err(DecodeError::Event(error)) => match request(event) {
                    None => Err(Fatal(error.to_string()).into()),
                    Some(request) => match request? {
                        Request::Audit(part) => {
                            self.audit(&part, &invocation).await.map(Answer::Part)
                        }
                        Request::AuditSummary(parts) => {
                            Ok(Answer::Summary(self.summarize(&parts, &invocation).await))
                        }
                    },
                },
            }
        };
        answer.await.inspect_err(|failure| log.failure(failure))
    }

    /// Processes a batch of records.
    async fn process(
        &self,
        event: &str,
        batch: DecodedBatch<'_>,
        invocation: &Invocation<'_>,
    ) -> Result<PartialBatchResponse, Failure> {
        let Invocation { log, began_ms, clock, .. } = invocation;
        let store = self.store(invocation);
        let queue = self.queue.as_ref();
        let repairs = self.repairs(invocation);
        let services = Services { store: &store, clock, queue, repairs: &repairs };
        let outcome = self.engine.process_with(batch, services).await?;
        let data = measure(self.engine.rules(), &outcome, SystemClock.now_ms());
        self.publish(&data, PUBLISH_MS_MAX, invocation).await;
        log.outcome(&outcome, event, SystemClock.now_ms() - began_ms);
        Ok(answer(&outcome))
    }

    /// Judges the suspects in messages of the queue, and returns the messages that must be delivered
    /// again. One that cannot be read is among them, so that it is moved to the dead-letter queue.
    async fn recheck(
        &self,
        messages: &[Delivered<'_>],
        invocation: &Invocation<'_>,
    ) -> Result<FailedMessages, Failure> {
        let Invocation { log, clock, .. } = invocation;
        let store = self.store(invocation);
        let repairs = self.repairs(invocation);
        let (mut failed, mut data) = (FailedMessages::default(), Vec::new());
        for message in messages {
            let began_ms = SystemClock.now_ms();
            let queue = self.queue.as_ref();
            let services = Services { store: &store, clock, queue, repairs: &repairs };
            match self.engine.recheck(&message.body, services).await {
                Ok(rechecked) => {
                    if rechecked.outcome.checkpoint().is_some() {
                        failed.add(message);
                    }
                    let now_ms = SystemClock.now_ms();
                    data.extend(measure_rechecked(self.engine.rules(), &rechecked, now_ms));
                    log.rechecked(message, &rechecked, now_ms - began_ms);
                }
                Err(RecheckError::Malformed(error)) => {
                    log.message_rejected(message, &error);
                    failed.add(message);
                }
                Err(error @ RecheckError::Early(_)) => {
                    log.message_returned(message, &error.to_string());
                    failed.add(message);
                }
                Err(RecheckError::Fatal(error)) => return Err(error.into()),
            }
        }
        self.publish(&data, PUBLISH_MS_MAX, invocation).await;
        Ok(failed)
    }

    /// Audits a part of a table.
    async fn audit(
        &self,
        request: &PartRequest<'_>,
        invocation: &Invocation<'_>,
    ) -> Result<PartAnswer, Failure> {
        let Invocation { log, began_ms, clock, .. } = invocation;
        let engine = if request.apply { &self.engine } else { &self.observer };
        let part = request.part(engine.rules())?;
        let (store, repairs) = (self.store(invocation), self.repairs(invocation));
        let services = Services { repairs: &repairs, ..Services::new(&store, clock) };
        let audited = engine.audit(part, services).await?;
        let data = measure_audited(engine.rules(), &audited.outcome, audited.items);
        self.publish(&data, PUBLISH_AUDIT_MS_MAX, invocation).await;
        log.audited(request, &audited, SystemClock.now_ms() - began_ms);
        match &audited.error {
            Some(reason) if audited.pages == 0 => Err(Failure::Retry(reason.clone())),
            _ => Ok(request.answer(&audited)),
        }
    }

    /// Ends an audit. Only a complete one is published.
    async fn summarize(
        &self,
        request: &SummaryRequest,
        invocation: &Invocation<'_>,
    ) -> SummaryAnswer {
        let answer = request.answer();
        let is_complete = answer.complete;
        let data = measure_audit(&AuditSummary { is_complete, ..AuditSummary::default() });
        self.publish(&data, PUBLISH_AUDIT_MS_MAX, invocation).await;
        invocation.log.audit_ended(&answer);
        answer
    }

    /// The log of the invocation's repairs.
    const fn repairs<'i>(&'i self, invocation: &Invocation<'i>) -> Repairs<'i> {
        Repairs { log: invocation.log, metrics: &self.metrics }
    }

    /// The tables, with the deadline of the work.
    fn store(&self, invocation: &Invocation<'_>) -> DynamoDb {
        self.store.until(instant(invocation.clock.deadline_ms, invocation.began_ms))
    }

    /// Publishes metrics within the given time, and while there is time for the response.
    async fn publish(&self, data: &[Datum], ms_max: i64, invocation: &Invocation<'_>) {
        let now_ms = SystemClock.now_ms();
        let end_ms = (now_ms + ms_max).min(invocation.deadline_ms - RESPONSE_MS);
        let published =
            timeout_at(instant(end_ms, now_ms), self.metrics.publish(data, now_ms)).await;
        let published = published.unwrap_or_else(|_| Err("CloudWatch did not answer".to_owned()));
        published.unwrap_or_else(|error| invocation.log.metrics_lost(&error));
    }
}

/// The deadline, or a day from now if it is in the past: `cargo lambda watch` has no deadline and
/// sends a constant.
const fn believable_ms(deadline_ms: i64, now_ms: i64) -> i64 {
    if deadline_ms > now_ms { deadline_ms } else { now_ms + DAY_MS }
}

/// The time to reserve out of the time left. It is at most a quarter, so that even a short
/// invocation makes progress.
fn margin_ms(left_ms: i64) -> i64 {
    MARGIN_MS_MAX.min(left_ms / 4)
}

/// A time on tokio's clock.
fn instant(time_ms: i64, now_ms: i64) -> Instant {
    let left_ms = time_ms.saturating_sub(now_ms).clamp(0, DAY_MS);
    Instant::now() + Duration::from_millis(left_ms.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_reserved_for_the_response() {
        for left_ms in [4, 100, 3_000, 900_000] {
            let margin_ms = margin_ms(left_ms);
            assert!(0 < margin_ms && margin_ms <= left_ms / 4, "{left_ms}: {margin_ms}");
        }
    }

    #[test]
    fn a_deadline_in_the_past_is_ignored() {
        assert_eq!(believable_ms(600_000, 1_700_000_000_000), 1_700_000_000_000 + DAY_MS);
        assert_eq!(believable_ms(1_700_000_000_001, 1_700_000_000_000), 1_700_000_000_001);
    }
}
