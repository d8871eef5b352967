//! The time as text.

/// A time in milliseconds since 1970 as UTC, to the second: `2026-11-20T08:00:00Z`.
pub(super) fn utc(time_ms: i64) -> String {
    const DAY_S: i64 = 86_400;
    let seconds = time_ms.div_euclid(1_000);
    let (year, month, day) = date(seconds.div_euclid(DAY_S));
    let of_day = seconds.rem_euclid(DAY_S);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date of a day, counted from 1970-01-01.
///
/// The calendar repeats every 400 years, which have 146,097 days. A year is counted from March, so
/// that the leap day is its last day.
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
const fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let (month, year) = if is_next_year { (month - 9, year + 1) } else { (month + 3, year) };
    (year + era * 400, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        for (time_ms, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_800_000, "2000-03-01T00:00:00Z"),
            (1_763_625_600_000, "2025-11-20T08:00:00Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(time_ms), expected);
        }
    }
}
