//! Remedies: what is done to an item that refers to one that does not exist.

use super::conditions::{AnyOf, present, still_refers};
use super::obstacle::Obstacle;
use super::operation::{ItemWrite, Operation};
use crate::data::{Item, Key, KeyValue, Path, Type, Value};
use crate::integrity::finding::ItemName;
use crate::integrity::reference::{ElementPart, Elements, Grounds, Part, grounds, shared_parts};
use crate::rules::model::{
    Component, Derived, OnDelete, OnMissing, Reference, ReferenceId, Removal, Rules,
};
use crate::store::{Action, Clause, Condition, Operand, Write};

/// What is done to a referencing item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// It is deleted.
    Delete,
    /// The attributes of its reference are removed, or the elements that refer to the target.
    Unset,
    /// Those attributes or elements are set to the rule's default.
    SetDefault,
}

impl Remedy {
    /// The remedy for a reference to a missing item; `None` if the action is not a remedy.
    pub(crate) const fn of_missing(action: OnMissing) -> Option<Self> {
        match action {
            OnMissing::Report | OnMissing::Revert => None,
            OnMissing::Delete => Some(Self::Delete),
            OnMissing::Unset => Some(Self::Unset),
            OnMissing::SetDefault => Some(Self::SetDefault),
        }
    }

    /// The remedy for the orphans of a deleted item; `None` if the action is not a remedy.
    pub(crate) const fn of_delete(action: OnDelete) -> Option<Self> {
        match action {
            OnDelete::Report | OnDelete::Restore | OnDelete::Ignore => None,
            OnDelete::Cascade => Some(Self::Delete),
            OnDelete::Unset => Some(Self::Unset),
            OnDelete::SetDefault => Some(Self::SetDefault),
        }
    }
}

/// The repair of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repair {
    /// What it does.
    pub(crate) operation: Operation,
    /// The write. It fails if the item no longer refers to the target.
    pub(crate) write: Write,
    /// Additional checks of other items.
    pub(crate) checks: Vec<AnyOf>,
    /// What it changes, in the syntax of an update expression.
    pub(crate) detail: Option<String>,
}

impl Repair {
    /// The write of this item, made or planned.
    pub(crate) fn item_write(&self, item: ItemName) -> ItemWrite {
        ItemWrite { operation: self.operation, item, detail: self.detail.clone() }
    }
}

/// Why an item cannot be repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoRepair {
    /// It does not refer to the target.
    NotReferring,
    /// It refers to the target, but this obstacle prevents its repair.
    Impossible(Obstacle),
}

/// Returns the repair of an item, computed from its image when it was read.
pub(crate) fn repair(
    rules: &Rules,
    rule: ReferenceId,
    remedy: Remedy,
    (key, item): (&Key<'_>, &Item<'_>),
    target: &Key<'_>,
    now_ms: i64,
) -> Result<Repair, NoRepair> {
    let reference = &rules[rule];
    let from = &rules[reference.from];
    let captures =
        from.key.parse(key).filter(|_| from.admits(item)).ok_or(NoRepair::NotReferring)?;
    let grounds =
        grounds(rules, reference, &captures, item, target).ok_or(NoRepair::NotReferring)?;
    let mut checks = Vec::new();
    let derived: Vec<_> = derived_attributes(rules, reference, item, target).collect();
    let mut clauses = Vec::new();
    match remedy {
        Remedy::Delete => {}
        Remedy::Unset => {
            clauses = unset(reference, &grounds);
            let remove = |derived: &Derived| Clause::Remove(Path::attribute(&derived.attribute));
            clauses.extend(derived.iter().copied().map(remove));
        }
        Remedy::SetDefault => {
            let default = default_target(rules, reference, &captures, item);
            let default = default
                .filter(|default| default != target)
                .ok_or(NoRepair::Impossible(Obstacle::ReplacementMissing))?;
            let present = present(rules, rule, &default, (from.table, key, item), now_ms);
            if present.as_ref().is_some_and(AnyOf::is_impossible) {
                return Err(NoRepair::Impossible(Obstacle::ReplacementMissing));
            }
            clauses = set_default(reference, &grounds);
            clauses.extend(derived.iter().filter_map(|derived| {
                let value = derived_value(rules, reference, derived, &default)?;
                Some(Clause::Set(Path::attribute(&derived.attribute), value))
            }));
            checks.extend(present);
        }
    }
    let key = rules.key_schema(reference.from).item_of(key);
    let (operation, action, detail) = match remedy {
        Remedy::Delete => (Operation::Delete, Action::Delete(key), None),
        Remedy::Unset | Remedy::SetDefault => update(key, clauses),
    };
    let mut condition = still_refers(rules, reference.from, &grounds);
    if let Some(elements) = grounds.elements.as_ref().filter(|it| must_be_unchanged(remedy, it)) {
        let whole =
            Condition::Compare(elements.path.clone(), Operand::Equal, elements.whole.clone());
        condition = Condition::All(vec![condition, whole]);
    }
    let unchanged: Vec<_> = derived.iter().filter_map(|derived| unchanged(derived, item)).collect();
    if remedy != Remedy::Delete && !unchanged.is_empty() {
        condition = Condition::All([vec![condition], unchanged].concat());
    }
    let table = rules.table_of(reference.from).name.clone();
    let write = Write { table, action, condition: Some(condition) };
    Ok(Repair { operation, write, checks, detail })
}

