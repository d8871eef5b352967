//! Exports of several tables whose times differ.

use std::fmt;

use super::table::Opened;
use crate::data::{Distance, Timestamp};

/// Exports of tables at different times. References between such tables may be reported although
/// they are intact: what was written or deleted between the two times is in one export only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skew {
    earliest: (String, Timestamp),
    latest: (String, Timestamp),
}

/// The largest difference between the times of these exports; `None` if there is none.
#[must_use]
pub fn skew<'t>(tables: impl IntoIterator<Item = &'t Opened>) -> Option<Skew> {
    let mut times: Vec<_> =
        tables.into_iter().map(|table| (table.time(), table.table().to_owned())).collect();
    times.sort_unstable();
    let ((first, earliest), (last, latest)) = (times.first()?.clone(), times.last()?.clone());
    (first < last).then_some(Skew { earliest: (earliest, first), latest: (latest, last) })
}

/// The warning's text and what to do.
impl fmt::Display for Skew {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((earlier, from), (later, to)) = (&self.earliest, &self.latest);
        write!(
            formatter,
            "the export of `{later}` is {} newer than that of `{earlier}` ({to} and {from}); \
             references between them that were written or removed in that time may be reported \
             falsely\n\
             help: export all tables with the same `--export-time`, or add `--confirm`, which reads \
             what looks broken on the live tables",
            Distance(to.ms() - from.ms())
        )
    }
}
