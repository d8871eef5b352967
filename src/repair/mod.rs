//! Repair of tables at rest: from the findings of an audit to a plan that people can review, from
//! the plan to writes, and back.
//!
//! # Layout
//!
//! - `finding_lines`: the output of an audit, line by line. `claim`: a finding in it. `recheck`: whether it still holds.
//! - `action`: what a write does, and why a finding has none. `choice`: another action than the
//!   rule's.
//! - `planned`: a planned write, and the request that makes it on condition that its guard holds.
//!   `guard` describes that condition to people.
//! - `planner`: from findings, and the items as they are now, to planned writes.
//! - `plan_file`: the format of a plan. `checksum`: detects files that are cut off or altered.
//! - `journal`: the items before and after each write, on disk before the write is made.
//! - `reads`, `send`: items by their names, and requests.
//! - `pace`: the rate of writes, and a request to stop.
//! - `apply`, `undo`, `verify`: make the writes of a plan, take them back, and check their items.
//!
//! Everything works on any store. Files are read and written by the caller.

mod action;
mod apply;
mod checksum;
mod choice;
mod claim;
mod finding_lines;
mod guard;
mod journal;
mod pace;
mod plan_file;
mod planned;
mod planner;
mod reads;
mod recheck;
mod send;
mod stopped;
mod undo;
mod verify;

pub use action::{NoAction, RepairAction};
pub use apply::{Applied, apply};
pub use checksum::{Checksum, checksum};
pub use choice::{Choice, choose};
pub use claim::{Claim, Claims};
pub use finding_lines::ClaimError;
pub(crate) use finding_lines::{FindingLines, ItemText};
pub use journal::{
    Entry as JournalEntry, Journal, JournalError, Log, Outcome, State, journal_header,
};
pub use pace::Pace;
pub use plan_file::{Checked, Header, PlanEntries, PlanError, PlanWriter, Planned, check};
pub use planned::{Entry, PlannedWrite, TRANSACTION_FACTOR};
pub use planner::{Options, plan};
pub use stopped::Stopped;
pub use undo::{Undone, undo};
pub use verify::verify;
