//! Re-checks: events with messages of the queue, and the answer that says which of them failed.
//!
//! A message that is not named in the answer is deleted. One that is named comes back after the
//! queue's visibility timeout, until it is moved to the dead-letter queue.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A message as Lambda delivers it.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivered<'e> {
    /// The message's identifier, by which the answer names it.
    #[serde(borrow)]
    pub(super) message_id: Cow<'e, str>,
    /// The message.
    #[serde(borrow)]
    pub(super) body: Cow<'e, str>,
    #[serde(borrow)]
    event_source: Cow<'e, str>,
}

/// The answer to an event with messages. An empty list means that all of them are done.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailedMessages {
    batch_item_failures: Vec<FailedMessage>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FailedMessage {
    item_identifier: String,
}

impl FailedMessages {
    /// Adds a message that must be delivered again.
    pub(super) fn add(&mut self, message: &Delivered<'_>) {
        let item_identifier = message.message_id.clone().into_owned();
        self.batch_item_failures.push(FailedMessage { item_identifier });
    }
}

/// The messages in an event; `None` if the event is not one of a queue.
pub(super) fn messages(event: &str) -> Option<Vec<Delivered<'_>>> {
    #[derive(Deserialize)]
    struct Event<'e> {
        #[serde(borrow, rename = "Records")]
        records: Vec<Delivered<'e>>,
    }
    let Event { records } = serde_json::from_str(event).ok()?;
    records.iter().all(|message| message.event_source == "aws:sqs").then_some(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"Records":[{"messageId":"059f36b4","receiptHandle":"AQEB",
        "body":"{\"version\":1}","attributes":{"ApproximateReceiveCount":"1"},
        "messageAttributes":{},"md5OfBody":"e4e6","eventSource":"aws:sqs",
        "eventSourceARN":"arn:aws:sqs:eu-west-1:123456789012:recheck","awsRegion":"eu-west-1"}]}"#;

    #[test]
    fn messages_of_a_queue_are_read() {
        let messages = messages(EVENT).unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(
            (&*messages[0].message_id, &*messages[0].body),
            ("059f36b4", r#"{"version":1}"#)
        );
    }

    #[test]
    fn other_events_are_not_of_a_queue() {
        let other = EVENT.replace("aws:sqs", "aws:kinesis");
        for event in [&*other, r#"{"Records":[{"eventSource":"aws:dynamodb"}]}"#, "{}", ""] {
            assert_eq!(messages(event), None, "{event}");
        }
    }

    /// A misspelled key would delete messages that failed.
    #[test]
    fn the_answer_names_the_failed_messages() {
        let mut failed = FailedMessages::default();
        let text = |failed: &_| serde_json::to_string(failed).unwrap();
        assert_eq!(text(&failed), r#"{"batchItemFailures":[]}"#);
        failed.add(&messages(EVENT).unwrap()[0]);
        assert_eq!(text(&failed), r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4"}]}"#);
    }
}
