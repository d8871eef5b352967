//! The rule file: its language, its diagnostics, and the model that the engine runs on.
//!
//! # Layout
//!
//! The text of a rule file is parsed into a tree of values with their spans (`file`), checked
//! against the language (`language`), read into typed declarations (`ast`), and resolved into the
//! [`model`] (`resolve`). After a problem, each stage continues with the rest of the file, so that
//! all problems are found at once.
//!
//! Invariant: this module does not read files, the environment or a clock. Its input is text, and
//! its output is values.

mod ast;
pub mod codes;
mod defaults;
mod diagnostic;
mod environment;
mod file;
mod language;
mod load;
mod locations;
pub mod matcher;
pub mod model;
#[cfg(any(feature = "cli", feature = "lambda"))]
mod packed;
mod resolve;
mod rule_source;
mod span;
mod spelling;
pub mod template;

pub use codes::{Code, Level};
pub use diagnostic::{Diagnostic, Label};
pub use environment::Environment;
pub use file::FILE_BYTES_MAX;
pub use language::{manual, schema};
pub use load::{Loaded, load};
pub use locations::Locations;
pub use model::Rules;
#[cfg(any(feature = "cli", feature = "lambda"))]
pub use packed::unpack;
pub use rule_source::{RuleSource, unreadable};
pub use span::{Lines, Position, Span};
#[cfg(feature = "cli")]
pub(crate) use spelling::did_you_mean;
