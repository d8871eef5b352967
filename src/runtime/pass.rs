//! The values that every step of one run uses.

use crate::integrity::index::Index;
use crate::rules::model::Rules;
use crate::runtime::repair_log::RepairLog;

/// The rules, the store, the clock and the log of repairs of one run, such as the processing of one
/// batch.
#[derive(Debug)]
pub(crate) struct Pass<'p, S, C> {
    pub(crate) rules: &'p Rules,
    pub(crate) index: &'p Index,
    pub(crate) store: &'p S,
    pub(crate) clock: &'p C,
    pub(crate) repairs: &'p dyn RepairLog,
}

// Derived implementations would require that the store and the clock can be copied, too.
impl<S, C> Clone for Pass<'_, S, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, C> Copy for Pass<'_, S, C> {}
