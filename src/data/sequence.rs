//! Sequence numbers, which order the changes of one item.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The maximum number of digits of a sequence number.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>
const DIGITS_MAX: usize = 40;
/// The minimum number of digits of a sequence number that DynamoDB writes.
const DIGITS_MIN: usize = 21;

/// A stream record's sequence number, stored as decimal text, because 40 digits would overflow a
/// `u128`.
///
/// Sequence numbers are compared by value and ignore leading zeros. They define the order of the
/// changes of one item. The numbers of different items are not related.
#[derive(Debug, Clone)]
pub struct SequenceNumber<'a>(Cow<'a, str>);

/// A text that is not a sequence number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sequence number of 1 to {DIGITS_MAX} digits")]
pub struct SequenceError(String);

impl<'a> SequenceNumber<'a> {
    /// Parses a sequence number. The text is kept unchanged.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, SequenceError> {
        let text = text.into();
        let is_number = (1..=DIGITS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { Ok(Self(text)) } else { Err(SequenceError(text.chars().take(60).collect())) }
    }

    /// An owned copy of the number.
    #[must_use]
    pub fn into_owned(self) -> SequenceNumber<'static> {
        SequenceNumber(Cow::Owned(self.0.into_owned()))
    }

    /// The number as the fence of a mirror item. It is padded with zeros, so that DynamoDB's
    /// comparison of strings orders fences by their numbers.
    #[must_use]
    pub fn fence(&self) -> String {
        format!("{:0>DIGITS_MAX$}", self.0)
    }

    /// The original text, which a partial batch response must contain unchanged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The next number, with at least as many digits as DynamoDB writes.
    #[must_use]
    pub fn successor(&self) -> SequenceNumber<'static> {
        let kept = self.0.trim_end_matches('9');
        let nines = self.0.len() - kept.len();
        let incremented = match kept.char_indices().next_back() {
            Some((end, digit)) => {
                let digit = digit.to_digit(10).map_or(1, |digit| digit + 1);
                format!("{}{digit}", kept.split_at(end).0)
            }
            None => "1".to_owned(),
        };
        let text = incremented + &"0".repeat(nines);
        SequenceNumber(Cow::Owned(format!("{text:0>DIGITS_MIN$}")))
    }

    /// The digits without leading zeros.
    fn digits(&self) -> &str {
        self.0.trim_start_matches('0')
    }
}

impl Default for SequenceNumber<'_> {
    /// Zero, which is less than the number of any record.
    fn default() -> Self {
        Self(Cow::Owned("0".repeat(DIGITS_MIN)))
    }
}

impl Ord for SequenceNumber<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.digits(), other.digits());
        left.len().cmp(&right.len()).then_with(|| left.cmp(right))
    }
}

impl PartialOrd for SequenceNumber<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SequenceNumber<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SequenceNumber<'_> {}

impl fmt::Display for SequenceNumber<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(text: &str) -> SequenceNumber<'_> {
        SequenceNumber::parse(text).unwrap()
    }

    #[test]
    fn numbers_wider_than_u128_are_ordered_by_value() {
        let nines = "9".repeat(40);
        assert!(sequence("2") < sequence("10"));
        assert!(sequence(&nines[..39]) < sequence(&nines));
        assert_eq!(sequence("007"), sequence("7"));
        assert_ne!(sequence("70"), sequence("7"));
    }

    #[test]
    fn fences_have_the_order_of_their_numbers() {
        assert_eq!(sequence("17").fence().len(), DIGITS_MAX);
        assert!(sequence("9").fence() < sequence("10").fence());
    }

    #[test]
    fn the_successor_is_the_next_number() {
        for (text, expected) in [
            ("0", "000000000000000000001"),
            ("199", "000000000000000000200"),
            ("999999999999999999999", "1000000000000000000000"),
            ("4421584500000000017450439091", "4421584500000000017450439092"),
            ("0000000000000000000000000009", "0000000000000000000000000010"),
        ] {
            assert_eq!(sequence(text).successor().as_str(), expected);
            assert!(sequence(text).successor() > sequence(text));
        }
    }

    #[test]
    fn invalid_sequence_numbers_are_rejected() {
        for text in ["", "-1", "1a", "１", &"1".repeat(41)] {
            assert!(SequenceNumber::parse(text).is_err(), "{text}");
        }
    }
}
