//! The format of a stream record as Lambda delivers it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::change::Origin;
use super::home::Home;
use super::image::image;
use super::text::Text;
use crate::data::{Key, KeyError, SequenceNumber};
use crate::integrity::index::Projection;
use crate::rules::model::{Rules, TableId};

/// A record's fields other than its images.
pub(super) struct Header<'a> {
    pub(super) table: TableId,
    pub(super) key: Key<'a>,
    pub(super) event: Event,
    pub(super) sequence: SequenceNumber<'a>,
    pub(super) created_ms: Option<i64>,
    pub(super) origin: Origin,
    pub(super) old_image: Option<&'a RawValue>,
    pub(super) new_image: Option<&'a RawValue>,
}

/// The kind of change that a record's `eventName` names.
#[derive(Clone, Copy)]
pub(super) enum Event {
    Insert,
    Modify,
    Remove,
}

impl Event {
    /// Whether the item existed before the change, and whether it exists after it.
    pub(super) const fn images(self) -> (bool, bool) {
        match self {
            Self::Insert => (false, true),
            Self::Modify => (true, true),
            Self::Remove => (true, false),
        }
    }
}

/// Parses a record's outer fields, borrowed from the event.
pub(super) fn envelope(record: &RawValue) -> Result<Envelope<'_>, serde_json::Error> {
    serde_json::from_str(record.get())
}

/// Reads the sequence number of a record whose other fields cannot be parsed.
pub(super) fn sequence_alone(record: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Numbered<'a> {
        #[serde(borrow)]
        dynamodb: Stream<'a>,
    }
    #[derive(Deserialize)]
    struct Stream<'a> {
        #[serde(borrow, rename = "SequenceNumber")]
        sequence: Text<'a>,
    }
    let numbered: Numbered<'_> = serde_json::from_str(record.get()).ok()?;
    Some(numbered.dynamodb.sequence.0.into_owned())
}

/// Reads a record's fields other than its images.
pub(super) fn header<'a>(rules: &Rules, envelope: Envelope<'a>) -> Result<Header<'a>, String> {
    let table = envelope.table(rules)?;
    let event = event(envelope.event_name.as_ref())?;
    let stream = envelope.dynamodb.ok_or("the record has no `dynamodb` part")?;
    check_view(stream.stream_view_type.as_ref())?;
    let Text(sequence) = stream.sequence.ok_or("the record has no `SequenceNumber`")?;
    let sequence = SequenceNumber::parse(sequence).map_err(|error| error.to_string())?;
    let keys =
        image(stream.keys, "Keys", &[&Projection::All])?.ok_or("the record has no `Keys`")?;
    let key = rules[table].key.key_of(&keys).map_err(|error| format!("`Keys`: {error}"))?;
    Ok(Header {
        table,
        key,
        event,
        sequence,
        created_ms: stream.created_seconds.map(to_ms),
        origin: origin(envelope.user_identity.as_ref()),
        old_image: stream.old_image,
        new_image: stream.new_image,
    })
}

