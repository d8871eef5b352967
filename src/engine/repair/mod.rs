//! Repairs: what is done about a reference to what does not exist, each as writes that restate the
//! violation, so that they cannot be made once it is gone.

mod case;
mod doomed;
mod guard;
mod page;
mod remedy;
mod restore;
mod revert;

pub(crate) use case::{Case, Cure};
pub(crate) use doomed::{Doom, spare};
pub(crate) use page::{Page, Role};
pub(crate) use remedy::{NoRepair, Remedy, Repair};
pub(crate) use restore::restore;
