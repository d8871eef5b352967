//! Mirrors: what they must contain, how they are written, and how they are compared with their
//! source.
//!
//! When a source changes, its mirror is written from the record's image, with one write and no
//! read. When a mirror changes, even through Referee's own write, its source is read and any
//! difference is corrected. Mirrors therefore converge in spite of writes that are applied late,
//! and of edits and deletes by others.

mod compare;
mod content;
mod mark;
mod write;

use super::finding::{Defect, Finding, ItemName};
use crate::rules::model::Rules;

pub(crate) use compare::{
    Correction, Difference, Removal, Verdict, assess, compare, compare_at_rest, removal,
};
#[cfg(feature = "cli")]
pub(crate) use compare::{Precondition, Standing};
#[cfg(feature = "cli")]
pub(crate) use content::name_in_mirror;
#[cfg(feature = "cli")]
pub(crate) use content::name_in_source;
pub(crate) use content::{Pair, expected, is_same, is_unchanged};
pub(crate) use mark::Mark;
#[cfg(feature = "cli")]
pub(crate) use mark::{deleting_path, is_of, lowest_fence};
pub(crate) use write::{Step, steps_of_change, steps_of_correction, steps_of_replacement};

/// The minimum time before a mirror that looks wrong is looked at again, in milliseconds. Meanwhile,
/// a source that was deleted and written again rewrites its mirror.
pub(crate) const MIRROR_GRACE_MS: i64 = 2_000;

/// The finding that a mirror is not as its source requires.
pub(crate) fn finding(rules: &Rules, pair: &Pair, defect: Defect) -> Finding {
    let rule = &rules[pair.rule];
    let (mirror, source) = (rules.mirror_of(pair.rule).table, rules.source_of(pair.rule).table);
    Finding {
        rule: rule.name.clone(),
        severity: rule.severity,
        referencing: Some(ItemName { table: mirror, key: pair.mirror.clone() }),
        referenced: Some(ItemName { table: source, key: pair.source.clone() }),
        path: None,
        reference: None,
        defect,
    }
}
