//! Key templates: `company#{company}` builds keys and takes them apart.

mod key;
mod overlap;
mod text;

pub use key::{BuildError, Captures, EntityKey, KeyTemplate};
pub use text::{Part, Template, TemplateError, TemplateErrorKind};
