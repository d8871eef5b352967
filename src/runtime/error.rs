//! The error that ends a run.

/// An error that redelivery cannot fix: an operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(pub String);
