//! Re-checks: suspects that wait for the end of their grace period on a queue, so that the records
//! after them need not wait.
//!
//! `send` puts suspects into messages, `message` is their format, and `judge` makes suspects of a
//! message again. What happens to a suspect after its grace period does not depend on where it
//! waited.

mod judge;
mod message;
mod send;
#[cfg(test)]
mod tests;

pub(super) use judge::Received;
pub use judge::{Dropped, RecheckError, Rechecked};
pub(super) use message::Message;
pub(super) use send::send;
