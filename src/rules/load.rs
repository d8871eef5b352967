//! Loads a rule file: runs all stages, from the text to the model.

use super::codes::{self, Level};
use super::diagnostic::Diagnostic;
use super::environment::Environment;
use super::file::Node;
use super::model::Rules;
use super::rule_source::RuleSource;
use super::{ast, file, language, resolve};

/// The result of loading a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The rules; `None` if a diagnostic is an error.
    pub rules: Option<Rules>,
    /// The problems, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks a rule file. `environment` returns the values of the variables.
///
/// Invariant: [`Loaded::rules`] is `Some` if and only if no diagnostic is an error.
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
        Ok(mut root) => {
            diagnostics.extend(language::insert_variables(&mut root, environment));
            diagnostics.extend(language::check(text, &root));
            // The next checks compare all entities and all rules in pairs, so they run only on
            // files within the limits.
            let is_limited = diagnostics.iter().all(|diagnostic| diagnostic.code != &codes::LIMIT);
            let file = is_limited.then(|| ast::read(&root.value));
            file.and_then(|file| resolve::resolve(&file, text, environment, &mut diagnostics))
        }
    };
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span(), diagnostic.code.id));
    let diagnostics = distinct(diagnostics);
    let is_sound = diagnostics.iter().all(|diagnostic| diagnostic.level() == Level::Warning);
    Loaded { rules: rules.filter(|_| is_sound), diagnostics }
}

/// Leaves out repeated problems, because the alternatives of a reference have problems in common.
/// The problems are sorted by span and code.
fn distinct(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut distinct: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for diagnostic in diagnostics {
        let place = |it: &Diagnostic| (it.span(), it.code.id);
        let mut same = distinct.iter().rev().take_while(|it| place(it) == place(&diagnostic));
        if !same.any(|it| *it == diagnostic) {
            distinct.push(diagnostic);
        }
    }
    distinct
}