/// The attributes of an item that are derived from its reference to a target.
///
/// An attribute that the rule does not list may have another meaning in some items, so it counts
/// only with the value that the reference makes.
fn derived_attributes<'r>(
    rules: &'r Rules,
    reference: &'r Reference,
    item: &Item<'_>,
    target: &Key<'_>,
) -> impl Iterator<Item = &'r Derived> {
    reference.derived.iter().filter(|derived| {
        item.get(derived.attribute.as_str()).is_some_and(|value| {
            derived.is_listed
                || derived_value(rules, reference, derived, target).as_ref() == Some(value)
        })
    })
}

/// The value of a derived attribute in an item that refers to a target, if it is known.
fn derived_value(
    rules: &Rules,
    reference: &Reference,
    derived: &Derived,
    target: &Key<'_>,
) -> Option<Value<'static>> {
    let key = &rules[reference.to].key;
    let captures = key.parse(target)?;
    let lookup = |name: &str| {
        let index = key.captures().iter().position(|known| known == name)?;
        captures.get(index).cloned().map(KeyValue::into_owned)
    };
    let separator = rules.table_of(reference.from).separator;
    derived.template.as_ref()?.build(separator, &lookup).ok().map(|value| value.to_value())
}

/// The condition that a derived attribute still has the value because of which it counts.
fn unchanged(derived: &Derived, item: &Item<'_>) -> Option<Condition> {
    let value = item.get(derived.attribute.as_str()).filter(|_| !derived.is_listed)?;
    let path = Path::attribute(&derived.attribute);
    Some(Condition::Compare(path, Operand::Equal, value.clone().into_owned()))
}

/// Whether a list or set must not have changed since it was read.
///
/// A set that is written as a whole must not lose elements that were added since. In a list, the
/// same element may have been added again: it would stay, and no later record would report it.
fn must_be_unchanged(remedy: Remedy, elements: &Elements) -> bool {
    match remedy {
        Remedy::Delete => false,
        Remedy::Unset => elements.whole.kind() == Type::L,
        Remedy::SetDefault => true,
    }
}

fn update(key: Item<'static>, clauses: Vec<Clause>) -> (Operation, Action, Option<String>) {
    let detail = clauses.iter().map(expression_of).collect::<Vec<_>>().join(", ");
    (Operation::Update, Action::Update { key, clauses }, Some(detail))
}

/// Formats a clause in the syntax of an update expression.
pub(crate) fn expression_of(clause: &Clause) -> String {
    let json = |value: &Value<'_>| serde_json::to_string(value).unwrap_or_default();
    match clause {
        Clause::Set(path, value) => format!("SET {path} = {}", json(value)),
        Clause::Remove(path) => format!("REMOVE {path}"),
        Clause::Delete(path, value) => format!("DELETE {path} {}", json(value)),
    }
}

