//! Points in time, as AWS writes them: `2026-11-20T08:00:00.000Z`.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer};

const MS_PER_SECOND: i64 = 1_000;
const MS_PER_MINUTE: i64 = 60 * MS_PER_SECOND;
const MS_PER_HOUR: i64 = 60 * MS_PER_MINUTE;
const MS_PER_DAY: i64 = 24 * MS_PER_HOUR;

/// A point in time in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Milliseconds since 1970.
    ms: i64,
}

impl Timestamp {
    /// Reads a time in RFC 3339's format; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T')?;
        let (time, offset_ms) = without_offset(time)?;
        let [year, month, day] = numbers(date, '-')?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
        let [hour, minute, second] = numbers(time, ':')?;
        let is_valid = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60;
        let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
        let fraction_ms = unsigned(&digits)?;
        is_valid.then(|| Self {
            ms: days_since_1970(year, month, day) * MS_PER_DAY
                + hour * MS_PER_HOUR
                + minute * MS_PER_MINUTE
                + second * MS_PER_SECOND
                + fraction_ms
                - offset_ms,
        })
    }

    /// The time at this number of milliseconds since 1970.
    #[must_use]
    pub const fn of_ms(ms: i64) -> Self {
        Self { ms }
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.ms
    }
}

/// In UTC, without a fraction of zero.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of(self.ms.div_euclid(MS_PER_DAY));
        let in_day = self.ms.rem_euclid(MS_PER_DAY);
        let (hour, minute) = (in_day / MS_PER_HOUR, in_day / MS_PER_MINUTE % 60);
        let (second, ms) = (in_day / MS_PER_SECOND % 60, in_day % MS_PER_SECOND);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if ms > 0 {
            write!(formatter, ".{ms:03}")?;
        }
        formatter.write_str("Z")
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a time in UTC")))
    }
}

/// The time between two points, in its two largest units: `3 h 12 min`.
#[cfg(any(feature = "cli", test))]
pub(crate) struct Distance(pub(crate) i64);

#[cfg(any(feature = "cli", test))]
impl fmt::Display for Distance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.abs();
        let units = [
            (MS_PER_DAY, "days"),
            (MS_PER_HOUR, "h"),
            (MS_PER_MINUTE, "min"),
            (MS_PER_SECOND, "s"),
        ];
        let Some(largest) = units.iter().position(|(unit_ms, _)| ms >= *unit_ms) else {
            return write!(formatter, "{ms} ms");
        };
        let mut rest = ms;
        let mut separator = "";
        for (unit_ms, name) in units.iter().skip(largest).take(2) {
            let count = rest / unit_ms;
            rest %= unit_ms;
            if count > 0 {
                let name = if *name == "days" && count == 1 { "day" } else { name };
                write!(formatter, "{separator}{count} {name}")?;
                separator = " ";
            }
        }
        Ok(())
    }
}

/// A time of day without its offset from UTC, and that offset: `Z`, `+01:00` or `-05:30`.
fn without_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let start = time.rfind(['+', '-'])?;
    let (time, offset) = time.split_at_checked(start)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (unsigned(hours)?, unsigned(minutes)?);
    (hours < 24 && minutes < 60)
        .then_some((time, sign * (hours * MS_PER_HOUR + minutes * MS_PER_MINUTE)))
}

/// Three unsigned numbers with a separator.
fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let mut parts = text.split(separator).map(unsigned);
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// At most four digits.
fn unsigned(text: &str) -> Option<i64> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The count of days from 1970-01-01 to a date of the Gregorian calendar.
/// <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last day.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The date that is this count of days after 1970-01-01.
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
const fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.5Z", 500),
            ("2020-11-11T21:33:51.000Z", 1_605_130_431_000),
            ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
            ("2026-11-20T08:00:00.123456Z", 1_795_161_600_123),
            ("2026-11-20T08:00:00+00:00", 1_795_161_600_000),
            ("2026-11-20T09:30:00.5+01:30", 1_795_161_600_500),
            ("2026-11-20T03:00:00-05:00", 1_795_161_600_000),
        ] {
            assert_eq!(Timestamp::parse(text).map(Timestamp::ms), Some(ms), "{text}");
        }
        let written = |text| Timestamp::parse(text).unwrap().to_string();
        assert_eq!(written("2020-11-11T21:33:51.000Z"), "2020-11-11T21:33:51Z");
        assert_eq!(written("2000-02-29T00:00:00.010Z"), "2000-02-29T00:00:00.010Z");
    }

    #[test]
    fn every_day_is_read_as_it_is_written() {
        for day in (-200_000..200_000).step_by(37) {
            let (year, month, day_of_month) = date_of(day);
            assert_eq!(days_since_1970(year, month, day_of_month), day);
        }
    }

    #[test]
    fn other_texts_are_not_times() {
        for text in [
            "",
            "Z",
            "2020-11-11",
            "2020-11-11T21:33:51",
            "2020-11-11T21:33:51+24:00",
            "2020-11-11T21:33:51+01",
            "2020-11-11-01:00",
            "2020-13-11T21:33:51Z",
            "2020-11-11T24:33:51Z",
            "2020-11-11T21:33Z",
            "2020-11-11T21:33:51.xZ",
            "2020-11-11T21:33:51:00Z",
            "+020-11-11T21:33:51Z",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn distances_have_two_units() {
        for (ms, text) in [
            (0, "0 ms"),
            (-999, "999 ms"),
            (61_000, "1 min 1 s"),
            (3 * MS_PER_HOUR + 12 * MS_PER_MINUTE + 5_000, "3 h 12 min"),
            (MS_PER_DAY, "1 day"),
            (2 * MS_PER_DAY + MS_PER_HOUR, "2 days 1 h"),
        ] {
            assert_eq!(Distance(ms).to_string(), text);
        }
    }
}
