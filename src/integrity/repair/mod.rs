//! Repairs: what is done about a reference to an item that does not exist.
//!
//! A repair is a set of writes that restate the violation as a condition, so that they cannot be
//! made once the violation is gone.

mod cascade_mark;
mod case;
mod conditions;
mod obstacle;
mod operation;
mod remedy;
mod restore;
mod revert;
mod transaction;

pub(crate) use cascade_mark::{CascadeMark, unmark};
pub(crate) use case::{Case, Fix};
pub use obstacle::{Obstacle, RevertObstacle};
pub(crate) use operation::ItemWrite;
pub use operation::Operation;
pub(crate) use remedy::{NoRepair, Remedy, Repair};
pub(crate) use restore::restore;
pub(crate) use transaction::{GuardedTransaction, Purpose};
