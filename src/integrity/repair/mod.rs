//! Repairs: what is done about a reference to what does not exist, each as writes that restate the
//! violation, so that they cannot be made once it is gone.

mod cascade_mark;
mod case;
mod conditions;
mod remedy;
mod restore;
mod revert;
mod transaction;

pub(crate) use cascade_mark::{Doom, spare};
pub(crate) use case::{Case, Cure};
pub(crate) use remedy::{NoRepair, Remedy, Repair};
pub(crate) use restore::restore;
pub(crate) use transaction::{Page, Role};
