//! Inserts environment variables into the values that may differ between deployments.

use super::grammar::{Field, Object, Shape};
use super::table::FILE;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::environment::{Environment, interpolate};
use crate::rules::file::{Entry, Node};
use crate::rules::span::Spanned;

/// Replaces the variables in each [`Shape::Setting`] of a rule file.
///
/// An entry with a variable that has no value is removed and reported, so that the next stages do
/// not report it again.
pub(crate) fn insert_variables(
    root: &mut Spanned<Node>,
    environment: Environment<'_>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    object(&FILE, root, environment, &mut problems);
    problems
}

fn object(
    object: &Object,
    node: &mut Spanned<Node>,
    environment: Environment<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    let Node::Map(entries) = &mut node.value else { return };
    entries.retain_mut(|entry| {
        let field = object.fields.iter().find(|field| field.is(&entry.key.value));
        field.is_none_or(|field| keeps(field, entry, environment, problems))
    });
}

/// Replaces the variables in an entry. Returns whether the entry can be read.
fn keeps(
    field: &Field,
    entry: &mut Entry,
    environment: Environment<'_>,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    match (&field.shape, &mut entry.value.value) {
        (Shape::Setting(_), Node::Text(text)) => match interpolate(text, environment) {
            Ok(value) => *text = value,
            Err(error) => {
                problems.push(error.diagnostic(entry.value.span));
                return false;
            }
        },
        (Shape::Map { values: Shape::Object(inner), .. }, Node::Map(entries)) => {
            for entry in entries {
                object(inner, &mut entry.value, environment, problems);
            }
        }
        _ => {}
    }
    true
}
