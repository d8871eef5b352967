//! What the rules say about items, as pure functions: what refers to what, what should exist, what
//! is wrong, and which write fixes it.
//!
//! Nothing here accesses a stream, a store or a clock, so the engine, `guard` and the command line
//! can all use it.

pub mod change;
pub(crate) mod expiry;
pub mod finding;
pub(crate) mod index;
pub mod inspect;
pub mod mark;
pub(crate) mod membership;
pub(crate) mod mirror;
pub mod nearest;
pub(crate) mod presence;
pub(crate) mod reference;
pub mod repair;
