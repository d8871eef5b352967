//! The ids of tables, entities and rules.

/// The index of a table in [`Rules::tables`](super::Rules::tables).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub usize);

/// The index of an entity in [`Rules::entities`](super::Rules::entities).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(pub usize);

/// The index of a reference in [`Rules::references`](super::Rules::references).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceId(pub usize);

/// The index of a mirror in [`Rules::mirrors`](super::Rules::mirrors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MirrorId(pub usize);
