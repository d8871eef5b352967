//! DynamoDB's JSON: `{"pk": {"S": "user#1"}, "age": {"N": "42"}}`.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::{Item, Number, Type, Value};

/// The maximum depth of nesting in an item. An attribute's value is the first level.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const MAX_DEPTH: usize = 32;

/// An item in DynamoDB's JSON, which borrows from the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JsonItem<'a>(pub Item<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonItem<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ItemVisitor { depth: 0 }).map(JsonItem)
    }
}

impl Serialize for JsonItem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed { depth: 0 }.deserialize(deserializer)
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let tag = self.kind().tag();
        match self {
            Self::S(text) => map.serialize_entry(tag, text)?,
            Self::N(number) => map.serialize_entry(tag, number.as_str())?,
            Self::B(bytes) => map.serialize_entry(tag, &BASE64.encode(bytes))?,
            Self::Bool(flag) => map.serialize_entry(tag, flag)?,
            Self::Null => map.serialize_entry(tag, &true)?,
            Self::Ss(set) => map.serialize_entry(tag, set)?,
            Self::Ns(set) => {
                map.serialize_entry(tag, &set.iter().map(Number::as_str).collect::<Vec<_>>())?;
            }
            Self::Bs(set) => {
                let texts: Vec<_> = set.iter().map(|bytes| BASE64.encode(bytes)).collect();
                map.serialize_entry(tag, &texts)?;
            }
            Self::L(list) => map.serialize_entry(tag, list)?,
            Self::M(item) => map.serialize_entry(tag, item)?,
        }
        map.end()
    }
}

/// Adds the attribute's name to an error in its value.
pub fn in_attribute<E: de::Error>(name: &str, error: &E) -> E {
    E::custom(format_args!("attribute `{name}`: {}", without_position(error)))
}

/// The message of a `serde_json` error without its line and column, which do not help to find the
/// error in a stream record.
pub fn without_position(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what).to_owned()
}

/// A text, borrowed if the JSON contains no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct ItemVisitor {
    depth: usize,
}

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of attributes in DynamoDB's JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Item<'de>, A::Error> {
        let mut attributes = Vec::new();
        while let Some(Text(name)) = access.next_key()? {
            let value = access
                .next_value_seed(ValueSeed { depth: self.depth })
                .map_err(|error| in_attribute(&name, &error))?;
            attributes.push((name, value));
        }
        Ok(attributes.into())
    }
}

/// Reads a value at this depth of nesting.
#[derive(Clone, Copy)]
struct ValueSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value with its type, such as {\"S\": \"text\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let Some(Text(tag)) = access.next_key()? else {
            return Err(de::Error::custom("a value has no type tag"));
        };
        let kind = Type::from_tag(&tag).ok_or_else(|| unknown_tag(&tag))?;
        let value = self.value(kind, &mut access)?;
        match access.next_key::<Text<'de>>()? {
            Some(Text(second)) => Err(de::Error::custom(format_args!(
                "a value has two type tags, `{tag}` and `{second}`"
            ))),
            None => Ok(value),
        }
    }
}

