//! Repairs: what is done about a reference to an item that does not exist.
//!
//! The writes of a repair have the violation as their condition, so that they fail once it is gone.

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
pub(crate) use conditions::AnyOf;
pub use obstacle::{Obstacle, RevertObstacle};
pub(crate) use operation::ItemWrite;
pub use operation::Operation;
pub(crate) use remedy::{NoRepair, Remedy, Repair};
pub(crate) use restore::{restore, set_back};
pub(crate) use transaction::{GuardedTransaction, Purpose};
