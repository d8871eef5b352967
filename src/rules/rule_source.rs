//! The text of a rule file, before it is parsed.

use super::codes;
use super::diagnostic::Diagnostic;
use super::file::{self, FILE_BYTES_MAX};

/// A rule file: its name for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSource {
    /// The name in messages, usually the path.
    pub name: String,
    /// The text.
    pub text: String,
}

impl RuleSource {
    /// Decodes the bytes of a rule file, which must be UTF-8 and at most [`FILE_BYTES_MAX`] long.
    ///
    /// The length is checked before the bytes are decoded, so the caller may stop reading after
    /// [`FILE_BYTES_MAX`] + 1 bytes.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, Diagnostic> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(file::too_long());
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            Diagnostic::new(&codes::ENCODING, "the rule file is not UTF-8")
                .note(format!("byte {} is not part of a character", valid + 1))
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
        Diagnostic::new(&codes::UNREADABLE, format!("cannot read the rule file: {error}"));
    if error.kind() == std::io::ErrorKind::NotFound {
        return diagnostic
            .help("create one with `referee init`, or name another file with `--rules`");
    }
    diagnostic
}
