//! DynamoDB's numbers: decimals of up to 38 significant digits, stored as text.
//!
//! They are never converted to `f64`, which would round them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The maximum number of significant digits.
const DIGITS_MAX: usize = 38;
/// The maximum power of ten of a number's leading digit.
const EXPONENT_MAX: i64 = 125;
/// The minimum power of ten of a number's leading digit.
const EXPONENT_MIN: i64 = -130;

/// A number, stored as its canonical decimal text, so that equal numbers have equal texts.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number<'a>(Cow<'a, str>);

/// The reason why a text is not a valid number in DynamoDB.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("`{0}` is not a number")]
    Syntax(String),
    /// The number has more than 38 significant digits.
    #[error("`{0}` has {1} significant digits; DynamoDB allows {DIGITS_MAX}")]
    Precision(String, usize),
    /// The number is outside ±1E-130 … ±9.99E+125.
    #[error("`{0}` is outside the range of DynamoDB's numbers (1E-130 to 9.99E+125)")]
    Magnitude(String),
}

impl<'a> Number<'a> {
    /// Zero.
    pub const ZERO: Self = Self(Cow::Borrowed("0"));

    /// Parses a number. If the text is already canonical, it is not copied.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, NumberError> {
        let text = text.into();
        if is_short_integer(&text) {
            return Ok(Self(text));
        }
        let canonical = Decimal::read(&text)?.canonical();
        Ok(Self(if *canonical == *text { text } else { Cow::Owned(canonical) }))
    }

    /// The canonical text, without an exponent or superfluous zeros.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A copy that borrows from this number.
    #[must_use]
    pub fn as_borrowed(&self) -> Number<'_> {
        Number(Cow::Borrowed(&self.0))
    }

    /// An owned copy of the number.
    #[must_use]
    pub fn into_owned(self) -> Number<'static> {
        Number(Cow::Owned(self.0.into_owned()))
    }

    /// The count of significant digits, which determines the size of the number in storage.
    #[must_use]
    pub fn significant_digits(&self) -> usize {
        let digits: String = self.0.chars().filter(char::is_ascii_digit).collect();
        digits.trim_matches('0').len()
    }

    /// Whether the number is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// The parts of the number: whether it is negative, its integer digits and its fractional
    /// digits.
    fn parts(&self) -> (bool, &str, &str) {
        let magnitude = self.0.trim_start_matches('-');
        let (integer, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        (self.is_negative(), integer, fraction)
    }
}

impl From<i64> for Number<'_> {
    fn from(integer: i64) -> Self {
        Self(Cow::Owned(integer.to_string()))
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (negative, integer, fraction) = self.parts();
        let (other_negative, other_integer, other_fraction) = other.parts();
        let magnitude = || {
            integer
                .len()
                .cmp(&other_integer.len())
                .then_with(|| integer.cmp(other_integer))
                .then_with(|| fraction.cmp(other_fraction))
        };
        match (negative, other_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
        }
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether the text is a plain integer and therefore already canonical. This is the fast path for
/// the common case.
fn is_short_integer(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] | [b'-', b'1'..=b'9', rest @ ..] => {
            rest.len() < DIGITS_MAX && rest.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// A parsed number: `±0.DIGITS × 10^point`, without leading or trailing zeros.
struct Decimal {
    negative: bool,
    digits: String,
    point: i64,
}

impl Decimal {
    fn read(text: &str) -> Result<Self, NumberError> {
        let shown = || text.chars().take(60).collect::<String>();
        let syntax = || NumberError::Syntax(shown());
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.parse::<i32>().map_err(|_| syntax())?.into())
            }
            None => (text, 0_i64),
        };
        let negative = mantissa.starts_with('-');
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{integer}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(syntax());
        }
        let leading = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0').to_owned();
        if digits.is_empty() {
            return Ok(Self { negative: false, digits, point: 0 });
        }
        if digits.len() > DIGITS_MAX {
            return Err(NumberError::Precision(shown(), digits.len()));
        }
        let point = length(integer) - length(&all[..leading]) + exponent;
        if !(EXPONENT_MIN..=EXPONENT_MAX).contains(&(point - 1)) {
            return Err(NumberError::Magnitude(shown()));
        }
        Ok(Self { negative, digits, point })
    }

    fn canonical(&self) -> String {
        if self.digits.is_empty() {
            return "0".to_owned();
        }
        let sign = if self.negative { "-" } else { "" };
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let length = length(&self.digits);
        if self.point <= 0 {
            format!("{sign}0.{}{}", zeros(-self.point), self.digits)
        } else if self.point >= length {
            format!("{sign}{}{}", self.digits, zeros(self.point - length))
        } else {
            let (integer, fraction) =
                self.digits.split_at(usize::try_from(self.point).unwrap_or(0));
            format!("{sign}{integer}.{fraction}")
        }
    }
}

/// The length of a text as a signed integer, for arithmetic with exponents.
fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        Number::parse(text).unwrap().to_string()
    }

    #[test]
    fn equal_numbers_have_equal_texts() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.000", "0"),
            ("007", "7"),
            ("+7", "7"),
            ("1.50", "1.5"),
            ("1e2", "100"),
            ("1.25E+1", "12.5"),
            ("-1E-3", "-0.001"),
            ("100", "100"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_that_dynamodb_rejects_are_rejected() {
        let forty = "1234567890123456789012345678901234567890";
        assert_eq!(
            Number::parse(&forty[..39]),
            Err(NumberError::Precision(forty[..39].into(), 39))
        );
        for text in ["", "-", ".", "1,5", "0x10", "NaN", "1e", "--1", "1e99999999999"] {
            assert_eq!(Number::parse(text), Err(NumberError::Syntax(text.into())));
        }
        for text in ["1e126", "-1e126", "1e-131"] {
            assert_eq!(Number::parse(text), Err(NumberError::Magnitude(text.into())));
        }
        assert!(Number::parse("9.9999999999999999999999999999999999999e125").is_ok());
        assert!(Number::parse("1e-130").is_ok());
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let mut numbers: Vec<_> =
            ["10", "9", "-10", "-9", "0", "0.5", "0.05", "-0.5", "10.01", "100"]
                .map(|text| Number::parse(text).unwrap())
                .into();
        numbers.sort();
        let texts: Vec<_> = numbers.iter().map(Number::as_str).collect();
        assert_eq!(texts, ["-10", "-9", "-0.5", "0", "0.05", "0.5", "9", "10", "10.01", "100"]);
    }
}