impl ValueSeed {
    fn value<'de, A: MapAccess<'de>>(
        self,
        kind: Type,
        access: &mut A,
    ) -> Result<Value<'de>, A::Error> {
        Ok(match kind {
            Type::S => Value::S(access.next_value::<Text<'de>>()?.0),
            Type::N => Value::N(number(access.next_value::<Text<'de>>()?.0)?),
            Type::B => Value::B(binary(&access.next_value::<Text<'de>>()?.0)?),
            Type::Bool => Value::Bool(access.next_value()?),
            Type::Null => {
                if !access.next_value::<bool>()? {
                    return Err(de::Error::custom("`NULL` must be true"));
                }
                Value::Null
            }
            Type::Ss => Value::Ss(set(texts(access)?.map(Ok))?),
            Type::Ns => Value::Ns(set(texts(access)?.map(number))?),
            Type::Bs => Value::Bs(set(texts(access)?.map(|text| binary(&text)))?),
            Type::L => Value::L(access.next_value_seed(ListSeed { depth: self.deeper()? })?),
            Type::M => Value::M(access.next_value_seed(MapSeed { depth: self.deeper()? })?),
        })
    }

    fn deeper<E: de::Error>(self) -> Result<usize, E> {
        if self.depth + 1 == MAX_DEPTH {
            return Err(de::Error::custom(format_args!(
                "the item nests deeper than DynamoDB's limit of {MAX_DEPTH} levels"
            )));
        }
        Ok(self.depth + 1)
    }
}

struct MapSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for MapSeed {
    type Value = Item<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item<'de>, D::Error> {
        deserializer.deserialize_map(ItemVisitor { depth: self.depth })
    }
}

struct ListSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ListSeed {
    type Value = Vec<Value<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListSeed {
    type Value = Vec<Value<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(ValueSeed { depth: self.depth })? {
            list.push(value);
        }
        Ok(list)
    }
}

fn unknown_tag<E: de::Error>(tag: &str) -> E {
    let known = Type::ALL.map(Type::tag).join(", ");
    E::custom(format_args!("unknown type tag `{tag}`, expected one of {known}"))
}

fn number<E: de::Error>(text: Cow<'_, str>) -> Result<Number<'_>, E> {
    Number::parse(text).map_err(E::custom)
}

fn binary<E: de::Error>(text: &str) -> Result<Cow<'static, [u8]>, E> {
    let bytes = BASE64
        .decode(text)
        .map_err(|error| E::custom(format_args!("a binary value is not base64: {error}")))?;
    Ok(Cow::Owned(bytes))
}

/// The elements of a set, as text.
fn texts<'de, A: MapAccess<'de>>(
    access: &mut A,
) -> Result<impl Iterator<Item = Cow<'de, str>>, A::Error> {
    Ok(access.next_value::<Vec<Text<'de>>>()?.into_iter().map(|Text(text)| text))
}

/// Collects and sorts the elements of a set. As in DynamoDB, an empty set or a duplicate element is
/// an error.
fn set<T: Ord, E: de::Error>(elements: impl Iterator<Item = Result<T, E>>) -> Result<Vec<T>, E> {
    let mut set = elements.collect::<Result<Vec<_>, _>>()?;
    let length = set.len();
    set.sort_unstable();
    set.dedup();
    if set.is_empty() {
        return Err(E::custom("a set is empty, which DynamoDB does not allow"));
    }
    if set.len() < length {
        return Err(E::custom("a set has a duplicate element"));
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Item<'_>, String> {
        serde_json::from_str::<JsonItem<'_>>(text)
            .map(|JsonItem(item)| item)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_item_is_written_as_it_was_read() {
        let text = r#"{"b":{"B":"AAEC"},"bs":{"BS":["AA==","/w=="]},"f":{"BOOL":false},"l":{"L":[{"S":"x"},{"NULL":true}]},"m":{"M":{"n":{"N":"-1.5"}}},"ns":{"NS":["-1","2","10"]},"ss":{"SS":["a","b"]}}"#;
        let item = read(text).unwrap();
        assert_eq!(serde_json::to_string(&item).unwrap(), text);
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let item = read(r#"{"pk":{"S":"user#1"}}"#).unwrap();
        assert!(matches!(item.get("pk"), Some(Value::S(Cow::Borrowed("user#1")))));
    }

    #[test]
    fn values_that_dynamodb_rejects_are_rejected() {
        for (text, expected) in [
            (r#"{"a":{"Q":"x"}}"#, "unknown type tag `Q`"),
            (r#"{"a":{}}"#, "no type tag"),
            (r#"{"a":{"S":"x","N":"1"}}"#, "two type tags"),
            (r#"{"a":{"N":"one"}}"#, "`one` is not a number"),
            (r#"{"a":{"N":"1234567890123456789012345678901234567890123"}}"#, "significant digits"),
            (r#"{"a":{"B":"***"}}"#, "not base64"),
            (r#"{"a":{"SS":[]}}"#, "set is empty"),
            (r#"{"a":{"NS":["1","1.0"]}}"#, "duplicate"),
            (r#"{"a":{"NULL":false}}"#, "must be true"),
            (r#"{"a":"x"}"#, "a value with its type"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn nesting_is_limited_as_in_dynamodb() {
        let nested = |depth: usize| {
            format!("{{\"a\":{}{{\"S\":\"x\"}}{}}}", "{\"L\":[".repeat(depth), "]}".repeat(depth))
        };
        assert!(read(&nested(MAX_DEPTH - 1)).is_ok());
        assert!(read(&nested(MAX_DEPTH)).unwrap_err().contains("deeper"));
    }
}
