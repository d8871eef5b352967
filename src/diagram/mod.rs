//! Diagrams of rules and of what runs them.
//!
//! # Layout
//!
//! A diagram is first a [`Picture`]: boxes with rows, groups of boxes, and edges with labels.
//! [`er`] makes one from rules.
//! [`mermaid`], [`dot`] and [`svg`] print any picture; the last uses
//! [`layout`]. [`system`] makes one of what is deployed around the function.
//!
//! Invariant: this module does no I/O, and the same input always gives the same diagram.

pub mod dot;
pub mod er;

pub mod layout;
pub mod mermaid;
mod picture;
pub mod svg;
pub mod system;
mod text;

pub(crate) use text::escape;

pub use picture::{Edge, End, Group, Line, Mark, Node, Picture, Row, Status};
