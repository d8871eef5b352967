//! Key templates: `company#{company}` builds keys and takes them apart.

mod attribute;
mod key;
#[cfg(test)]
mod laws;
mod overlap;
mod text;

pub use attribute::{BuildError, KeyTemplate, SortPrefix};
pub use key::{Captures, EntityKey};
pub use text::{Part, Template, TemplateError, TemplateErrorKind};
