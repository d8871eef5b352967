//! Resolves tables: their names in DynamoDB, and their keys.

use crate::data::KeySchema;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::environment::{Environment, interpolate};
use crate::rules::model;
use crate::rules::span::Span;
use crate::rules::template::Separator;
use crate::rules::{ast, codes, defaults};

/// The attribute with which Referee marks the items that it writes.
pub(super) const RESERVED: &str = "_referee";

pub(super) struct Table<'f> {
    pub(super) ast: &'f ast::Table,
    pub(super) name: Option<String>,
    pub(super) key: Option<KeySchema>,
    pub(super) separator: Separator,
}

impl Table<'_> {
    pub(super) fn into_model(self, indexes: Vec<model::TableIndex>) -> Option<model::Table> {
        Some(model::Table {
            alias: self.ast.alias.value.clone(),
            name: self.name?,
            key: self.key?,
            separator: self.separator,
            ttl: self.ast.ttl.as_ref().map(|ttl| ttl.value.clone()),
            region: self.ast.region.as_ref().map(|region| region.value.clone()),
            account: self.ast.account.as_ref().map(|account| account.value.clone()),
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
            separator: table.separator.unwrap_or(defaults::SEPARATOR),
        })
        .collect();
    check_names(&resolved, problems);
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
            problems.push(error.diagnostic(written.span));
            return None;
        }
    };
    let is_table_name = (3..=255).contains(&name.len())
        && name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.'));
    if !is_table_name {
        let diagnostic =
            Diagnostic::new(&codes::TABLE_NAME, format!("`{name}` is not a valid table name"))
                .at(written.span, "must be 3 to 255 letters, digits, `_`, `-` and `.`");
        let of_arn = name.starts_with("arn:").then(|| name.split_once(":table/")).flatten();
        problems.push(match &table.name {
            Some(_) if name.starts_with("arn:") => {
                let short = of_arn.and_then(|(_, rest)| rest.split('/').next()).unwrap_or("NAME");
                diagnostic.help(format!(
                    "write only the table's name: `{short}`; `region` and `account` are separate keys"
                ))
            }
            Some(_) => diagnostic,
            None => diagnostic.help("write the table's name in DynamoDB as `name`"),
        });
        return None;
    }
    Some(name)
}

fn key(table: &ast::Table, problems: &mut Vec<Diagnostic>) -> Option<KeySchema> {
    if let Some(ttl) = table.ttl.as_ref().filter(|ttl| ttl.value == RESERVED) {
        problems.push(reserved(ttl.span));
    }
    for attribute in table.key.iter().filter(|attribute| attribute.value.name == RESERVED) {
        problems.push(reserved(attribute.span));
    }
    match table.key.as_slice() {
        [partition] => Some(KeySchema { partition: partition.value.clone(), sort: None }),
        [partition, sort] if partition.value.name == sort.value.name => {
            problems.push(
                Diagnostic::new(
                    &codes::DUPLICATE,
                    format!("duplicate key attribute `{}`", sort.value.name),
                )
                .at(sort.span, "second occurrence")
                .at(partition.span, "first occurrence"),
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
        .at(span, "used by Referee")
}

/// Reports two tables that have the same name in DynamoDB.
fn check_names(tables: &[Table<'_>], problems: &mut Vec<Diagnostic>) {
    for (index, table) in tables.iter().enumerate() {
        let Some(name) = &table.name else { continue };
        let before = tables.iter().take(index).find(|other| other.name.as_ref() == Some(name));
        if let Some(before) = before {
            problems.push(
                Diagnostic::new(
                    &codes::SHARED_NAME,
                    format!("two tables have the name `{name}` in DynamoDB"),
                )
                .at(table.ast.alias.span, format!("also named `{name}`"))
                .at(before.ast.alias.span, format!("named `{name}`"))
                .help("declare the table once, with the entities of both declarations"),
            );
        }
    }
}
