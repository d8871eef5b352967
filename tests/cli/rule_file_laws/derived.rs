//! What the repairs of a drawn reference change besides its own attributes, and which values mean
//! that there is none.

use referee::data::{KeyAttribute, Number, Value};
use referee::rules::Rules;
use referee::rules::model::{Component, Derived, EntityId, Find};
use referee::rules::template::{EntityKey, Format, KeyTemplate};

use super::tape::Tape;

/// A default for a capture, in the capture's format.
pub(super) fn default(key: &EntityKey, capture: usize) -> Value<'static> {
    let name = &key.captures()[capture];
    let templates = std::iter::once(key.partition()).chain(key.sort());
    let mut formats = templates.flat_map(|template| template.template().formatted());
    let capture = formats.find(|capture| capture.name == *name).unwrap();
    match &capture.format {
        Format::Zeros(_) => Value::from("7"),
        Format::Width(width) => Value::S("x".repeat(*width).into()),
        Format::Prefix(prefix) => Value::S(format!("{prefix}none").into()),
        Format::Plain | Format::Lower | Format::Upper => Value::from("none"),
    }
}

/// The attributes that are derived from the parts of the reference that its actions change.
pub(super) fn attributes(
    rules: &Rules,
    (from, to): (EntityId, EntityId),
    components: &[Component],
    find: &Find,
    tape: &mut Tape,
) -> Vec<Derived> {
    if components.iter().any(Component::is_of_element) {
        return Vec::new();
    }
    let indexed = index_keys(rules, from, find);
    if tape.one_in(3) {
        let extra = tape.flag().then(|| ("extra".to_owned(), None));
        let indexed = indexed.clone().into_iter().filter(|_| tape.flag());
        let listed = indexed.map(|(attribute, template)| (attribute.name, Some(template)));
        let all: Vec<_> = listed
            .chain(extra)
            .map(|(attribute, template)| Derived { attribute, template, is_listed: true })
            .collect();
        if !all.is_empty() {
            return all;
        }
    }
    let captures = rules[to].key.captures();
    let is_changed = |name: &str| {
        let index = captures.iter().position(|capture| capture == name).unwrap();
        matches!(components[index], Component::Attribute(..))
    };
    let indexed = indexed.into_iter().filter(|(_, template)| template.captures().any(is_changed));
    indexed
        .map(|(attribute, template)| Derived {
            attribute: attribute.name,
            template: Some(template),
            is_listed: false,
        })
        .collect()
}

fn index_keys(rules: &Rules, from: EntityId, find: &Find) -> Vec<(KeyAttribute, KeyTemplate)> {
    let Find::Index { index, partition, sort } = find else { return Vec::new() };
    let index = &rules.table_of(from).indexes[*index];
    index.key.attributes().cloned().zip(std::iter::once(partition).chain(sort).cloned()).collect()
}

/// The values that mean that there is no reference.
pub(super) fn none(components: &[Component], tape: &mut Tape) -> Vec<Value<'static>> {
    let is_own = |source: &Component| source.path().is_some();
    if !components.iter().any(is_own) || !tape.one_in(3) {
        return Vec::new();
    }
    let zero = Value::N(Number::parse("0").unwrap());
    tape.pick(&[vec![Value::from("")], vec![zero.clone()], vec![Value::from("-"), zero]])
}
