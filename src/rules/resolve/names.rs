//! Checks names: every name that is used must be declared, and two rules must not have the same
//! name.

use crate::rules::ast::File;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::Spanned;
use crate::rules::spelling::did_you_mean;

/// The diagnostic for a name that is not among the declared ones.
pub(super) fn undeclared(what: &str, name: &Spanned<String>, declared: Vec<&str>) -> Diagnostic {
    Diagnostic::new(&codes::UNDECLARED, format!("there is no {what} `{}`", name.value))
        .at(name.span, "not declared")
        .maybe_help(did_you_mean(&name.value, declared))
}

/// Finds mirrors that have the same name as a reference.
pub(super) fn check_rules(file: &File, problems: &mut Vec<Diagnostic>) {
    for mirror in &file.mirrors {
        let name = &mirror.name;
        let same = file.references.iter().find(|rule| rule.name.value == name.value);
        if let Some(reference) = same {
            problems.push(
                Diagnostic::new(
                    &codes::SHARED_NAME,
                    format!("a reference and a mirror are both named `{}`", name.value),
                )
                .at(name.span, "the mirror")
                .at(reference.name.span, "the reference")
                .help("rename one of them: metrics and logs identify a rule by its name"),
            );
        }
    }
}
