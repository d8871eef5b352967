//! The reserved attribute in which Referee stores what it must know about an item that it wrote.

/// The attribute's name. Its value is a map, in mirrors and in items that a cascade will delete.
pub const MARK: &str = "_referee";
