//! Replaces environment variables in values of a rule file.

use super::codes;
use super::diagnostic::Diagnostic;
use super::span::Span;

/// A function that returns the value of an environment variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A problem with a variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum VariableError {
    Unclosed,
    Name(String),
    Unset(String),
}

impl VariableError {
    pub(super) fn diagnostic(self, span: Span) -> Diagnostic {
        match self {
            Self::Unclosed => Diagnostic::new(&codes::VARIABLE, "a `${` is not closed")
                .at(span, "")
                .help("write `${VAR}` or `${VAR:-default}`"),
            Self::Name(name) => {
                Diagnostic::new(&codes::VARIABLE, format!("`{name}` is not a variable's name"))
                    .at(span, "")
                    .help(
                        "write `${VAR}` or `${VAR:-default}`; a variable's name has letters, \
                         digits and `_`",
                    )
            }
            Self::Unset(name) => Diagnostic::new(
                &codes::VARIABLE,
                format!("the environment variable `{name}` is not set"),
            )
            .at(span, "used here")
            .help(format!("set it, or write a default: `${{{name}:-default}}`")),
        }
    }
}

/// Replaces `${VAR}` and `${VAR:-default}` in a text by their values.
pub(super) fn interpolate(
    text: &str,
    environment: Environment<'_>,
) -> Result<String, VariableError> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, after) = after.split_once('}').ok_or(VariableError::Unclosed)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_variable_name(name) {
            return Err(VariableError::Name(name.to_owned()));
        }
        let value = environment(name).filter(|value| !value.is_empty());
        let value = value.or_else(|| default.map(str::to_owned));
        result.push_str(before);
        result.push_str(&value.ok_or_else(|| VariableError::Unset(name.to_owned()))?);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let environment = |name: &str| match name {
            "STAGE" => Some("prod".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let read = |text| interpolate(text, &environment).ok();
        assert_eq!(read("app").as_deref(), Some("app"));
        assert_eq!(read("app-${STAGE}").as_deref(), Some("app-prod"));
        assert_eq!(read("${STAGE}-${OTHER:-x}").as_deref(), Some("prod-x"));
        assert_eq!(read("${EMPTY:-x}").as_deref(), Some("x"));
        assert_eq!(read("${OTHER:-}").as_deref(), Some(""));
        for wrong in ["${OTHER}", "${EMPTY}", "${STAGE", "${}", "${1}", "${a-b}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
