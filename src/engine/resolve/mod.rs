//! Writes mirrors, and reports and repairs confirmed violations as their rules say.
//!
//! Each kind of work has its own file. Its [`Cause`](super::event::change::Cause) provides the
//! sequence number for mirror writes, and is passed on to the report.

mod cascade;
mod deletes;
mod marked;
mod mirrors;
mod references;
mod resolved;
mod restore;

pub(crate) use deletes::{DeleteEnd, resolve_deletes};
pub(crate) use marked::resolve_marked;
pub(crate) use mirrors::{correct_mirrors, resolve_mirrors, write_mirrors};
pub(crate) use references::resolve_references;
