//! A line of a data file: an item, or a change.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::data::without_position;

/// A line of a full export.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    #[serde(borrow)]
    item: &'a RawValue,
}

/// The item in a line of a full export: `{"Item":{…}}`.
///
/// The item is not parsed. A line of the usual form is only cut, so that if anything else follows
/// the item, it is the reader of the item who finds out.
pub(super) fn item(line: &[u8]) -> Result<&[u8], String> {
    if let Some(rest) = line.strip_prefix(br#"{"Item":{"#)
        && rest.ends_with(b"}}")
    {
        return line.get(8..line.len() - 1).ok_or_else(String::new);
    }
    let line: Line<'_> = serde_json::from_slice(line).map_err(|error| not_json(line, &error))?;
    Ok(line.item.get().as_bytes())
}

/// A line of an incremental export:
/// `{"Metadata":{"WriteTimestampMicros":{"N":"…"}},"Keys":{…},"OldImage":{…},"NewImage":{…}}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change<'a> {
    metadata: Metadata<'a>,
    #[serde(borrow)]
    keys: &'a RawValue,
    #[serde(borrow)]
    new_image: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    write_timestamp_micros: Micros<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Micros<'a> {
    n: &'a str,
}

impl<'a> Change<'a> {
    pub(super) fn read(line: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| not_json(line, &error))
    }

    /// When the item was last changed, in microseconds since 1970, by DynamoDB's clock.
    pub(super) fn micros(&self) -> Result<u64, String> {
        let text = self.metadata.write_timestamp_micros.n;
        text.parse().map_err(|_| format!("`WriteTimestampMicros` is `{text}`, not a time"))
    }

    /// The key attributes, as an item.
    pub(super) fn keys(&self) -> &'a [u8] {
        self.keys.get().as_bytes()
    }

    /// The item after the change; `None` if it was deleted.
    pub(super) fn new_image(&self) -> Option<&'a [u8]> {
        self.new_image.map(|image| image.get().as_bytes())
    }
}

fn not_json(line: &[u8], error: &serde_json::Error) -> String {
    if line.starts_with(b"$ion") {
        return "it is Amazon Ion, not JSON".to_owned();
    }
    without_position(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_of_a_line_is_found() {
        for line in [
            r#"{"Item":{"pk":{"S":"a"}}}"#,
            r#"{ "Item" : {"pk":{"S":"a"}} }"#,
            r#"{"Item":{"pk":{"S":"a"}} }"#,
        ] {
            assert_eq!(item(line.as_bytes()), Ok(br#"{"pk":{"S":"a"}}"#.as_slice()), "{line}");
        }
        for line in ["", "{", r#"{"Keys":{}}"#, "$ion_1_0 {Item:{pk:\"a\"}}", "\u{0}"] {
            assert!(item(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn a_change_has_a_time_and_a_key() {
        let read = |rest: &str| {
            let line = format!(
                r#"{{"Metadata":{{"WriteTimestampMicros":{{"N":"17"}}}},"Keys":{{"pk":{{"S":"a"}}}}{rest}}}"#
            );
            let change = Change::read(line.as_bytes()).unwrap();
            assert_eq!(change.micros(), Ok(17));
            assert_eq!(change.keys(), br#"{"pk":{"S":"a"}}"#);
            change.new_image().map(<[u8]>::to_vec)
        };
        assert_eq!(read(""), None);
        assert_eq!(read(r#","OldImage":{"pk":{"S":"a"}}"#), None);
        assert_eq!(read(r#","OldImage":{},"NewImage":{"pk":{}}"#), Some(br#"{"pk":{}}"#.to_vec()));
        assert!(Change::read(br#"{"Keys":{}}"#).is_err());
    }
}
