//! The declarations of a rule file, typed and with their spans. Names are not resolved yet.
//!
//! Values that the shape check has rejected are omitted, so that the later checks can continue with
//! the remaining ones.

mod action;
mod alternatives;
mod condition;
mod file;
mod placement;
mod read;

pub(crate) use action::ReferentialAction;
pub(crate) use alternatives::{IndexTarget, Target};
pub(crate) use condition::{Allowed, Test};
pub(crate) use file::{
    CopiedAttributes, DefaultValue, Entity, File, Find, Literal, Mirror, Reference, Table,
};
pub(crate) use placement::{Misplaced, Placement, Tables};
pub(crate) use read::read;
