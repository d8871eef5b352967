//! Whether an item meets the `where` conditions of an entity.

use std::cmp::Ordering;

use referee::data::{Item, Timestamp, Value};
use referee::rules::model::{Comparison, Entity, Test, TimeFormat, When};

/// Whether an item meets the conditions, apart from those on the time.
pub(super) fn meets(entity: &Entity, item: &Item<'_>) -> bool {
    entity.conditions.iter().all(|(path, test)| {
        let mut names = path.names();
        let mut found = item.get(names.next().unwrap());
        for name in names {
            found = match found {
                Some(Value::M(map)) => map.get(name),
                _ => None,
            };
        }
        holds(test, found.filter(|value| **value != Value::Null))
    })
}

/// Whether an item meets the conditions on the time.
pub(super) fn is_in_time(entity: &Entity, item: &Item<'_>, now_s: i64) -> bool {
    entity.conditions.iter().all(|(path, test)| {
        let Test::Time(when, format) = test else { return true };
        let Some(value) = path.lookup(item) else { return false };
        let time_s = match (format, value) {
            (TimeFormat::Seconds, Value::N(number)) => number.as_str().parse::<f64>().unwrap(),
            (TimeFormat::Milliseconds, Value::N(number)) => {
                number.as_str().parse::<f64>().unwrap() / 1_000.0
            }
            (TimeFormat::Text, Value::S(text)) => {
                // Texts of the same second, with and without a fraction, are after it.
                let now = Timestamp::of_ms(now_s * 1_000).to_string();
                let order = text.as_bytes().cmp(now.trim_end_matches('Z').as_bytes());
                return match when {
                    When::Before => order == Ordering::Less,
                    When::After => order == Ordering::Greater,
                };
            }
            _ => return false,
        };
        match when {
            When::Before => time_s < seconds(now_s),
            When::After => time_s > seconds(now_s),
        }
    })
}

/// Seconds in the range of the tests.
fn seconds(seconds: i64) -> f64 {
    f64::from(i32::try_from(seconds).unwrap())
}

fn holds(test: &Test, found: Option<&Value<'_>>) -> bool {
    match (test, found) {
        (Test::OneOf(choice), None) => choice.absent,
        (Test::OneOf(choice), Some(found)) => choice.values.iter().any(|it| it == found),
        (Test::NoneOf(choice), None) => !choice.absent,
        (Test::NoneOf(choice), Some(found)) => choice.values.iter().all(|it| it != found),
        (Test::Compare(..), None) => false,
        (Test::Compare(comparison, value), Some(found)) => {
            let order = match (found, value) {
                (Value::S(found), Value::S(value)) => found.as_bytes().cmp(value.as_bytes()),
                (Value::N(found), Value::N(value)) => {
                    let [found, value] =
                        [found, value].map(|number| number.as_str().parse::<f64>().unwrap());
                    found.total_cmp(&value)
                }
                _ => return false,
            };
            match comparison {
                Comparison::Less => order == Ordering::Less,
                Comparison::LessOrEqual => order != Ordering::Greater,
                Comparison::Greater => order == Ordering::Greater,
                Comparison::GreaterOrEqual => order != Ordering::Less,
            }
        }
        (Test::Time(..), _) => true,
    }
}
