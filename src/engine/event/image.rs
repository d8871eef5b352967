//! Images: those attributes of an item in a record that the rules look at.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text::Text;
use crate::data::{Item, KeySchema, Value, in_attribute, without_position};
use crate::integrity::index::Projection;

/// Reads an image, which must be present if the event's name requires it.
pub(super) fn required_image<'a>(
    expected: bool,
    text: Option<&'a RawValue>,
    name: &str,
    projections: &[&Projection],
    schema: &KeySchema,
) -> Result<Option<Item<'a>>, String> {
    if !expected {
        return Ok(None);
    }
    let item = image(text, name, projections)?.ok_or_else(|| {
        format!("the record has no `{name}`: is the stream's view type NEW_AND_OLD_IMAGES?")
    })?;
    schema.key_of(&item).map_err(|error| format!("`{name}`: {error}"))?;
    Ok(Some(item))
}

/// Reads an image; `None` if it is absent or `null`.
pub(super) fn image<'a>(
    text: Option<&'a RawValue>,
    name: &str,
    projections: &[&Projection],
) -> Result<Option<Item<'a>>, String> {
    let Some(text) = text.filter(|text| text.get() != "null") else { return Ok(None) };
    let mut deserializer = serde_json::Deserializer::from_str(text.get());
    Projected(projections)
        .deserialize(&mut deserializer)
        .map(Some)
        .map_err(|error| format!("`{name}`: {}", without_position(&error)))
}

/// Reads those attributes of an image that the rules look at, and skips the others.
struct Projected<'w>(&'w [&'w Projection]);

impl<'de> DeserializeSeed<'de> for Projected<'_> {
    type Value = Item<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Projected<'_> {
    type Value = Item<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a map of attributes in DynamoDB's JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Item<'de>, A::Error> {
        let mut attributes = Vec::new();
        while let Some(Text(name)) = access.next_key()? {
            if self.0.iter().any(|projection| projection.contains(&name)) {
                let value = access
                    .next_value::<Value<'de>>()
                    .map_err(|error| in_attribute(&name, &error))?;
                attributes.push((name, value));
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(attributes.into())
    }
}
