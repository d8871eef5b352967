//! Sequence numbers: what orders the changes of one item.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The digits of the longest sequence number.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>
const DIGITS_MAX: usize = 40;

/// A stream record's sequence number, kept as its text: 40 digits overflow `u128`.
///
/// The order means something between records of one item, or of one shard, only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sequence<'a>(Cow<'a, str>);

impl<'a> Sequence<'a> {
    /// Reads a sequence number; nothing unless it is 1 to 40 digits.
    #[must_use]
    pub fn parse(text: Cow<'a, str>) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && text.len() <= DIGITS_MAX).then_some(Self(text))
    }

    /// The text, to the letter: what a partial batch response must repeat.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The fence that a mirror written for this change carries: padded, so that DynamoDB's
    /// comparison of strings is the comparison of the numbers.
    #[must_use]
    pub fn fence(&self) -> String {
        format!("{:0>DIGITS_MAX$}", self.0)
    }

    /// The same number, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Sequence<'static> {
        Sequence(Cow::Owned(self.0.into_owned()))
    }
}

impl Ord for Sequence<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let significant = |text: &str| text.len() - text.trim_start_matches('0').len();
        let (this, that) = (&self.0[significant(&self.0)..], &other.0[significant(&other.0)..]);
        // Equal numbers with unequal zeros stay distinct, so that the order agrees with `Eq`.
        this.len().cmp(&that.len()).then_with(|| this.cmp(that)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Sequence<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Sequence<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(text: &str) -> Sequence<'_> {
        Sequence::parse(text.into()).unwrap()
    }

    #[test]
    fn numbers_wider_than_u128_are_compared_by_value() {
        let widest = "9".repeat(40);
        assert!(sequence("999999999999999999999") < sequence("1000000000000000000000"));
        assert!(sequence("340282366920938463463374607431768211456") < sequence(&widest));
        assert!(sequence("0009") < sequence("10"));
        assert_eq!(sequence("17").fence().len(), 40);
        assert!(sequence("9").fence() < sequence("10").fence());
    }

    #[test]
    fn only_digits_are_sequence_numbers() {
        for text in ["", "12a", "-1", " 1", &"1".repeat(41)] {
            assert_eq!(Sequence::parse(text.into()), None);
        }
    }
}
