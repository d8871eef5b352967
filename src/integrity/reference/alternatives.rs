//! The alternatives of a rule: to which of its entities a value leads, and which other items would
//! satisfy the reference.

use super::evaluate::{Part, ReferenceState, ReferenceValue, own_values};
use crate::data::{Item, Key, KeyValue};
#[cfg(feature = "cli")]
use crate::integrity::finding::ItemName;
use crate::integrity::finding::{Defect, Shown};
use crate::rules::model::{
    Component, Discriminator, OtherKey, OtherPart, Reference, ReferenceId, Rules,
};

/// Where a value leads, by its discriminator.
pub(super) enum Lead {
    /// To this alternative, which also reports what is wrong with the value.
    Here,
    /// To another one.
    Elsewhere,
    /// To none, which this alternative reports.
    Nowhere(Defect),
}

/// Where a value with these parts leads.
///
/// The first alternative reports a discriminator that is absent, malformed or unknown.
pub(super) fn lead(reference: &Reference, parts: &[Part<'_>]) -> Lead {
    let Some(discriminator) = &reference.alternative.discriminator else { return Lead::Here };
    let is_first = reference.alternative.is_first;
    match parts.get(discriminator.component) {
        Some(Part::One(value)) if *value == discriminator.value => Lead::Here,
        Some(Part::One(value)) if is_first && !discriminator.others.contains(value) => {
            Lead::Nowhere(unknown(reference, discriminator, value))
        }
        Some(Part::Absent | Part::Malformed(_)) if is_first => Lead::Here,
        Some(Part::One(_) | Part::Absent | Part::Malformed(_) | Part::OfElement) | None => {
            Lead::Elsewhere
        }
    }
}

fn unknown(reference: &Reference, discriminator: &Discriminator, value: &KeyValue<'_>) -> Defect {
    let known = std::iter::once(&discriminator.value).chain(&discriminator.others);
    Defect::UnknownDiscriminator {
        path: reference.components.get(discriminator.component).and_then(Component::path).cloned(),
        found: text(value),
        known: known.map(text).collect(),
    }
}

fn text(value: &KeyValue<'_>) -> String {
    match Shown::of(&value.to_value()) {
        Shown::Text(text) => text,
        Shown::Type(kind) => kind.to_string(),
    }
}

/// Removes the values that an earlier alternative of a union has, too.
///
/// A value that leads to no entity is broken, and belongs to the first alternative.
pub(super) fn retain_own(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
    values: &mut Vec<ReferenceValue>,
) {
    let refers = |value: &ReferenceValue| matches!(value.state, ReferenceState::Refers(_));
    let mut is_later = false;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for other in rules.alternatives(reference.alternative.first).map(|(_, other)| other) {
        if other == reference {
            is_later = true;
            continue;
        }
        let mut values = own_values(rules, other, captures, image);
        values.retain(refers);
        if is_later { &mut after } else { &mut before }
            .extend(values.into_iter().map(|it| it.element));
    }
    values.retain(|value| {
        let is_known = |known: &[_]| known.contains(&value.element);
        let is_broken = !refers(value);
        !is_known(&before) && !(is_broken && (!reference.alternative.is_first || is_known(&after)))
    });
}

/// The other items of which one is enough, besides the item with a referenced key.
pub(crate) fn others<'r>(
    rules: &'r Rules,
    rule: ReferenceId,
    key: &'r Key<'_>,
) -> impl Iterator<Item = (ReferenceId, Key<'static>)> + use<'r> {
    let own = &rules[rule];
    let captures = (!own.alternative.others.is_empty()).then(|| rules[own.to].key.parse(key));
    let captures = captures.flatten();
    own.alternative.others.iter().filter_map(move |other| {
        let to = &rules.referenced(other.rule).key;
        let key = match &other.key {
            OtherKey::Same => to.matches(key).then(|| key.clone().into_owned())?,
            OtherKey::Built(parts) => {
                let captures = captures.as_ref()?;
                let part = |part: &OtherPart| match part {
                    OtherPart::Capture(index) => captures.get(*index).cloned(),
                    OtherPart::Constant(value) => Some(value.clone()),
                };
                let values: Vec<_> = parts.iter().map(part).collect::<Option<_>>()?;
                to.build(&values).ok()?
            }
        };
        Some((other.rule, key))
    })
}

/// The items of which one is enough, beginning with that of the referenced key itself.
pub(crate) fn targets<'r>(
    rules: &'r Rules,
    rule: ReferenceId,
    key: &'r Key<'_>,
) -> impl Iterator<Item = (ReferenceId, Key<'static>)> + use<'r> {
    std::iter::once_with(move || (rule, key.clone().into_owned())).chain(others(rules, rule, key))
}

/// The alternatives of the rule with this name that may lead from one item to another; all of them
/// if there are no items.
#[cfg(feature = "cli")]
pub(crate) fn alternatives_of(
    rules: &Rules,
    rule: &str,
    referencing: Option<&ItemName>,
    referenced: Option<&ItemName>,
) -> Vec<ReferenceId> {
    let leads = |id: &ReferenceId| {
        let (from, to) = (rules.referencing(*id), rules.referenced(*id));
        referencing.is_none_or(|item| from.table == item.table)
            && referenced.is_none_or(|item| to.table == item.table && to.key.matches(&item.key))
    };
    rules.references_named(rule).map(|(id, _)| id).filter(leads).collect()
}
