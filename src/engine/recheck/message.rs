//! The format of a message: the records that revealed some suspects, and which suspects they are.
//!
//! A message has the keys and images of its records, reduced to the attributes that decide about its
//! suspects. The receiver detects its work in them again, with the same code as in a stream's batch.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::judge::RecheckError;
use crate::data::{Item, JsonItem, SequenceNumber, without_position};
use crate::engine::event::change::{Origin, StreamChange};
use crate::integrity::change::Change;
use crate::integrity::index::Projection;
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::queue::{Queue, delay_seconds};

/// The version of the format. A message of another version is refused.
const VERSION: u32 = 1;

/// A message.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::engine) struct Message<'m> {
    /// It is checked before the rest is read.
    #[serde(rename = "version")]
    _version: u32,
    /// When the grace periods of the suspects are over, in milliseconds since 1970.
    pub(super) due_ms: i64,
    /// The items that have suspects.
    #[serde(borrow)]
    pub(super) items: Vec<ItemPart<'m>>,
}

/// What a message says about one item.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemPart<'m> {
    /// The suspects that the item's records revealed.
    #[serde(borrow)]
    pub(super) suspects: Vec<Listed<'m>>,
    /// The item's records in the batch, oldest first.
    #[serde(borrow)]
    pub(super) records: Vec<Record<'m>>,
}

/// A suspect, or something that must be known to judge another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed<'m> {
    pub(super) kind: Kind,
    /// The rule's name.
    #[serde(borrow)]
    pub(super) rule: Cow<'m, str>,
    /// The index of the record that revealed it among the item's records.
    pub(super) record: usize,
    /// The referenced key, if a reference has one, in DynamoDB's JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
}

/// The kind of a suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A broken reference.
    Reference,
    /// A mirror that may differ from what its source requires.
    Mirror,
    /// A deleted item that others may refer to.
    Delete,
    /// The same, which is not a suspect here. The delete of a mirror may need the item's image.
    KnownDelete,
}

/// A stream record.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record<'m> {
    /// The table's name in DynamoDB.
    #[serde(borrow)]
    table: Cow<'m, str>,
    #[serde(borrow)]
    key: JsonItem<'m>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    before: Option<JsonItem<'m>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    after: Option<JsonItem<'m>>,
    #[serde(borrow)]
    pub(super) sequence: Cow<'m, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_ms: Option<i64>,
    #[serde(default)]
    by_ttl: bool,
}

impl<'m> Message<'m> {
    /// Reads a message. The error says what is wrong with it.
    pub(in crate::engine) fn parse(text: &'m str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let wrong = |error: serde_json::Error| {
            let error = without_position(&error);
            format!("the message is not one of a re-check: {error}")
        };
        let Versioned { version } = serde_json::from_str(text).map_err(wrong)?;
        if version != VERSION {
            return Err(format!(
                "the message has version {version}, but this release reads only version {VERSION}\n\
                 help: deploy the release that sent it, or a later one, and redrive the message"
            ));
        }
        let message: Self = serde_json::from_str(text).map_err(wrong)?;
        let is_known = |part: &ItemPart<'_>| {
            part.suspects.iter().all(|listed| listed.record < part.records.len())
        };
        if !message.items.iter().all(is_known) {
            return Err("a suspect in the message has no record".to_owned());
        }
        Ok(message)
    }
}

impl Message<'_> {
    /// Waits until the grace periods of the suspects are over: on the queue, by sending the message
    /// again, or in the invocation if that is impossible. Returns whether it was sent again.
    pub(in crate::engine) async fn wait(
        &self,
        text: &str,
        clock: &impl Clock,
        queue: Option<&impl Queue>,
    ) -> Result<bool, RecheckError> {
        let now_ms = clock.now_ms();
        if self.due_ms <= now_ms {
            return Ok(false);
        }
        let sent = match queue {
            Some(queue) => queue.send(text.to_owned(), delay_seconds(self.due_ms, now_ms)).await,
            None => Err("no queue is configured".to_owned()),
        };
        match sent {
            Ok(()) => Ok(true),
            Err(error) if clock.deadline_ms().is_some_and(|it| it < self.due_ms) => {
                Err(RecheckError::Early(error))
            }
            Err(_) => {
                clock.sleep_until_ms(self.due_ms).await;
                Ok(false)
            }
        }
    }
}

/// The text of an item's part of a message, which contains no character that SQS refuses.
pub(super) fn part_text(part: &ItemPart<'_>) -> Option<String> {
    let text = serde_json::to_string(part).ok()?;
    // The text is JSON, whose strings escape control characters. SQS refuses two more characters.
    // https://www.w3.org/TR/REC-xml/#charsets
    Some(text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

/// The text of a message with these parts.
pub(super) fn message_text(due_ms: i64, parts: &[String]) -> String {
    let parts = parts.join(",");
    format!(r#"{{"version":{VERSION},"due_ms":{due_ms},"items":[{parts}]}}"#)
}

/// The size of a message without its parts, in bytes: more than the digits of any time.
pub(super) const FRAME_BYTES: usize = 100;

impl<'m> Record<'m> {
    /// The record of a change, with those attributes of its images that the projection contains.
    pub(super) fn of(rules: &'m Rules, step: &StreamChange<'m>, projection: &Projection) -> Self {
        let StreamChange { change, sequence, created_ms, origin, .. } = step;
        let table = &rules[change.table];
        let image = |image: &Option<Item<'m>>| {
            let attributes = image.as_ref()?.iter();
            let attributes = attributes.filter(|(name, _)| projection.contains(name));
            let attributes = attributes.map(|(name, value)| (name.clone(), value.clone()));
            Some(JsonItem(attributes.collect()))
        };
        Self {
            table: Cow::Borrowed(&table.name),
            key: JsonItem(table.key.item_of(&change.key)),
            before: image(&change.before),
            after: image(&change.after),
            sequence: Cow::Owned(sequence.as_str().to_owned()),
            created_ms: *created_ms,
            by_ttl: *origin == Origin::Ttl,
        }
    }

    /// The record's change. Fails if the rules have no such table, or have it with another key.
    pub(super) fn into_change(
        self,
        rules: &Rules,
        position: usize,
    ) -> Result<StreamChange<'m>, String> {
        let Self { table, key, before, after, sequence, created_ms, by_ttl } = self;
        let (table, schema) = rules.table_named(&table).ok_or_else(|| {
            format!("table `{table}` is not in the rules, which declare {}", rules.table_names())
        })?;
        let key = schema.key_of(&key.0).map_err(|error| error.to_string())?;
        let image = |image: Option<JsonItem<'m>>| image.map(|JsonItem(image)| image);
        Ok(StreamChange {
            change: Change { table, key, before: image(before), after: image(after) },
            sequence: SequenceNumber::parse(sequence).map_err(|error| error.to_string())?,
            created_ms,
            origin: if by_ttl { Origin::Ttl } else { Origin::Client },
            position,
        })
    }
}
