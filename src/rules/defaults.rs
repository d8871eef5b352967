//! The defaults of the keys of a rule file.
//!
//! The model, the manual and the JSON Schema all use these constants, so they always agree.

use std::time::Duration;

use super::model::{
    Copied, Expired, Matching, Mode, OnDelete, OnMirrorDelete, OnMirrorEdit, OnMissing, Removal,
    Severity,
};
use super::template::Separator;

/// `separator` of a table.
pub(super) const SEPARATOR: Separator = Separator::of('#');

/// `match` of a reference.
pub(super) const MATCHING: Matching = Matching::Simple;
/// `required` of a reference.
pub(super) const REQUIRED: bool = false;
/// `expired` of a reference.
pub(super) const EXPIRED: Expired = Expired::Present;
/// `on_missing` of a reference.
pub(super) const ON_MISSING: OnMissing = OnMissing::Report;
/// `on_delete` of a reference.
pub(super) const ON_DELETE: OnDelete = OnDelete::Report;
/// `unset` of a reference into a list of maps. A removed element would take other data with it.
pub(super) const REMOVAL: Removal = Removal::Field;
/// `grace` of a reference.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// `max_fanout` of a reference.
pub(super) const FANOUT_MAX: u64 = 10_000;
/// `max_depth` of a reference. `InnoDB` has the same limit for nested cascades.
/// <https://dev.mysql.com/doc/refman/8.4/en/create-table-foreign-keys.html>
pub(super) const DEPTH_MAX: u64 = 15;

/// `copy` of a mirror.
pub(super) const COPY: Copied = Copied::All;
/// `on_mirror_delete` of a mirror.
pub(super) const ON_MIRROR_DELETE: OnMirrorDelete = OnMirrorDelete::Restore;
/// `on_mirror_edit` of a mirror.
pub(super) const ON_MIRROR_EDIT: OnMirrorEdit = OnMirrorEdit::Overwrite;
/// `adopt` of a mirror.
pub(super) const ADOPT: bool = false;

/// `mode` of a reference or a mirror.
pub(super) const MODE: Mode = Mode::Enforce;
/// `severity` of a reference or a mirror.
pub(super) const SEVERITY: Severity = Severity::Error;