/// Whether the rules can work with the stream that a record names; `None` if it names no stream.
pub(super) fn check_stream(
    rules: &Rules,
    home: &Home,
    envelope: &Envelope<'_>,
) -> Option<Result<(), String>> {
    if envelope.event_source.is_none() && envelope.event_source_arn.is_none() {
        return None;
    }
    Some(envelope.table(rules).and_then(|table| {
        if let Some(Text(arn)) = &envelope.event_source_arn {
            home.check(arn, &rules[table])?;
        }
        let Some(stream) = &envelope.dynamodb else { return Ok(()) };
        check_view(stream.stream_view_type.as_ref())?;
        let Ok(Some(keys)) = image(stream.keys, "Keys", &[&Projection::All]) else { return Ok(()) };
        match rules[table].key.key_of(&keys) {
            Err(error @ (KeyError::Missing(_) | KeyError::Type { .. })) => Err(format!(
                "the key of table `{}` differs from the rule file: {error}\n\
                 help: correct the table's `key` in the rule file",
                rules[table].name
            )),
            Ok(_) | Err(_) => Ok(()),
        }
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(super) struct Envelope<'a> {
    #[serde(borrow)]
    event_name: Option<Text<'a>>,
    // SNS capitalizes this name.
    #[serde(borrow, alias = "EventSource")]
    event_source: Option<Text<'a>>,
    #[serde(borrow, rename = "eventSourceARN")]
    event_source_arn: Option<Text<'a>>,
    #[serde(borrow)]
    user_identity: Option<UserIdentity<'a>>,
    #[serde(borrow)]
    dynamodb: Option<StreamRecord<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub(super) struct UserIdentity<'a> {
    #[serde(borrow, alias = "PrincipalId")]
    principal_id: Option<Text<'a>>,
    #[serde(borrow, rename = "type", alias = "Type")]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
struct StreamRecord<'a> {
    #[serde(rename = "ApproximateCreationDateTime")]
    created_seconds: Option<f64>,
    #[serde(borrow)]
    keys: Option<&'a RawValue>,
    #[serde(borrow)]
    new_image: Option<&'a RawValue>,
    #[serde(borrow)]
    old_image: Option<&'a RawValue>,
    #[serde(borrow, rename = "SequenceNumber")]
    sequence: Option<Text<'a>>,
    #[serde(borrow)]
    stream_view_type: Option<Text<'a>>,
}

impl<'a> Envelope<'a> {
    /// The sequence number, even if other fields are invalid.
    pub(super) fn sequence(&self) -> Option<Cow<'a, str>> {
        let Text(text) = self.dynamodb.as_ref()?.sequence.as_ref()?;
        Some(text.clone())
    }

    fn table(&self, rules: &Rules) -> Result<TableId, String> {
        let source = self.event_source.as_ref().map(|Text(source)| &**source);
        let stream = self.event_source_arn.as_ref().map(|Text(arn)| &**arn);
        find_table(rules, source, stream)
    }
}

/// The table that a record belongs to, by the source and the stream that the record names.
pub(super) fn find_table(
    rules: &Rules,
    source: Option<&str>,
    stream: Option<&str>,
) -> Result<TableId, String> {
    if let Some(source) = source
        && source != "aws:dynamodb"
    {
        return Err(format!("the record comes from `{source}`, not from a DynamoDB stream"));
    }
    let Some(arn) = stream else {
        return Err("the record has no `eventSourceARN`, which names its table".to_owned());
    };
    let name = table_name(arn)
        .ok_or_else(|| format!("`eventSourceARN` is `{arn}`, which does not name a table"))?;
    rules.table_named(name).map(|(id, _)| id).ok_or_else(|| {
        format!("table `{name}` is not in the rule file, which declares {}", rules.table_names())
    })
}

/// The table that a stream belongs to: `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL`.
fn table_name(arn: &str) -> Option<&str> {
    let (_, path) = arn.split_once(":table/")?;
    path.split('/').next().filter(|name| !name.is_empty())
}

pub(super) fn event(name: Option<&Text<'_>>) -> Result<Event, String> {
    match name.map(|Text(name)| &**name) {
        Some("INSERT") => Ok(Event::Insert),
        Some("MODIFY") => Ok(Event::Modify),
        Some("REMOVE") => Ok(Event::Remove),
        Some(other) => Err(format!("`eventName` is `{other}`, not INSERT, MODIFY or REMOVE")),
        None => Err("the record has no `eventName`".to_owned()),
    }
}

pub(super) fn check_view(view: Option<&Text<'_>>) -> Result<(), String> {
    match view {
        Some(Text(view)) if view != "NEW_AND_OLD_IMAGES" => Err(format!(
            "the stream's view type is {view}; Referee needs NEW_AND_OLD_IMAGES. The view type of a \
             stream cannot be changed: turn the stream off, and on again with that type"
        )),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn origin(identity: Option<&UserIdentity<'_>>) -> Origin {
    let is = |text: &Option<Text<'_>>, expected: &str| {
        text.as_ref().is_some_and(|Text(text)| text == expected)
    };
    match identity {
        Some(identity)
            if is(&identity.kind, "Service")
                && is(&identity.principal_id, "dynamodb.amazonaws.com") =>
        {
            Origin::Ttl
        }
        Some(_) | None => Origin::Client,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and no real time is that late"
)]
pub(super) fn to_ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}
