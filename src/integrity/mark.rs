//! The reserved attribute in which Referee keeps what it must know of an item it wrote.

/// The attribute's name: a map on a mirror item, or on an item that a cascade is to delete.
pub const MARK: &str = "_referee";
