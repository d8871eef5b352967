//! Items as text, of which only the attributes that the rules look at are decoded.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::excerpt::Kept;
use crate::data::{Item, Key, KeySchema, Value, in_attribute, without_position};
use crate::integrity::index::Projection;

/// An item whose attributes are not decoded yet.
#[derive(Debug, Default)]
pub(crate) struct RawItem<'a> {
    attributes: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> RawItem<'a> {
    /// Reads an item in DynamoDB's JSON.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| without_position(&error))
    }

    /// The item's key.
    pub(crate) fn key(&self, schema: &KeySchema) -> Result<Key<'a>, String> {
        let mut item = Item::new();
        for name in schema.names() {
            if let Some((name, text)) = self.attributes.iter().find(|(known, _)| *known == name) {
                item.insert(name.clone(), value(name, text.get())?);
            }
        }
        schema.key_of(&item).map_err(|error| error.to_string())
    }

    /// An attribute in the item's excerpt.
    pub(super) fn kept(&self, name: &str) -> Kept<'a> {
        // Of two attributes with the same name, the last one counts.
        let attribute = self.attributes.iter().rfind(|(known, _)| known == name);
        attribute.map_or(Kept::Absent, |(_, json)| Kept::Json(json.get().as_bytes()))
    }

    /// The names and the JSON of all attributes.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let text = |(name, value): &(Cow<'_, str>, &RawValue)| {
            (name.clone().into_owned(), value.get().to_owned())
        };
        self.attributes.iter().map(text).collect()
    }

    /// The attributes of a projection.
    pub(crate) fn attributes(&self, projection: &Projection) -> Result<Item<'a>, String> {
        let wanted = self.attributes.iter().filter(|(name, _)| projection.contains(name));
        wanted.map(|(name, text)| Ok((name.clone(), value(name, text.get())?))).collect()
    }
}

/// Decodes the value of an attribute.
pub(super) fn value<'a>(name: &str, text: &'a str) -> Result<Value<'a>, String> {
    if let Some(plain) = plain_string(text) {
        return Ok(Value::S(Cow::Borrowed(plain)));
    }
    serde_json::from_str(text)
        .map_err(|error| without_position(&in_attribute::<serde_json::Error>(name, &error)))
}

/// The text of a string value that needs no decoding. Most values that rules look at are such
/// strings.
fn plain_string(value: &str) -> Option<&str> {
    let text = value.strip_prefix(r#"{"S":""#)?.strip_suffix(r#""}"#)?;
    memchr::memchr2(b'"', b'\\', text.as_bytes()).is_none().then_some(text)
}

impl<'de: 'a, 'a> Deserialize<'de> for RawItem<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawItemVisitor).map(|attributes| Self { attributes })
    }
}

struct RawItemVisitor;

impl<'de> Visitor<'de> for RawItemVisitor {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of attributes in DynamoDB's JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        /// A text, borrowed if the JSON contains no escapes.
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        let mut attributes = Vec::with_capacity(16);
        while let Some(Text(name)) = access.next_key()? {
            attributes.push((name, access.next_value()?));
        }
        Ok(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{KeyAttribute, KeyKind};

    fn schema() -> KeySchema {
        let partition = KeyAttribute { name: "pk".to_owned(), kind: KeyKind::S };
        KeySchema { partition, sort: None }
    }

    #[test]
    fn only_the_attributes_of_the_projection_are_decoded() {
        let text = br#"{"a": {"N": "1"}, "pk": {"S": "x"}, "odd": {"Q": []}}"#;
        let item = RawItem::parse(text).unwrap();
        assert!(item.key(&schema()).is_ok());
        let names = Projection::from_iter(["a".to_owned(), "none".to_owned()]);
        assert_eq!(item.attributes(&names).unwrap().len(), 1);
        let error = item.attributes(&Projection::All).unwrap_err();
        assert!(error.starts_with("attribute `odd`: unknown type tag `Q`"), "{error}");
    }

    #[test]
    fn a_string_is_decoded_as_serde_json_decodes_it() {
        for text in [
            r#"{"S":"plain"}"#,
            r#"{"S":""}"#,
            r#"{"S":"a\"b"}"#,
            r#"{"S":"\u00fc"}"#,
            r#"{"S":"x","S":"y"}"#,
            r#"{ "S": "spaced" }"#,
            r#"{"S":"x"} "#,
        ] {
            let expected = serde_json::from_str::<Value<'_>>(text).map_err(drop);
            assert_eq!(value("a", text).map_err(drop), expected, "{text}");
        }
    }

    #[test]
    fn an_item_without_its_key_is_an_error() {
        let item = RawItem::parse(br#"{"a": {"N": "1"}}"#).unwrap();
        assert_eq!(item.key(&schema()).unwrap_err(), "key attribute `pk` is missing");
        let item = RawItem::parse(br#"{"pk": {"N": "1"}}"#).unwrap();
        assert!(item.key(&schema()).unwrap_err().contains("has type N"));
        assert!(RawItem::parse(b"3").is_err());
        assert!(RawItem::parse(b"{").is_err());
    }
}
