//! Resolving: mirrors are written, and what was confirmed is reported and repaired as its rule
//! says.
//!
//! One file for each kind of work. All of it carries its [`Cause`](super::event::change::Cause)
//! along to the report, and decides nothing from it.

mod cascade;
mod deletes;
mod marked;
mod mirrors;
mod references;
mod resolved;
mod restore;

pub(crate) use deletes::resolve_deletes;
pub(crate) use marked::resolve_marked;
pub(crate) use mirrors::{correct_mirrors, resolve_mirrors, write_mirrors};
pub(crate) use references::resolve_references;
