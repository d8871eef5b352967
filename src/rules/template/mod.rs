//! Key templates, such as `company#{company}`, which build and parse keys.

mod attribute;
mod distance;
mod format;
mod key;
#[cfg(test)]
mod laws;
mod overlap;
mod separator;
mod syntax;
mod text;

pub use attribute::{BuildError, KeyTemplate, SortPrefix};
pub use format::{Capture, Case, Format};
pub use key::{Captures, EntityKey};
pub use separator::Separator;
pub use syntax::{TemplateError, TemplateErrorKind};
pub use text::{Part, Template};
