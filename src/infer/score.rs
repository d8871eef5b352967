//! How much speaks for a reference, in natural logarithms of odds.

use super::capture::Capture;
use super::complete;
use super::entity::Entity;
use super::field::{Origin, Source};
use super::form::Form;
use super::names::{is_generic_key, is_key_like, is_key_word, stem, words};
use super::probe::{As, Range};
use super::role::{QUANTITIES, ROLES, is_person, is_self, person};

/// What most pairs of a source and an entity are: not a reference.
const PRIOR: f64 = -4.0;
/// The most that values can say for a reference.
const VALUES_MAX: f64 = 9.0;
/// How often a value of a reference is found, in spite of broken ones.
const FOUND: f64 = 0.95;

/// How well the name of a source says that it refers to an entity by a capture: from 0 to 6, or
/// below 0 if it says that it does not.
pub(super) fn name(
    source: &Source,
    from: &Entity,
    to: &Entity,
    capture: &Capture,
    is_same: bool,
) -> f64 {
    let target = stem(&words(&to.name));
    let of_from = stem(&words(&from.name));
    let person = person(&target, capture);
    let mut best: f64 = 0.0;
    for (at, name) in source.names.iter().take(3).enumerate() {
        let all = words(name);
        let own = stem(&all);
        let mut score = of_words(&own, &target).max(of_capture(&all, &own, capture));
        let joined: String = own.concat();
        let last = own.last().map_or("", String::as_str);
        if is_same && is_self(&own, &target) {
            score = score.max(5.5);
        }
        // The key of an agent is not the role of another person.
        let is_own_name = own == of_from;
        let is_role = ROLES.contains(&joined.as_str())
            || own.iter().any(|word| ROLES.contains(&word.as_str()));
        if !is_own_name {
            score = score.max(match (is_role, is_key_like(&all)) {
                (true, true) => person,
                (true, false) => person - 1.0,
                (false, true) if is_person(last) => person - 1.0,
                (false, _) => 0.0,
            });
        }
        // The name of a map around the value tells less.
        best = best.max(
            score - if at > 0 && !matches!(source.origin, Origin::Capture(_)) { 0.5 } else { 0.0 },
        );
        if at == 0
            && score < 3.0
            && own.iter().any(|word| QUANTITIES.contains(&word.as_str()))
            && !is_key_like(&all)
        {
            return -4.0;
        }
    }
    if best < 1.5
        && source.names.first().is_some_and(|name| {
            is_key_like(&words(name)) && words(name).len() > 1 && !is_generic_key(name)
        })
    {
        best = 1.5;
    }
    best
}

/// Whether a source has the name of an entity, rather than that of its key.
pub(super) fn names_entity(source: &Source, to: &Entity) -> bool {
    let target = stem(&words(&to.name));
    source.names.iter().any(|name| of_words(&stem(&words(name)), &target) >= 3.0)
}

/// Whether a text is the name of an entity, or the label of its key.
pub(super) fn is_name_of(text: &str, entity: &Entity) -> bool {
    let own = words(text);
    let labels = entity.key.first().into_iter().flat_map(|it| &it.tokens);
    let labels = labels.map(|it| it.literal.as_str()).filter(|it| it.contains(char::is_alphabetic));
    !own.is_empty() && labels.chain([entity.name.as_str()]).any(|name| words(name) == own)
}

/// Compares words with an entity's name.
fn of_words(own: &[String], target: &[String]) -> f64 {
    if own.is_empty() || target.is_empty() {
        return 0.0;
    }
    if own == target {
        return 6.0;
    }
    let (joined, of_target): (String, String) = (own.concat(), target.concat());
    if joined == of_target {
        return 6.0;
    }
    if own.ends_with(target) || joined.ends_with(&of_target) && of_target.len() >= 4 {
        return 5.0;
    }
    let (Some(last), Some(target_last)) = (own.last(), target.last()) else { return 0.0 };
    if target.len() > 1 && last == target_last {
        return 3.5;
    }
    if own.iter().any(|word| word == target_last) {
        return 3.0;
    }
    if target.len() > 1 && target.first().is_some_and(|first| first == last) {
        return 1.5;
    }
    // Abbreviations: `supp` for `supplier`, `dept` for `department`.
    if is_abbreviation(last, target_last) || is_abbreviation(last, &of_target) {
        return 4.0;
    }
    if own.iter().any(|word| word.len() >= 4 && is_abbreviation(word, target_last)) {
        return 3.0;
    }
    of_label(&of_target, last)
}