/// The key that an item would refer to with the rule's default value.
fn default_target(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    item: &Item<'_>,
) -> Option<Key<'static>> {
    // In a list or set, one element is replaced; the other parts stay.
    let shared = shared_parts(reference, captures, item);
    let parts = reference.components.iter().zip(&shared).zip(&reference.defaults);
    let value = |((component, shared), default): ((&Component, &Part<'_>), &Option<_>)| match shared
    {
        Part::One(value) if !reference.is_changed(component) => Some(value.clone().into_owned()),
        Part::One(_) | Part::Absent | Part::Malformed(_) | Part::OfElement => {
            KeyValue::from_value(default.as_ref()?).map(KeyValue::into_owned)
        }
    };
    let values: Vec<KeyValue<'static>> = parts.map(value).collect::<Option<_>>()?;
    rules[reference.to].key.build(&values).ok()
}

fn unset(reference: &Reference, grounds: &Grounds) -> Vec<Clause> {
    let Some(elements) = &grounds.elements else {
        return grounds.attributes.iter().map(|(path, _)| Clause::Remove(path.clone())).collect();
    };
    if reference.removal == Removal::Element && by_set(elements).is_empty() {
        let chosen = elements.chosen.iter();
        return chosen.map(|element| Clause::Remove(element.path.clone())).collect();
    }
    let sets = by_set(elements).into_iter().filter_map(|(path, whole, chosen, _)| {
        Some(Clause::Delete(path.clone(), subset(whole, &chosen)?))
    });
    sets.chain(in_lists(elements).map(|part| Clause::Remove(part.path.clone()))).collect()
}

/// The parts that are in lists.
fn in_lists(elements: &Elements) -> impl Iterator<Item = &ElementPart> {
    let parts = elements.chosen.iter().flat_map(|chosen| &chosen.parts);
    parts.filter(|part| part.set.is_none())
}

/// For each set: its path, the set, the indexes of the chosen elements, and the component that they
/// are a part of.
fn by_set(elements: &Elements) -> Vec<(&Path, &Value<'static>, Vec<usize>, usize)> {
    let mut sets: Vec<(&Path, &Value<'static>, Vec<usize>, usize)> = Vec::new();
    for part in elements.chosen.iter().flat_map(|chosen| &chosen.parts) {
        let Some((whole, index)) = &part.set else { continue };
        match sets.iter_mut().find(|(path, ..)| **path == part.path) {
            Some((_, _, chosen, _)) => chosen.push(*index),
            None => sets.push((&part.path, whole, vec![*index], part.component)),
        }
    }
    sets
}

/// These elements as a set of the same type; `None` if they are elements of a list.
fn subset(whole: &Value<'static>, chosen: &[usize]) -> Option<Value<'static>> {
    let is_chosen = |index: usize| chosen.contains(&index);
    Some(match whole {
        Value::Ss(set) => Value::Ss(picked(set, is_chosen)),
        Value::Ns(set) => Value::Ns(picked(set, is_chosen)),
        Value::Bs(set) => Value::Bs(picked(set, is_chosen)),
        Value::S(_)
        | Value::N(_)
        | Value::B(_)
        | Value::Bool(_)
        | Value::Null
        | Value::L(_)
        | Value::M(_) => return None,
    })
}

fn picked<T: Clone>(set: &[T], is_picked: impl Fn(usize) -> bool) -> Vec<T> {
    let picked = set.iter().enumerate().filter(|(index, _)| is_picked(*index));
    picked.map(|(_, element)| element.clone()).collect()
}

fn set_default(reference: &Reference, grounds: &Grounds) -> Vec<Clause> {
    let Some(elements) = &grounds.elements else {
        let set = |(path, value): &(Path, Value<'static>)| {
            let mut components = reference.components.iter();
            let component = components.position(|it| it.path() == Some(path))?;
            Some(Clause::Set(path.clone(), with_default(reference, component, value)?))
        };
        return grounds.attributes.iter().filter_map(set).collect();
    };
    let sets = by_set(elements).into_iter().filter_map(|(path, whole, chosen, component)| {
        let default = default_of(reference, component)?;
        Some(Clause::Set(path.clone(), replaced(whole, &chosen, &default)?))
    });
    let set = |part: &ElementPart| {
        let value = with_default(reference, part.component, &part.value)?;
        Some(Clause::Set(part.path.clone(), value))
    };
    sets.chain(in_lists(elements).filter_map(set)).collect()
}

/// The default of a component. A part that occurs twice in a key has one default.
fn default_of(reference: &Reference, component: usize) -> Option<Value<'static>> {
    let same = reference.agreeing.iter().find(|(one, _)| *one == component);
    let component = same.map_or(component, |(_, other)| *other);
    reference.defaults.get(component)?.clone()
}

/// The value of a component's source with the defaults of all parts that it contains.
fn with_default(
    reference: &Reference,
    component: usize,
    value: &Value<'static>,
) -> Option<Value<'static>> {
    let Some(contained) = reference.contained(component) else {
        let path = reference.components.get(component)?.path()?;
        let mut same = (0..reference.components.len()).filter(|index| {
            reference.components.get(*index).and_then(Component::path) == Some(path)
        });
        return same.find_map(|index| default_of(reference, index));
    };
    let text = Key { partition: KeyValue::from_value(value)?, sort: None };
    let mut captures = contained.text.parse(&text)?;
    let source = reference.components.get(component)?;
    for (index, other) in reference.components.iter().enumerate() {
        let capture = reference.contained(index).and_then(|contained| contained.capture);
        let slot = capture.filter(|_| other == source).and_then(|it| captures.get_mut(it));
        if let (Some(slot), Some(default)) = (slot, default_of(reference, index)) {
            *slot = KeyValue::from_value(&default)?.into_owned();
        }
    }
    contained.text.build(&captures).ok().map(|key| key.partition.to_value())
}

/// The set with the default instead of these elements; `None` for a list.
fn replaced(
    whole: &Value<'static>,
    chosen: &[usize],
    default: &Value<'static>,
) -> Option<Value<'static>> {
    let is_kept = |index: usize| !chosen.contains(&index);
    Some(match (whole, default) {
        (Value::Ss(set), Value::S(default)) => Value::Ss(with(picked(set, is_kept), default)),
        (Value::Ns(set), Value::N(default)) => Value::Ns(with(picked(set, is_kept), default)),
        (Value::Bs(set), Value::B(default)) => Value::Bs(with(picked(set, is_kept), default)),
        _ => return None,
    })
}

