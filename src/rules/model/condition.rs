//! Conditions of `where`: what an entity requires of the value at a path.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::data::{KeyValue, Number, Timestamp, Value};

/// A requirement for the value at a path. As in references, a `NULL` counts as no value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// The value is one of these.
    OneOf(Choice),
    /// The value is not among these.
    NoneOf(Choice),
    /// The value compares like this to another one of its type, a text or a number. No value and a
    /// value of another type do not.
    Compare(Comparison, Value<'static>),
    /// The value is a point in time before or after now.
    ///
    /// An item meets it or not without any change, and no stream record says so. Therefore, it
    /// decides only whether an item counts as existing for the references to it, and is ignored
    /// everywhere else.
    Time(When, TimeFormat),
}

/// Values, of which one may be that there is no value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Choice {
    /// The values.
    pub values: Vec<Value<'static>>,
    /// Whether no value is one of them.
    pub absent: bool,
}

/// How a value compares to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// It is less.
    Less,
    /// It is less or equal.
    LessOrEqual,
    /// It is greater.
    Greater,
    /// It is greater or equal.
    GreaterOrEqual,
}

/// Whether a time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum When {
    /// It is before now.
    Before,
    /// It is after now.
    After,
}

/// How an attribute stores a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeFormat {
    /// As a number of seconds since 1970.
    Seconds,
    /// As a number of milliseconds since 1970.
    Milliseconds,
    /// As a text in the format of ISO 8601, in UTC: `2026-11-28T08:00:00Z`.
    Text,
}

impl Test {
    /// The test that the value is this one.
    #[must_use]
    pub fn equal(value: Value<'static>) -> Self {
        Self::OneOf(Choice { values: vec![value], absent: false })
    }

    /// Whether the value at the path meets the requirement. [`Test::Time`] counts as met.
    #[must_use]
    pub fn holds(&self, found: Option<&Value<'_>>) -> bool {
        match self {
            Self::OneOf(choice) => choice.contains(found),
            Self::NoneOf(choice) => !choice.contains(found),
            Self::Compare(comparison, value) => comparison.holds(found, value),
            Self::Time(..) => true,
        }
    }

    /// Whether the value meets the requirement at this time, in milliseconds since 1970.
    #[must_use]
    pub fn holds_at(&self, found: Option<&Value<'_>>, now_ms: i64) -> bool {
        match self.at(now_ms) {
            Some((comparison, now)) => comparison.holds(found, &now),
            None => self.holds(found),
        }
    }

    /// The comparison that [`Test::Time`] stands for at this time; `None` for other tests.
    #[must_use]
    pub fn at(&self, now_ms: i64) -> Option<(Comparison, Value<'static>)> {
        let Self::Time(when, format) = self else { return None };
        let comparison = match when {
            When::Before => Comparison::Less,
            When::After => Comparison::Greater,
        };
        Some((comparison, format.value(now_ms)))
    }

    /// The only value that meets the requirement, if there is exactly one.
    #[must_use]
    pub fn literal(&self) -> Option<&Value<'static>> {
        match self {
            Self::OneOf(Choice { values, absent: false }) => match values.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            Self::OneOf(_) | Self::NoneOf(_) | Self::Compare(..) | Self::Time(..) => None,
        }
    }

    /// Whether only an item without a value meets the requirement.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self, Self::OneOf(Choice { values, absent: true }) if values.is_empty())
    }

    /// Whether the requirement depends on the time.
    #[must_use]
    pub const fn is_timed(&self) -> bool {
        matches!(self, Self::Time(..))
    }

    /// Whether no value can meet both requirements.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::OneOf(choice), test) | (test, Self::OneOf(choice)) => choice.is_ruled_out(test),
            (Self::Compare(one, value), Self::Compare(other, other_value)) => {
                match order(value, other_value) {
                    None => true,
                    Some(order) => one.excludes(*other, order),
                }
            }
            (Self::NoneOf(_) | Self::Compare(..) | Self::Time(..), _) => false,
        }
    }
}

impl Choice {
    fn contains(&self, found: Option<&Value<'_>>) -> bool {
        match found {
            None | Some(Value::Null) => self.absent,
            Some(found) => self.values.iter().any(|value| value == found),
        }
    }

    /// Whether no element of the choice meets a requirement.
    fn is_ruled_out(&self, test: &Test) -> bool {
        let elements = self.values.iter().map(Some).chain(self.absent.then_some(None));
        elements.into_iter().all(|element| !test.holds(element))
    }
}

impl Comparison {
    fn holds(self, found: Option<&Value<'_>>, value: &Value<'_>) -> bool {
        let Some(order) = found.and_then(|found| order(found, value)) else { return false };
        match self {
            Self::Less => order == Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
            Self::Greater => order == Ordering::Greater,
            Self::GreaterOrEqual => order != Ordering::Less,
        }
    }

    const fn is_upper_limit(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }

    /// Whether nothing can compare like this to one value and like `other` to another one. The
    /// order is that of the two values.
    fn excludes(self, other: Self, order: Ordering) -> bool {
        let is_apart = match (self.is_upper_limit(), other.is_upper_limit()) {
            (true, false) => order == Ordering::Less,
            (false, true) => order == Ordering::Greater,
            (true, true) | (false, false) => return false,
        };
        let includes_both = matches!(
            (self, other),
            (Self::LessOrEqual, Self::GreaterOrEqual) | (Self::GreaterOrEqual, Self::LessOrEqual)
        );
        is_apart || (order == Ordering::Equal && !includes_both)
    }
}

impl TimeFormat {
    /// A time in this format. As text, it has no fraction and no `Z`, so that texts of the same
    /// second with and without a fraction are after it.
    fn value(self, now_ms: i64) -> Value<'static> {
        let (whole_s, rest_ms) = (now_ms.div_euclid(1_000), now_ms.rem_euclid(1_000));
        match self {
            Self::Milliseconds => Value::N(now_ms.into()),
            Self::Seconds if whole_s < 0 => Value::N(whole_s.into()),
            Self::Seconds => {
                let number = Number::parse(format!("{whole_s}.{rest_ms:03}"));
                Value::N(number.map_or_else(|_| whole_s.into(), Number::into_owned))
            }
            Self::Text => {
                let text = Timestamp::of_ms(whole_s.saturating_mul(1_000)).to_string();
                Value::S(Cow::Owned(text.trim_end_matches('Z').to_owned()))
            }
        }
    }
}

/// The order of two values, as in a key; `None` for types that no key can have.
fn order(found: &Value<'_>, value: &Value<'_>) -> Option<Ordering> {
    let (found, value) = (KeyValue::from_value(found)?, KeyValue::from_value(value)?);
    (found.kind() == value.kind()).then(|| found.cmp(&value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(value: i64) -> Value<'static> {
        Value::N(value.into())
    }

    fn choice(values: &[&str], absent: bool) -> Choice {
        Choice { values: values.iter().map(|text| Value::from(*text)).collect(), absent }
    }

    #[test]
    fn a_null_counts_as_no_value() {
        for found in [None, Some(&Value::Null)] {
            assert!(Test::OneOf(choice(&[], true)).holds(found));
            assert!(Test::OneOf(choice(&["a"], true)).holds(found));
            assert!(!Test::OneOf(choice(&["a"], false)).holds(found));
            assert!(Test::NoneOf(choice(&["a"], false)).holds(found));
            assert!(!Test::NoneOf(choice(&[], true)).holds(found));
            assert!(!Test::Compare(Comparison::Less, number(1)).holds(found));
        }
    }

    #[test]
    fn a_time_is_compared_with_now_in_its_own_format() {
        const NOW_MS: i64 = 1_700_000_000_500;
        let check = |format, found: Value<'static>, is_after: bool| {
            let after = Test::Time(When::After, format).holds_at(Some(&found), NOW_MS);
            let before = Test::Time(When::Before, format).holds_at(Some(&found), NOW_MS);
            assert_eq!((after, before), (is_after, !is_after), "{found:?}");
        };
        check(TimeFormat::Seconds, number(1_700_000_000), false);
        check(TimeFormat::Seconds, number(1_700_000_001), true);
        check(TimeFormat::Milliseconds, number(1_700_000_000_499), false);
        check(TimeFormat::Milliseconds, number(1_700_000_000_501), true);
        check(TimeFormat::Text, "2023-11-14T22:13:19Z".into(), false);
        check(TimeFormat::Text, "2023-11-14T22:13:21.000Z".into(), true);
        check(TimeFormat::Text, "2023-11-14".into(), false);
        let other_type = Some(&Value::Bool(true));
        for when in [When::After, When::Before] {
            assert!(!Test::Time(when, TimeFormat::Seconds).holds_at(other_type, NOW_MS));
            assert!(!Test::Time(when, TimeFormat::Seconds).holds_at(None, NOW_MS));
            assert!(Test::Time(when, TimeFormat::Seconds).holds(None));
        }
    }

    fn any_value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            (0_i64..4).prop_map(number),
            "[ab]".prop_map(|text| Value::S(text.into())),
            any::<bool>().prop_map(Value::Bool),
        ]
    }

    fn any_test() -> impl Strategy<Value = Test> {
        let choice = || {
            (prop::collection::vec(any_value(), 0..3), any::<bool>())
                .prop_map(|(values, absent)| Choice { values, absent })
        };
        let comparison = prop_oneof![
            Just(Comparison::Less),
            Just(Comparison::LessOrEqual),
            Just(Comparison::Greater),
            Just(Comparison::GreaterOrEqual),
        ];
        prop_oneof![
            choice().prop_map(Test::OneOf),
            choice().prop_map(Test::NoneOf),
            (comparison, (0_i64..4).prop_map(number))
                .prop_map(|(comparison, value)| Test::Compare(comparison, value)),
        ]
    }

    proptest! {
        #[test]
        fn no_value_meets_tests_that_exclude_each_other(
            one in any_test(),
            other in any_test(),
            found in prop::option::of(any_value()),
        ) {
            prop_assert_eq!(one.excludes(&other), other.excludes(&one));
            let meets_both = one.holds(found.as_ref()) && other.holds(found.as_ref());
            prop_assert!(!(one.excludes(&other) && meets_both));
        }
    }
}
