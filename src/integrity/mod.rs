//! What the rules say of items, as pure functions: what refers to what, what should exist, what is
//! wrong, and which write fixes it.

pub mod change;
pub mod finding;
pub(crate) mod index;
pub mod inspect;
pub(crate) mod mirror;
pub(crate) mod presence;
pub(crate) mod reference;
pub(crate) mod repair;
