//! The rule file: its language, its diagnostics, and the model that the engine runs on.
//!
//! # Layout
//!
//! A rule file's text becomes a tree with places (`file`), which is checked against the language
//! (`language`), read into what it says (`ast`), and resolved into what it means (`resolve`): the
//! [`model`]. Each stage goes on with what the one before could make sense of, so that all
//! problems of a file are found at once.
//!
//! Invariant: nothing here reads a file, the environment or a clock; text goes in, values come out.

mod ast;
pub mod codes;
mod diagnostic;
mod file;
mod language;
pub mod matcher;
pub mod model;
mod places;
mod resolve;
mod span;
pub mod template;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Label, Level};
pub use file::FILE_BYTES_MAX;
#[cfg(feature = "cli")]
pub(crate) use language::did_you_mean;
pub use language::{manual, schema};
pub use model::Rules;
pub use places::Places;
pub use resolve::Environment;
pub use span::{Lines, Position, Span};

use file::Node;

/// A rule file: its name for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSource {
    /// The name that messages show, usually the path.
    pub name: String,
    /// The text.
    pub text: String,
}

impl RuleSource {
    /// A rule file from its bytes, which have to be UTF-8. Of a file that is too long, the bytes
    /// may be cut anywhere beyond [`FILE_BYTES_MAX`].
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(file::too_long());
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            Diagnostic::new(&codes::ENCODING, "the rule file is not UTF-8")
                .note(format!("byte {} is no part of a character", valid + 1))
                .help("save the file as UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Self { name: name.into(), text })
    }
}

/// The diagnostic for a rule file that cannot be read.
#[must_use]
pub fn unreadable(error: &std::io::Error) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(&codes::UNREADABLE, format!("the rule file cannot be read: {error}"));

    if error.kind() == std::io::ErrorKind::NotFound {
        return diagnostic
            .help("`referee init` writes a file to start from; `--rules` names another one");
    }
    diagnostic
}

/// What became of a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The rules, if they can be used.
    pub rules: Option<Rules>,
    /// The problems, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks a rule file. `environment` gives the variables that table names ask for.
///
/// Invariant: there are rules exactly if no diagnostic is an error.
#[must_use]
pub fn load(source: &RuleSource, environment: Environment<'_>) -> Loaded {
    let text = source.text.as_str();
    let mut diagnostics = Vec::new();
    let rules = match file::read(text) {
        Err(problem) => {
            diagnostics.push(problem);
            None
        }
        Ok(root) if root.value == Node::Null => {
            diagnostics.push(
                Diagnostic::new(&codes::EMPTY, "the rule file is empty")
                    .help("`referee init --force` writes a file to start from"),
            );
            None
        }
        Ok(root) => {
            diagnostics.extend(language::check(text, &root));
            // The checks of meaning compare each with each, and count on the limits.
            let limited = diagnostics.iter().all(|diagnostic| diagnostic.code != &codes::LIMIT);
            let file = limited.then(|| ast::read(&root.value));
            file.and_then(|file| resolve::resolve(&file, text, environment, &mut diagnostics))
        }
    };
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span(), diagnostic.code.id));
    let sound = diagnostics.iter().all(|diagnostic| diagnostic.level() == Level::Warning);
    Loaded { rules: rules.filter(|_| sound), diagnostics }
}
