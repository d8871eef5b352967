//! The rule file: its language, its diagnostics, and the model that the engine runs on.

pub mod matcher;
pub mod model;
pub mod template;