fn with<T: Clone + Ord>(mut set: Vec<T>, element: &T) -> Vec<T> {
    set.push(element.clone());
    set.sort();
    set.dedup();
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value<'static> {
        serde_json::from_str::<Value<'_>>(json).unwrap().into_owned()
    }

    #[test]
    fn elements_removed_from_a_set_and_added_to_it_keep_its_type() {
        for (kind, [one, two, default]) in [
            ("S", [r#""a""#, r#""b""#, r#""z""#]),
            ("N", [r#""1""#, r#""2""#, r#""9""#]),
            ("B", [r#""AA==""#, r#""AQ==""#, r#""/w==""#]),
        ] {
            let single = |text| value(&format!(r#"{{"{kind}": {text}}}"#));
            let set = |texts: &[&str]| value(&format!(r#"{{"{kind}S": [{}]}}"#, texts.join(", ")));
            let whole = set(&[one, two]);
            let chosen = [1];
            assert_eq!(subset(&whole, &chosen), Some(set(&[two])));
            assert_eq!(replaced(&whole, &chosen, &single(default)), Some(set(&[one, default])));
            // The set may already contain the default, before or after the other elements.
            assert_eq!(replaced(&whole, &chosen, &single(one)), Some(set(&[one])));
            let last = set(&[two, default]);
            let chosen = [1];
            assert_eq!(replaced(&last, &chosen, &single(one)), Some(set(&[one, two])));
        }
        let list = value(r#"{"L": [{"S": "a"}]}"#);
        assert_eq!(subset(&list, &[0]), None);
        assert_eq!(replaced(&list, &[], &value(r#"{"S": "a"}"#)), None);
    }
}
