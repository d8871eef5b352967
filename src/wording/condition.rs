//! Conditions of `where` in words.

use super::stray::{shown, value};
use crate::integrity::finding::Unmet;
use crate::rules::model::{Choice, Comparison, Test, TimeFormat, When};

/// What a test requires of a value, as the rest of a sentence that begins with `the value is`.
#[must_use]
pub fn test(test: &Test) -> String {
    match test {
        Test::OneOf(Choice { values, absent: true }) if values.is_empty() => "absent".to_owned(),
        Test::NoneOf(Choice { values, absent: true }) if values.is_empty() => "present".to_owned(),
        Test::OneOf(choice) => joined(choice, "or"),
        Test::NoneOf(choice) => format!("other than {}", joined(choice, "and")),
        Test::Compare(comparison, literal) => {
            let than = match comparison {
                Comparison::Less => "less than",
                Comparison::LessOrEqual => "at most",
                Comparison::Greater => "greater than",
                Comparison::GreaterOrEqual => "at least",
            };
            format!("{than} {}", value(literal))
        }
        Test::Time(when, format) => {
            let when = match when {
                When::Before => "before",
                When::After => "after",
            };
            let format = match format {
                TimeFormat::Seconds => "in seconds since 1970",
                TimeFormat::Milliseconds => "in milliseconds since 1970",
                TimeFormat::Text => "in ISO 8601",
            };
            format!("a time {when} now, {format}")
        }
    }
}

/// The choices of a test: `A`, `B` or absent.
fn joined(choice: &Choice, conjunction: &str) -> String {
    let absent = choice.absent.then(|| "absent".to_owned());
    let all: Vec<String> = choice.values.iter().map(value).chain(absent).collect();
    match all.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}

/// Why an item is not one of an entity.
pub(super) fn unmet(Unmet { path, found }: &Unmet) -> String {
    let found = found.as_ref().map_or_else(|| "absent".to_owned(), shown);
    format!("`{path}` is {found}")
}
