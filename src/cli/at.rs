//! `--at`: the time at which items have expired or not.

use crate::data::Timestamp;

/// Reads a time in UTC: milliseconds since 1970.
pub(super) fn time_ms(text: &str) -> Result<i64, String> {
    let time = Timestamp::parse(text).map(Timestamp::ms);
    time.ok_or_else(|| "it must be a time in UTC, such as 2026-11-20T08:00:00Z".to_owned())
}
