//! Reads a whole event in one pass over its text.
//!
//! This works for the events that Lambda sends: they contain no spaces, all records are valid, come
//! from the same stream, and have their keys before their images. Anything else ends the pass,
//! without a reason: the records are then decoded one by one, which finds the reason. A pass that
//! succeeds returns exactly what decoding them one by one would return.

use std::borrow::Cow;

use super::batch::DecodedBatch;
use super::change::{Decoded, StreamChange};
use super::cursor::Cursor;
use super::home::Home;
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
    Pass { rules, index, stream, table }.event(event)
}

/// The first text that looks like the ARN of a stream. Whether every record comes from this stream is
/// checked when its own ARN is read, which is after its images.
fn first_stream(event: &str) -> Option<&str> {
    const NAME: &str = "\"eventSourceARN\":\"";
    let (_, value) = event.split_at(event.find(NAME)? + NAME.len());
    let (arn, _) = value.split_once('"')?;
    Some(arn)
}

/// What all records of an event have in common.
#[derive(Clone, Copy)]
struct Pass<'r, 'a> {
    rules: &'r Rules,
    index: &'r Index,
    stream: &'a str,
    table: TableId,
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

/// Sets a field that must occur only once.
fn set<T>(field: &mut Option<T>, value: Option<T>) -> Option<()> {
    match field.replace(value?) {
        None => Some(()),
        Some(_) => None,
    }
}

fn text<'a>(cursor: &mut Cursor<'a>) -> Option<Text<'a>> {
    cursor.text().map(Text)
}

impl<'a> Pass<'_, 'a> {
    fn event(self, event: &'a str) -> Option<DecodedBatch<'a>> {
        let mut cursor = Cursor::new(event);
        let mut batch = None;
        cursor.object(|name, cursor| match name {
            "Records" => set(&mut batch, self.records(cursor)),
            _ => cursor.skip().map(drop),
        })?;
        batch.filter(|_| cursor.is_at_end())
    }

    fn records(self, cursor: &mut Cursor<'a>) -> Option<DecodedBatch<'a>> {
        let mut batch = DecodedBatch::default();
        cursor.list(|cursor| {
            let record = self.record(cursor, batch.records)?;
            batch.add(record);
            Some(())
        })?;
        Some(batch)
    }

    fn record(self, cursor: &mut Cursor<'a>, position: usize) -> Option<Decoded<'a>> {
        let mut fields = Fields::default();
        cursor.object(|name, cursor| match name {
            "eventName" => set(&mut fields.name, text(cursor)),
            "eventSource" | "EventSource" => set(&mut fields.source, text(cursor)),
            "eventSourceARN" => set(&mut fields.stream, text(cursor)),
            "userIdentity" => set(&mut fields.identity, cursor.value()),
            "dynamodb" => set(&mut fields.images, self.images(cursor)),
            _ => cursor.skip().map(drop),
        })?;
        self.decoded(fields, position)
    }

    fn images(self, cursor: &mut Cursor<'a>) -> Option<Images<'a>> {
        let mut images = Images::default();
        let mut projections = Vec::new();
        cursor.object(|name, cursor| match name {
            "ApproximateCreationDateTime" => set(&mut images.created_seconds, cursor.value()),
            "Keys" => {
                let keys = image(cursor, &[&Projection::All])?;
                let key = self.rules[self.table].key.key_of(&keys).ok()?;
                projections = self.index.projections(self.rules, self.table, &key);
                images.is_relevant = !projections.is_empty();
                set(&mut images.key, Some(key))
            }
            "NewImage" | "OldImage" if images.key.is_none() => None,
            "NewImage" | "OldImage" if !images.is_relevant => cursor.skip().map(drop),
            "NewImage" => set(&mut images.new, image(cursor, &projections)),
            "OldImage" => set(&mut images.old, image(cursor, &projections)),
            "SequenceNumber" => set(&mut images.sequence, text(cursor)),
            "StreamViewType" => set(&mut images.view, text(cursor)),
            _ => cursor.skip().map(drop),
        })?;
        Some(images)
    }

    /// What a record is for the rules.
    fn decoded(self, fields: Fields<'a>, position: usize) -> Option<Decoded<'a>> {
        let (has_before, has_after) = event(fields.name.as_ref()).ok()?.images();
        let is_of_dynamodb = fields.source.is_none_or(|Text(source)| source == "aws:dynamodb");
        let is_of_this_stream = fields.stream.is_some_and(|Text(stream)| stream == self.stream);
        let images = fields.images.filter(|_| is_of_dynamodb && is_of_this_stream)?;
        check_view(images.view.as_ref()).ok()?;
        let Text(sequence) = images.sequence?;
        let sequence = SequenceNumber::parse(sequence).ok()?;
        let key = images.key?;
        if !images.is_relevant {
            return Some(Decoded::ignored(self.rules, self.index, position, (self.table, key)));
        }
        let schema = &self.rules[self.table].key;
        let required = |has: bool, image: Option<Item<'a>>| {
            if !has {
                return Some(None);
            }
            schema.key_of(image.as_ref()?).ok()?;
            Some(image)
        };
        let change = Change {
            table: self.table,
            key,
            before: required(has_before, images.old)?,
            after: required(has_after, images.new)?,
        };
        let created_ms = images.created_seconds.map(to_ms);
        let origin = origin(fields.identity.as_ref());
        Some(Decoded::Change(StreamChange { change, sequence, created_ms, origin, position }))
    }
}

/// Reads those attributes of an image that the rules look at, and skips the others.
fn image<'a>(cursor: &mut Cursor<'a>, projections: &[&Projection]) -> Option<Item<'a>> {
    let mut attributes = Vec::new();
    cursor.object(|name, cursor| {
        let value = cursor.attribute()?;
        if projections.iter().any(|projection| projection.contains(name)) {
            attributes.push((Cow::Borrowed(name), value.decode()?));
        }
        Some(())
    })?;
    Some(attributes.into())
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

    /// A record with Lambda's order of fields, with spaces.
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
        let event = format!("{{\"Records\": [{}]}}", records.join(",")).replace([' ', '\n'], "");
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
            ("{\"S\": \"bob\"}", "{\"M\": {\"a\": {\"S\": \"x\"}}, \"S\": \"bob\"}"),
            ("{\"S\": \"bob\"}", "{\"M\": {\"a\": {\"S\": \"x\", \"N\": \"1\"}}}"),
            ("\"SizeBytes\": 90", "\"NewImage\": {\"pk\": {\"S\": \"task#1\"}}"),
        ] {
            let unusual = RECORD.replace(from, to);
            assert_ne!(unusual, RECORD, "{from}");
            assert_eq!(read_records(&[RECORD, &unusual]), None, "{from} -> {to}");
        }
    }
}
