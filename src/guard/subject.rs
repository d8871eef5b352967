//! Subjects: an item that is about to be written, and what the rules see in it.

use serde_json::Value as Json;

use super::{Attributes, Refusal};
use crate::data::{Item, Key, KeySchema, Path, Value};
use crate::rules::model::{EntityId, Mirror, MirrorId, Mode, ReferenceId, Rules};

/// An item that is about to be written.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) entity: EntityId,
    pub(super) key: Attributes,
    /// Its other attributes.
    pub(super) content: Attributes,
    /// What it refers to.
    pub(super) targets: Vec<Target>,
    /// Its mirrors.
    pub(super) halves: Vec<Half>,
    /// What may refer to it.
    pub(super) dependents: Vec<Dependent>,
    pub(super) notes: Vec<String>,
}

/// An item that the subject refers to.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) rule: ReferenceId,
    pub(super) key: Attributes,
}

/// The subject's mirror by a rule, without its mark.
#[derive(Debug)]
pub(super) struct Half {
    pub(super) rule: MirrorId,
    pub(super) key: Attributes,
    pub(super) content: Attributes,
}

/// Items that may refer to the subject.
#[derive(Debug)]
pub(super) struct Dependent {
    pub(super) rule: ReferenceId,
    /// The key of the one item that can, if there can only be one.
    pub(super) only: Option<Attributes>,
}

/// Refuses what Referee itself writes.
pub(super) fn refuse_mirror(rules: &Rules, entity: EntityId) -> Result<(), Refusal> {
    let in_use = |mirror: &&Mirror| mirror.mode != Mode::Off;
    let writer = rules.mirrors.iter().filter(in_use).find(|mirror| mirror.mirror == entity);
    match writer {
        None => Ok(()),
        Some(writer) => Err(Refusal::Impossible(format!(
            "items of `{}` are written for `{}`; ask for what they mirror, `{}`",
            rules[entity].name, writer.name, rules[writer.source].name
        ))),
    }
}

/// The attributes of an item in DynamoDB's JSON.
pub(super) fn attributes(item: &Item<'_>) -> Attributes {
    item.iter().map(|(name, value)| (name.to_string(), json(value))).collect()
}

/// The attributes of a key in DynamoDB's JSON.
pub(super) fn key_attributes(schema: &KeySchema, key: &Key<'_>) -> Attributes {
    attributes(&schema.item_of(key))
}

pub(super) fn json(value: &Value<'_>) -> Json {
    // All keys are texts, which is all that could fail.
    serde_json::to_value(value).unwrap_or_default()
}

/// The value at a path of attributes in DynamoDB's JSON.
pub(super) fn lookup<'a>(attributes: &'a Attributes, path: &Path) -> Option<&'a Json> {
    let (root, inner) = path.segments().split_first()?;
    inner.iter().try_fold(attributes.get(root)?, |value, name| value.get("M")?.get(name))
}

/// `a`, `b` and `c`.
pub(super) fn listed(names: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => names.concat(),
    }
}
