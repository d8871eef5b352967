//! Reads a whole event in one pass over its text.
//!
//! This works for the events that Lambda sends: all records are valid, come from the same stream, and
//! have their keys before their images. Anything else ends the pass, without a reason: the records
//! are then decoded one by one, which finds the reason. A pass that succeeds returns exactly what
//! decoding them one by one would return.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::batch::DecodedBatch;
use super::change::{Decoded, StreamChange};
use super::home::Home;
use super::image::Projected;
use super::text::Text;
use super::wire::{UserIdentity, check_view, event, find_table, origin, to_ms};
use crate::data::{Item, Key, SequenceNumber};
use crate::integrity::change::Change;
use crate::integrity::index::{Index, Projection};
use crate::rules::model::{Rules, TableId};

/// The records of an event; `None` if they must be decoded one by one.
pub(super) fn read<'a>(
    rules: &Rules,
    index: &Index,
    home: &Home,
    event: &'a str,
) -> Option<DecodedBatch<'a>> {
    let stream = first_stream(event)?;
    let table = find_table(rules, None, Some(stream)).ok()?;
    home.check(stream, &rules[table]).ok()?;
    let pass = Pass { rules, index, stream, table };
    let mut deserializer = serde_json::Deserializer::from_str(event);
    let read = InEvent(&pass).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(read)
}

/// The first text that looks like the ARN of a stream. Whether every record comes from this stream is
/// checked when its own ARN is read, which is after its images.
fn first_stream(event: &str) -> Option<&str> {
    const NAME: &str = "\"eventSourceARN\"";
    let (_, after) = event.split_at(event.find(NAME)? + NAME.len());
    let value = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (arn, _) = value.split_once('"')?;
    Some(arn)
}

/// What all records of an event have in common.
struct Pass<'r, 'a> {
    rules: &'r Rules,
    index: &'r Index,
    stream: &'a str,
    table: TableId,
}

/// Ends the pass.
fn unusual<E: Error>() -> E {
    E::custom("the records must be decoded one by one")
}

/// Sets a field that must occur only once.
fn set<T, E: Error>(field: &mut Option<T>, value: T) -> Result<(), E> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(unusual()),
    }
}

/// Implements a seed that reads an object.
macro_rules! object {
    ($seed:ident, $value:ty) => {
        impl<'de> DeserializeSeed<'de> for $seed<'_, 'de> {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<$value, D::Error> {
                from.deserialize_map(self)
            }
        }
    };
}

/// Reads an event.
struct InEvent<'p, 'a>(&'p Pass<'p, 'a>);

object!(InEvent, DecodedBatch<'de>);

impl<'de> Visitor<'de> for InEvent<'_, 'de> {
    type Value = DecodedBatch<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut read = None;
        while let Some(Text(name)) = access.next_key()? {
            match &*name {
                "Records" => set(&mut read, access.next_value_seed(InRecords(self.0))?)?,
                _ => _ = access.next_value::<IgnoredAny>()?,
            }
        }
        read.ok_or_else(unusual)
    }
}

/// Reads the records.
struct InRecords<'p, 'a>(&'p Pass<'p, 'a>);

impl<'de> DeserializeSeed<'de> for InRecords<'_, 'de> {
    type Value = DecodedBatch<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for InRecords<'_, 'de> {
    type Value = DecodedBatch<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut batch = DecodedBatch::default();
        let record = |position| InRecord { pass: self.0, position };
        while let Some(decoded) = access.next_element_seed(record(batch.records))? {
            batch.add(decoded);
        }
        Ok(batch)
    }
}

/// Reads a record.
struct InRecord<'p, 'a> {
    pass: &'p Pass<'p, 'a>,
    position: usize,
}

object!(InRecord, Decoded<'de>);

impl<'de> Visitor<'de> for InRecord<'_, 'de> {
    type Value = Decoded<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let Self { pass, position } = self;
        let mut fields = Fields::default();
        while let Some(Text(name)) = access.next_key()? {
            match &*name {
                "eventName" => set(&mut fields.name, access.next_value()?)?,
                "eventSource" | "EventSource" => set(&mut fields.source, access.next_value()?)?,
                "eventSourceARN" => set(&mut fields.stream, access.next_value()?)?,
                "userIdentity" => set(&mut fields.identity, access.next_value()?)?,
                "dynamodb" => set(&mut fields.images, access.next_value_seed(InImages(pass))?)?,
                _ => _ = access.next_value::<IgnoredAny>()?,
            }
        }
        fields.change(pass, position)
    }
}

/// The fields of a record.
#[derive(Default)]
struct Fields<'a> {
    name: Option<Text<'a>>,
    source: Option<Text<'a>>,
    stream: Option<Text<'a>>,
    identity: Option<UserIdentity<'a>>,
    images: Option<Images<'a>>,
}

impl<'a> Fields<'a> {
    /// What the record is for the rules.
    fn change<E: Error>(self, pass: &Pass<'_, 'a>, position: usize) -> Result<Decoded<'a>, E> {
        let (has_before, has_after) = event(self.name.as_ref()).map_err(E::custom)?.images();
        let is_of_dynamodb = self.source.is_none_or(|Text(source)| source == "aws:dynamodb");
        let is_of_this_stream = self.stream.is_some_and(|Text(stream)| stream == pass.stream);
        let images = self.images.filter(|_| is_of_dynamodb && is_of_this_stream);
        let images = images.ok_or_else(unusual)?;
        check_view(images.view.as_ref()).map_err(E::custom)?;
        let Text(sequence) = images.sequence.ok_or_else(unusual)?;
        let sequence = SequenceNumber::parse(sequence).map_err(E::custom)?;
        let key = images.key.ok_or_else(unusual)?;
        if !images.is_relevant {
            let item = (pass.table, key);
            return Ok(Decoded::ignored(pass.rules, pass.index, position, item));
        }
        let schema = &pass.rules[pass.table].key;
        let required = |has: bool, image: Option<Item<'a>>| {
            if !has {
                return Ok(None);
            }
            let image = image.ok_or_else(unusual)?;
            schema.key_of(&image).map_err(E::custom)?;
            Ok(Some(image))
        };
        let change = Change {
            table: pass.table,
            key,
            before: required(has_before, images.old)?,
            after: required(has_after, images.new)?,
        };
        let created_ms = images.created_seconds.map(to_ms);
        let origin = origin(self.identity.as_ref());
        Ok(Decoded::Change(StreamChange { change, sequence, created_ms, origin, position }))
    }
}

