//! Key templates, such as `company#{company}`: they build keys and parse them.

mod attribute;
mod key;
#[cfg(test)]
mod laws;
mod overlap;
mod text;

pub use attribute::{BuildError, KeyTemplate, SortPrefix};
pub use key::{Captures, EntityKey};
pub use text::{Part, Template, TemplateError, TemplateErrorKind};
