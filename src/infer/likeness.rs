//! How alike items are, and what their values begin with.

use std::collections::BTreeSet;

use super::form::Form;
use super::probe::bare;
use crate::data::Value;

/// The signs at which a constant text before a value may end.
pub(super) const SIGNS: [char; 8] = ['_', '-', '=', '.', ':', '/', '|', '~'];

pub(super) fn is_root(text: &str) -> bool {
    super::names::is_root_word(text) || text.chars().all(|char| !char.is_lowercase())
}

/// Whether two sets of attributes are about the same.
pub(super) fn are_similar(one: &BTreeSet<&str>, other: &BTreeSet<&str>) -> bool {
    let both = one.intersection(other).count();
    let all = one.union(other).count();
    all == 0 || both * 10 >= all * 7
}

/// What a kind has in common, and its number of items.
pub(super) type Common<'s> = (&'s (BTreeSet<&'s str>, BTreeSet<Vec<&'s str>>), &'s usize);

/// Whether the attributes of two kinds differ by more than an optional attribute, which all of a few
/// items may have or lack by chance.
pub(super) fn differ(((one, _), size): Common<'_>, ((other, _), of_other): Common<'_>) -> bool {
    let is_sure = *size.min(of_other) >= 5 || one.symmetric_difference(other).count() >= 2;
    is_sure && !are_similar(one, other)
}

/// Whether the values of a token occur with the same kinds, as tenants do.
pub(super) fn shares_kinds(signatures: &[(BTreeSet<&str>, BTreeSet<Vec<&str>>)]) -> bool {
    let Some(((_, first), rest)) = signatures.split_first() else { return false };
    rest.iter().all(|(_, kinds)| kinds.intersection(first).count() * 2 > kinds.len())
}

/// The text that all values begin with, up to the last sign in it.
pub(super) fn common_prefix<'v>(values: &BTreeSet<&'v str>) -> &'v str {
    let (Some(first), Some(last)) = (values.first(), values.last()) else { return "" };
    if values.len() < 2
        || values.iter().any(|value| matches!(Form::of(value), Form::Uuid | Form::Date))
    {
        return "";
    }
    let common = first.bytes().zip(last.bytes()).take_while(|(one, other)| one == other).count();
    let Some(common) = first.get(..common) else { return "" };
    let end = common.rfind(SIGNS).map_or(0, |at| at + 1);
    let prefix = common.get(..end).unwrap_or("");
    let is_word = prefix.chars().filter(|char| char.is_alphabetic()).count() >= 1
        && !prefix.chars().any(|char| char.is_ascii_digit());
    if is_word && values.iter().all(|value| value.len() > end) { prefix } else { "" }
}

/// Whether an attribute has the value of a token, which may have leading zeros.
pub(super) fn holds(value: &Value<'_>, token: &str) -> bool {
    match value {
        Value::S(text) => text == token,
        Value::N(number) => number.as_str() == bare(token),
        Value::B(_)
        | Value::Bool(_)
        | Value::Null
        | Value::Ss(_)
        | Value::Ns(_)
        | Value::Bs(_)
        | Value::L(_)
        | Value::M(_) => false,
    }
}