/// The part of a record that describes the change.
#[derive(Default)]
struct Images<'a> {
    created_seconds: Option<f64>,
    key: Option<Key<'a>>,
    /// Whether a rule looks at items with this key.
    is_relevant: bool,
    new: Option<Item<'a>>,
    old: Option<Item<'a>>,
    sequence: Option<Text<'a>>,
    view: Option<Text<'a>>,
}

/// Reads the part of a record that describes the change.
struct InImages<'p, 'a>(&'p Pass<'p, 'a>);

object!(InImages, Images<'de>);

impl<'de> Visitor<'de> for InImages<'_, 'de> {
    type Value = Images<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the description of a change")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Images<'de>, A::Error> {
        let Self(pass) = self;
        let mut images = Images::default();
        let mut projections = Vec::new();
        while let Some(Text(name)) = access.next_key()? {
            match &*name {
                "ApproximateCreationDateTime" => {
                    set(&mut images.created_seconds, access.next_value()?)?;
                }
                "Keys" => {
                    let keys = access.next_value_seed(Projected(&[&Projection::All]))?;
                    let key = pass.rules[pass.table].key.key_of(&keys).map_err(|_| unusual())?;
                    projections = pass.index.projections(pass.rules, pass.table, &key);
                    images.is_relevant = !projections.is_empty();
                    set(&mut images.key, key)?;
                }
                "NewImage" | "OldImage" if images.key.is_none() => return Err(unusual()),
                "NewImage" | "OldImage" if !images.is_relevant => {
                    access.next_value::<IgnoredAny>()?;
                }
                "NewImage" => {
                    set(&mut images.new, access.next_value_seed(Projected(&projections))?)?;
                }
                "OldImage" => {
                    set(&mut images.old, access.next_value_seed(Projected(&projections))?)?;
                }
                "SequenceNumber" => set(&mut images.sequence, access.next_value()?)?,
                "StreamViewType" => set(&mut images.view, access.next_value()?)?,
                _ => _ = access.next_value::<IgnoredAny>()?,
            }
        }
        Ok(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{RuleSource, load};

    const RULES: &str = r#"version: 1
tables: { app: { key: [pk] } }
entities:
  user: { table: app, key: { pk: "user#{user}" } }
  task: { table: app, key: { pk: "task#{task}" }, attributes: { owner: S } }
references: { task_owner: { from: task, to: user, on: { user: "{owner}" }, find: none } }
"#;

    /// A record with Lambda's order of fields.
    const RECORD: &str = r#"{
        "eventID": "c9fbe7d0", "eventName": "MODIFY", "eventVersion": "1.1",
        "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1763625600,
            "Keys": {"pk": {"S": "task#1"}},
            "NewImage": {"pk": {"S": "task#1"}, "owner": {"S": "ada"}, "more": {"S": "x"}},
            "OldImage": {"pk": {"S": "task#1"}, "owner": {"S": "bob"}, "more": {"S": "x"}},
            "SequenceNumber": "170000000000000000000000", "SizeBytes": 90,
            "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "eventSourceARN":
            "arn:aws:dynamodb:eu-west-1:123456789012:table/app/stream/2026-11-20T08:00:00.000"}"#;

    /// The number of records and of changes; `None` if the pass ended.
    fn read_records(records: &[&str]) -> Option<(usize, usize)> {
        let source = RuleSource { name: "rules".to_owned(), text: RULES.to_owned() };
        let rules = load(&source, &|_| None).rules.unwrap();
        let event = format!("{{\"Records\": [{}]}}", records.join(","));
        let batch = read(&rules, &Index::new(&rules), &Home::default(), &event)?;
        Some((batch.records, batch.changes.len()))
    }

    #[test]
    fn usual_events_are_read_in_one_pass() {
        let unmatched = RECORD.replace("task#1", "other#1");
        let insert = RECORD.replace("MODIFY", "INSERT").replace("OldImage", "Other");
        assert_eq!(read_records(&[RECORD, &unmatched, &insert]), Some((3, 2)));
    }

    #[test]
    fn anything_unusual_ends_the_pass() {
        for (from, to) in [
            ("MODIFY", "RENAME"),
            ("aws:dynamodb", "aws:sqs"),
            ("table/app", "table/other"),
            ("stream/2026", "stream/2025"),
            ("NEW_AND_OLD_IMAGES", "NEW_IMAGE"),
            ("\"OldImage\"", "\"Old\""),
            ("\"Keys\": {", "\"Late\": {"),
            ("\"170000000000000000000000\"", "\"x\""),
            ("{\"S\": \"bob\"}", "{\"S\": 5}"),
            ("\"SizeBytes\": 90", "\"NewImage\": {\"pk\": {\"S\": \"task#1\"}}"),
        ] {
            let unusual = RECORD.replace(from, to);
            assert_ne!(unusual, RECORD, "{from}");
            assert_eq!(read_records(&[RECORD, &unusual]), None, "{from} -> {to}");
        }
    }
}
