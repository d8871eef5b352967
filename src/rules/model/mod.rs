//! The checked rules: every name is resolved, and the types agree.
//!
//! Invariant: a [`Rules`] value is sound. Ids are indexes into its vectors, an entity's key has the
//! shape of its table's key, and a reference has a component for each capture of its target's key.

mod alternative;
mod condition;
mod entity;
mod ids;
mod mirror;
mod mode;
mod reference;
mod rules;
mod table;
mod view;

pub use alternative::{Alternative, Discriminator, OtherKey, OtherPart, OtherTarget};
pub use condition::{Choice, Comparison, Test, TimeFormat, When};
pub use entity::Entity;
pub use ids::{EntityId, MirrorId, ReferenceId, TableId};
pub use mirror::{Copied, Mirror, MirrorPart, OnMirrorDelete, OnMirrorEdit};
pub use mode::{Mode, Severity};
pub use reference::{
    Component, Contained, Derived, Expired, Find, Matching, OnDelete, OnMissing, Reference, Removal,
};
pub use rules::Rules;
pub use table::{Table, TableIndex};
pub use view::View;
