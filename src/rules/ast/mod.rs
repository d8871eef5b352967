//! The declarations of a rule file, typed and with their spans. Names are not resolved yet.
//!
//! What the shape check has reported is absent here, so that the later checks continue with the
//! rest.

mod action;
mod file;
mod read;

pub(crate) use action::ReferentialAction;
pub(crate) use file::{
    CopiedAttributes, DefaultValue, Entity, File, Find, Literal, Mirror, Reference, Table,
};
pub(crate) use read::read;
