//! A log of the repairs that are about to be made.
//!
//! A violation is reported when its batch is done. If the process dies between the write of a repair
//! and that report, the next delivery finds nothing wrong and has nothing to report. So every repair
//! is logged before its write.

use std::fmt;

use crate::integrity::finding::{ItemName, Kind};
use crate::integrity::repair::{ItemWrite, Operation};

/// A log of the repairs that are about to be made.
pub trait RepairLog {
    /// Logs repairs that are about to be made. Their writes begin when this returns, so by then the
    /// log must have what is to survive the process.
    ///
    /// A logged repair may turn out not to be needed, because its write checks the violation again. It
    /// is logged once in a delivery, and once more if its record is delivered again and the violation
    /// still exists.
    fn started(&self, repairs: &[StartedRepair]);
}

impl fmt::Debug for dyn RepairLog + '_ {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RepairLog")
    }
}

/// The log where nobody needs one.
#[derive(Debug, Clone, Copy)]
pub struct NoRepairLog;

impl RepairLog for NoRepairLog {
    fn started(&self, _: &[StartedRepair]) {}
}

/// A violation, named as in the report that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViolationName {
    /// Its id.
    pub id: String,
    /// The rule's name.
    pub rule: String,
    /// Its kind.
    pub kind: Kind,
    /// The sequence number of the record that revealed it; `None` in an audit.
    pub sequence: Option<String>,
}

/// A repair of one item that is about to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedRepair {
    /// The violation that it repairs.
    pub violation: ViolationName,
    /// What it does to the item.
    pub operation: Operation,
    /// The item that it writes.
    pub item: ItemName,
}

impl StartedRepair {
    /// The repair of this violation with this write.
    pub(crate) fn new(violation: &ViolationName, write: ItemWrite) -> Self {
        let ItemWrite { operation, item, .. } = write;
        Self { violation: violation.clone(), operation, item }
    }
}
