//! The subject: the item to write, with its references and mirrors.

use serde_json::Value as Json;

use super::{Attributes, Refusal};
use crate::data::{Item, Key, KeySchema, Path, Value};
use crate::rules::model::{EntityId, Mirror, MirrorId, Mode, ReferenceId, Rules};

/// The item to write.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) entity: EntityId,
    pub(super) key: Attributes,
    /// Its other attributes.
    pub(super) content: Attributes,
    /// The items that it refers to.
    pub(super) targets: Vec<Target>,
    /// Its mirrors.
    pub(super) mirrors: Vec<MirrorItem>,
    /// The items that may refer to it.
    pub(super) referrers: Vec<Referrer>,
    pub(super) notes: Vec<String>,
}

/// An item that the subject refers to.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) rule: ReferenceId,
    pub(super) key: Attributes,
    /// The other items of which one would be enough.
    pub(super) others: Vec<(ReferenceId, Attributes)>,
}

/// A mirror of the subject, without its mark.
#[derive(Debug)]
pub(super) struct MirrorItem {
    pub(super) rule: MirrorId,
    pub(super) key: Attributes,
    pub(super) content: Attributes,
}

/// The items that may refer to the subject through one rule.
#[derive(Debug)]
pub(super) struct Referrer {
    pub(super) rule: ReferenceId,
    /// The key of the referencing item, if there can be only one.
    pub(super) only: Option<Attributes>,
}

/// Refuses an entity whose items are mirrors.
pub(super) fn refuse_mirror(rules: &Rules, entity: EntityId) -> Result<(), Refusal> {
    let in_use = |mirror: &&Mirror| mirror.mode != Mode::Off;
    let writer = rules.mirrors.iter().filter(in_use).find(|mirror| mirror.mirror == entity);
    match writer {
        None => Ok(()),
        Some(writer) => Err(Refusal::Impossible(format!(
            "items of `{}` are mirrors written by `{}`; guard their source `{}` instead",
            rules[entity].name, writer.name, rules[writer.source].name
        ))),
    }
}

/// The attributes of an item in DynamoDB JSON.
pub(super) fn attributes(item: &Item<'_>) -> Attributes {
    item.iter().map(|(name, value)| (name.to_string(), json(value))).collect()
}

/// The attributes of a key in DynamoDB JSON.
pub(super) fn key_attributes(schema: &KeySchema, key: &Key<'_>) -> Attributes {
    attributes(&schema.item_of(key))
}

pub(super) fn json(value: &Value<'_>) -> Json {
    // Cannot fail: all keys are strings.
    serde_json::to_value(value).unwrap_or_default()
}

/// The value at a path of attributes in DynamoDB JSON.
pub(super) fn lookup<'a>(attributes: &'a Attributes, path: &Path) -> Option<&'a Json> {
    let mut names = path.names();
    let root = names.next()?;
    names.try_fold(attributes.get(root)?, |value, name| value.get("M")?.get(name))
}

/// Formats a list of names, as in `a`, `b` and `c`.
pub(super) fn listed(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}