/// How well a short label, such as `US` or `u`, stands for a word.
fn of_label(label: &str, word: &str) -> f64 {
    match label.len() {
        1 if word.starts_with(label) => 2.5,
        2.. if is_abbreviation(label, word) || word.starts_with(label) => 3.5,
        _ => 0.0,
    }
}

fn is_abbreviation(short: &str, long: &str) -> bool {
    if short.len() < 3 || long.len() <= short.len() || short.chars().next() != long.chars().next() {
        return false;
    }
    if long.starts_with(short) {
        return true;
    }
    let mut rest = long.chars();
    short.len() <= 5 && short.chars().all(|char| rest.any(|of_long| of_long == char))
}

/// Compares words with a capture: its label, and the attributes that have its value.
fn of_capture(all: &[String], own: &[String], capture: &Capture) -> f64 {
    let mut best: f64 = 0.0;
    let names = capture.label.iter().chain(&capture.same_as).chain(std::iter::once(&capture.name));
    for name in names {
        let of_capture = words(name);
        if is_generic_key(name) {
            continue;
        }
        let is_telling = !of_capture
            .iter()
            .all(|word| is_key_word(word) || word == "name" || word == "value" || word == "item");
        if !is_telling {
            continue;
        }
        if of_capture == *all {
            best = best.max(5.5);
        } else if stem(&of_capture) == *own {
            best = best.max(5.0);
        } else if own.ends_with(&stem(&of_capture)) {
            best = best.max(4.0);
        }
    }
    best
}

/// How well values were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Hits {
    /// The values that were looked up.
    pub(super) tried: usize,
    /// Those that exist.
    pub(super) found: usize,
}

impl Hits {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred values at most")]
    pub(super) fn share(self) -> f64 {
        if self.tried == 0 { 0.0 } else { self.found as f64 / self.tried as f64 }
    }
}

/// What the values say, given how likely they are to be found by chance, and which share of what
/// references mean is there.
#[expect(clippy::cast_precision_loss, reason = "a few hundred values at most")]
pub(super) fn values(hits: Hits, chance: f64, expected: f64) -> f64 {
    let chance = chance.clamp(0.001, 0.94);
    let share = if complete::is_complete(expected) {
        FOUND
    } else {
        // In a sample, a small table may be whole while a large one lacks most of its items.
        let share = hits.share().clamp(expected.max(0.02), FOUND);
        if share <= chance {
            return 0.0;
        }
        share
    };
    let (found, missing) = (hits.found as f64, (hits.tried - hits.found) as f64);
    let odds = found * (share / chance).ln() + missing * ((1.0 - share) / (1.0 - chance)).ln();
    let most = if chance >= 0.45 { 2.5 } else { VALUES_MAX };
    odds.clamp(-30.0, most)
}

/// How likely a value of a source is in the range of a capture by chance.
pub(super) fn chance(
    source: &Source,
    capture: &Capture,
    how: As,
    range: &Range,
    items: u64,
) -> f64 {
    let form = if how == As::Bare { Form::Number } else { source.form };
    let by_form = form.chance();
    match (form, range.bounds) {
        (Form::Number | Form::Padded, Some((low, high))) => {
            density(low, high, items).max(of_few(items)).max(0.02)
        }
        (Form::Number, None) if capture.form != Form::Number => 0.02,
        _ => by_form,
    }
}

/// The chance that is assumed at least: the range of a few numbers says little about others.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn of_few(items: u64) -> f64 {
    1.0 / (items as f64 + 1.0)
}

/// The share of the whole numbers of a range that are keys.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn density(low: i64, high: i64, items: u64) -> f64 {
    let width = high.saturating_sub(low).saturating_add(1).max(1);
    (items as f64 / width as f64).min(1.0)
}

/// What the range of numbers says: keys are referred to from all of their range, quantities from
/// the low end.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn range(source: &Source, range: &Range) -> f64 {
    if !matches!(source.form, Form::Number | Form::Padded) || source.distinct < 3 {
        return 0.0;
    }
    let Some((low, high)) = range.bounds else { return 0.0 };
    let numbers = source.values.keys().filter_map(|value| value.parse::<i64>().ok());
    let Some(largest) = numbers.max() else { return 0.0 };
    let reach = largest.saturating_sub(low) as f64 / (high.saturating_sub(low)).max(1) as f64;
    if reach < 0.5 {
        -3.0
    } else if reach > 0.8 {
        1.5
    } else {
        0.0
    }
}

/// All of it together.
pub(super) fn total(values: f64, name: f64, range: f64) -> f64 {
    // A name that says it leaves little to the range.
    let range = if name >= 4.0 { range.max(-1.0) } else { range };
    PRIOR + values + name + range
}
