//! Discriminators in SQL: which values lead to an alternative of a rule.

use super::expression::{Expr, Function, all, any, call, case, concat};
use super::keys::PartValue;
use crate::data::KeyValue;
use crate::rules::model::{Component, Discriminator, Reference};
use crate::wording;

/// Whether a value leads to this alternative; `None` without a discriminator.
///
/// The first alternative also has the values that lead to none.
pub(super) fn leads(reference: &Reference, values: &[PartValue]) -> Option<Expr> {
    let (discriminator, found) = found(reference, values)?;
    if !reference.alternative.is_first {
        return Some(found.equals(Expr::text(text(&discriminator.value))));
    }
    let others: Vec<_> = discriminator.others.iter().map(text).collect();
    if others.is_empty() {
        return Some(Expr::Bool(true));
    }
    let is_other = Expr::OneOf(Box::new(found.clone()), others);
    Some(any([found.is_null(), is_other.not()]))
}

/// The problem that a value leads to no alternative, which the first one reports.
pub(super) fn problems(reference: &Reference, values: &[PartValue]) -> Vec<(Expr, Expr)> {
    let Some((discriminator, found)) =
        found(reference, values).filter(|_| reference.alternative.is_first)
    else {
        return Vec::new();
    };
    let known = std::iter::once(&discriminator.value).chain(&discriminator.others);
    let known: Vec<_> = known.map(text).collect();
    let is_known = Expr::OneOf(Box::new(found.clone()), known.clone());
    let component = reference.components.get(discriminator.component);
    let path = component.and_then(Component::path);
    let words = |meant: Option<&str>| {
        let [before, after] = wording::unknown_value(path, &known, meant);
        concat([Expr::text(before), found.clone(), Expr::text(after)])
    };
    let meant = known.iter().map(|value| {
        let lower = call(Function::Lower, [found.clone()]);
        (lower.equals(Expr::text(value.to_lowercase())), words(Some(value)))
    });
    vec![(all([found.clone().is_present(), is_known.not()]), case(meant, words(None)))]
}

fn found<'r>(reference: &'r Reference, values: &[PartValue]) -> Option<(&'r Discriminator, Expr)> {
    let discriminator = reference.alternative.discriminator.as_ref()?;
    Some((discriminator, values.get(discriminator.component)?.text.clone()))
}

fn text(value: &KeyValue<'static>) -> String {
    match value {
        KeyValue::S(text) => text.to_string(),
        KeyValue::N(number) => number.to_string(),
        // A discriminator is no binary.
        KeyValue::B(_) => String::new(),
    }
}
