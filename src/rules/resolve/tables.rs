//! Tables: their names in DynamoDB, and their keys.

use super::Environment;
use crate::data::KeySchema;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model;
use crate::rules::span::Span;
use crate::rules::{ast, codes};

/// The attribute that Referee marks its own items with.
pub(super) const RESERVED: &str = "_referee";

pub(super) struct Table<'f> {
    pub(super) ast: &'f ast::Table,
    pub(super) name: Option<String>,
    pub(super) key: Option<KeySchema>,
    pub(super) separator: char,
}

impl Table<'_> {
    pub(super) fn settle(self, indexes: Vec<model::TableIndex>) -> Option<model::Table> {
        Some(model::Table {
            alias: self.ast.alias.value.clone(),
            name: self.name?,
            key: self.key?,
            separator: self.separator,
            indexes,
        })
    }

    pub(super) fn is_key_attribute(&self, name: &str) -> bool {
        self.key.as_ref().is_some_and(|key| key.names().any(|attribute| attribute == name))
    }
}

pub(super) fn resolve<'f>(
    tables: &'f [ast::Table],
    environment: Environment<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Table<'f>> {
    let resolved: Vec<Table<'f>> = tables
        .iter()
        .map(|table| Table {
            ast: table,
            name: name(table, environment, problems),
            key: key(table, problems),
            separator: table.separator.unwrap_or('#'),
        })
        .collect();
    same_names(&resolved, problems);
    resolved
}

fn name(
    table: &ast::Table,
    environment: Environment<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<String> {
    let written = table.name.as_ref().unwrap_or(&table.alias);
    let name = match interpolate(&written.value, environment) {
        Ok(name) => name,
        Err(error) => {
            problems.push(variable(error, written.span));
            return None;
        }
    };
    let named = (3..=255).contains(&name.len())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'));
    if !named {
        let diagnostic =
            Diagnostic::new(&codes::TABLE_NAME, format!("no table of DynamoDB is named `{name}`"))
                .at(written.span, "3 to 255 letters, digits, `_`, `-` and `.`");
        problems.push(match table.name {
            Some(_) => diagnostic,
            None => diagnostic.help("give the table's name in DynamoDB as `name`"),
        });
        return None;
    }
    Some(name)
}

/// What is wrong with the variables in a name.
enum VariableError {
    Unclosed,
    Name(String),
    Unset(String),
}

fn variable(error: VariableError, span: Span) -> Diagnostic {
    match error {
        VariableError::Unclosed => Diagnostic::new(&codes::VARIABLE, "a `${` is never closed")
            .at(span, "")
            .help("write `${VAR}` or `${VAR:-default}`"),
        VariableError::Name(name) => Diagnostic::new(
            &codes::VARIABLE,
            format!("`{name}` is not the name of a variable"),
        )
        .at(span, "")
        .help("write `${VAR}` or `${VAR:-default}`; a variable's name has letters, digits and `_`"),
        VariableError::Unset(name) => Diagnostic::new(
            &codes::VARIABLE,
            format!("the environment variable `{name}` is not set"),
        )
        .at(span, "used here")
        .help(format!("set it, or give a default: `${{{name}:-default}}`")),
    }
}

/// The text with its `${VAR}` and `${VAR:-default}` replaced.
fn interpolate(text: &str, environment: Environment<'_>) -> Result<String, VariableError> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, after) = after.split_once('}').ok_or(VariableError::Unclosed)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let named = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        if !named {
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

fn key(table: &ast::Table, problems: &mut Vec<Diagnostic>) -> Option<KeySchema> {
    for attribute in table.key.iter().filter(|attribute| attribute.value.name == RESERVED) {
        problems.push(reserved(attribute.span));
    }
    match table.key.as_slice() {
        [partition] => Some(KeySchema { partition: partition.value.clone(), sort: None }),
        [partition, sort] if partition.value.name == sort.value.name => {
            problems.push(
                Diagnostic::new(
                    &codes::DUPLICATE,
                    format!("the key has the attribute `{}` twice", sort.value.name),
                )
                .at(sort.span, "again")
                .at(partition.span, "first here"),
            );
            None
        }
        [partition, sort] => {
            Some(KeySchema { partition: partition.value.clone(), sort: Some(sort.value.clone()) })
        }
        _ => None,
    }
}

pub(super) fn reserved(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::RESERVED, format!("the attribute `{RESERVED}` is reserved"))
        .at(span, "Referee's own")
}

fn same_names(tables: &[Table<'_>], problems: &mut Vec<Diagnostic>) {
    for (at, table) in tables.iter().enumerate() {
        let Some(name) = &table.name else { continue };
        let before = tables.iter().take(at).find(|other| other.name.as_ref() == Some(name));
        if let Some(before) = before {
            problems.push(
                Diagnostic::new(
                    &codes::SHARED_NAME,
                    format!("two tables are `{name}` in DynamoDB"),
                )
                .at(table.ast.alias.span, format!("is `{name}` too"))
                .at(before.ast.alias.span, format!("is `{name}`"))
                .help("declare the table once, with the entities of both"),
            );
        }
    }
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
