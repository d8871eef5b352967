//! The ids of the boxes in the picture. They are the same for the same system, and stay the same
//! when settings change.

pub(super) const FUNCTION: &str = "function";
pub(super) const ALARMS: &str = "alarms";
pub(super) const METRICS: &str = "metrics";
pub(super) const LOG_GROUP: &str = "log_group";
pub(super) const SCHEDULE: &str = "audit_schedule";
pub(super) const STATE_MACHINE: &str = "audit";

pub(super) fn table(name: &str) -> String {
    format!("table:{name}")
}

pub(super) fn mapping(position: usize) -> String {
    format!("mapping:{}", position + 1)
}

pub(super) fn queue(name: &str) -> String {
    format!("queue:{name}")
}

/// What an alarm notifies, or what gets records that are given up.
pub(super) fn target(arn: &str) -> String {
    format!("target:{arn}")
}

/// Another function that reads a stream.
pub(super) fn reader(name: &str) -> String {
    format!("reader:{name}")
}
