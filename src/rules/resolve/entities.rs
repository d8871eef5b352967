//! Entities: their keys and their attributes.

use std::collections::BTreeMap;

use super::tables::{RESERVED, Table, reserved};
use super::templates::{self, Capture};
use super::undeclared;
use crate::data::{KeyAttribute, Number, Path, Type, Value};
use crate::rules::ast::{self, Literal};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::language::did_you_mean;
use crate::rules::model::{self, TableId};
use crate::rules::span::Spanned;
use crate::rules::template::{EntityKey, KeyTemplate, Template};

pub(super) struct Entity<'f> {
    pub(super) ast: &'f ast::Entity,
    pub(super) table: Option<TableId>,
    pub(super) key: Option<Keyed>,
    pub(super) attributes: BTreeMap<Path, Type>,
    pub(super) conditions: Vec<(Path, Value<'static>)>,
}

/// A key, and what the checks ask of it.
pub(super) struct Keyed {
    pub(super) key: EntityKey,
    /// In the order of [`EntityKey::captures`].
    pub(super) captures: Vec<Capture>,
    /// The names of the captures in the partition key's template.
    pub(super) partition: Vec<String>,
}

impl Keyed {
    /// The capture of this name, and its place.
    pub(super) fn capture(&self, name: &str) -> Option<(usize, &Capture)> {
        self.captures.iter().enumerate().find(|(_, capture)| capture.name == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.captures.iter().map(|capture| capture.name.as_str())
    }
}

impl Entity<'_> {
    pub(super) fn settle(self) -> Option<model::Entity> {
        Some(model::Entity {
            name: self.ast.name.value.clone(),
            table: self.table?,
            key: self.key?.key,
            attributes: self.attributes,
            conditions: self.conditions,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.ast.name.value
    }

    /// Where its key is said.
    pub(super) fn key_span(&self) -> crate::rules::span::Span {
        self.ast.key.as_ref().map_or(self.ast.name.span, |key| key.span)
    }

    /// Whether it declares this attribute, or a path in it.
    pub(super) fn declares(&self, attribute: &str) -> bool {
        self.attributes.keys().any(|path| path.root() == attribute)
    }
}

pub(super) fn resolve<'f>(
    entities: &'f [ast::Entity],
    tables: &[Table<'f>],
    source: &str,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Entity<'f>> {
    entities
        .iter()
        .map(|entity| {
            let table = entity.table.as_ref().and_then(|name| find_table(name, tables, problems));
            let found = table.and_then(|TableId(at)| tables.get(at));
            let attributes = attributes(entity, found, problems);
            Entity {
                ast: entity,
                table,
                key: key(entity, found, source, problems),
                conditions: conditions(entity, &attributes, problems),
                attributes,
            }
        })
        .collect()
}

fn find_table(
    name: &Spanned<String>,
    tables: &[Table<'_>],
    problems: &mut Vec<Diagnostic>,
) -> Option<TableId> {
    let found = tables.iter().position(|table| table.ast.alias.value == name.value);
    if found.is_none() {
        let names = tables.iter().map(|table| table.ast.alias.value.as_str()).collect();
        problems.push(undeclared("table", name, names));
    }
    found.map(TableId)
}

fn key(
    entity: &ast::Entity,
    table: Option<&Table<'_>>,
    source: &str,
    problems: &mut Vec<Diagnostic>,
) -> Option<Keyed> {
    let written = entity.key.as_ref()?;
    let separator = table.map_or('#', |table| table.separator);
    let mut templates: BTreeMap<&str, Option<Template>> = BTreeMap::new();
    for (attribute, text) in &written.value {
        let template =
            text.as_ref().and_then(|text| templates::read(text, separator, source, problems));
        templates.insert(&attribute.value, template);
    }
    let table = table?;
    let schema = table.key.as_ref()?;
    let names: Vec<&str> = schema.names().collect();
    let strays = written.value.iter().filter(|(name, _)| !names.contains(&name.value.as_str()));
    let strays: Vec<_> = strays.map(|(name, _)| stray(name, &names, table.ast)).collect();
    let missing: Vec<_> = names.iter().filter(|name| !templates.contains_key(*name)).collect();
    let complete = strays.is_empty() && missing.is_empty();
    // A stray attribute is most likely a missing one, misspelled.
    for name in missing.into_iter().skip(strays.len()) {
        problems.push(
            Diagnostic::new(
                &codes::KEY_SHAPE,
                format!("the key of entity `{}` lacks `{name}`", entity.name.value),
            )
            .at(written.span, format!("no template for `{name}`"))
            .help(format!("every item has both key attributes: add `{name}: \"…\"`"))
            .at(table.ast.alias.span, format!("the key of this table is {}", names.join(", "))),
        );
    }
    problems.extend(strays);
    if !complete {
        return None;
    }
    let mut template = |attribute: &KeyAttribute| templates.remove(attribute.name.as_str())?;
    let partition = (template(&schema.partition)?, &schema.partition);
    let sort = match &schema.sort {
        Some(attribute) => Some((template(attribute)?, attribute)),
        None => None,
    };
    assemble(entity, partition, sort, separator, problems)
}

/// A key attribute that the table does not have.
fn stray(attribute: &Spanned<String>, names: &[&str], table: &ast::Table) -> Diagnostic {
    let base = attribute.value.rsplit_once(':').map_or(attribute.value.as_str(), |(name, _)| name);
    let help = if base != attribute.value && names.contains(&base) {
        Some(format!("write `{base}`: its type is said once, at the table"))
    } else {
        did_you_mean(&attribute.value, names.iter().copied())
    };
    Diagnostic::new(
        &codes::KEY_SHAPE,
        format!("`{}` is no key attribute of table `{}`", attribute.value, table.alias.value),
    )
    .at(attribute.span, "not of the table's key")
    .at(table.alias.span, format!("the key of this table is {}", names.join(", ")))
    .maybe_help(help)
}

fn assemble(
    entity: &ast::Entity,
    (partition, partition_attribute): (Template, &KeyAttribute),
    sort: Option<(Template, &KeyAttribute)>,
    separator: char,
    problems: &mut Vec<Diagnostic>,
) -> Option<Keyed> {
    let span = |attribute: &KeyAttribute| {
        let key = entity.key.as_ref();
        let templates = key.map_or(&[][..], |key| key.value.as_slice());
        let template = templates.iter().find(|(name, _)| name.value == attribute.name);
        let template = template.and_then(|(_, template)| template.as_ref());
        template.map_or(entity.name.span, |template| template.span)
    };
    let mut templates = vec![(&partition, partition_attribute.kind)];
    templates.extend(sort.as_ref().map(|(template, attribute)| (template, attribute.kind)));
    let captures = match templates::captures(&templates) {
        Ok(captures) => Some(captures),
        Err(name) => {
            problems.push(
                Diagnostic::new(
                    &codes::KEY_TYPE,
                    format!("`{{{name}}}` would have to be of two types at once"),
                )
                .at(entity.key.as_ref().map_or(entity.name.span, |key| key.span), "in this key")
                .help("give the two captures different names"),
            );
            None
        }
    };
    let names = partition.captures().map(str::to_owned).collect();
    let mut typed = |template: Template, attribute: &KeyAttribute| {
        let typed = KeyTemplate::new(template, attribute.kind);
        if typed.is_none() {
            let kind = attribute.kind.as_type();
            problems.push(
                Diagnostic::new(
                    &codes::KEY_TYPE,
                    format!(
                        "key attribute `{}` is of type {kind}, and has no text around a capture",
                        attribute.name
                    ),
                )
                .at(span(attribute), "has to be one capture alone")
                .help(format!("write \"{{{}}}\"", attribute.name)),
            );
        }
        typed
    };
    let partition = typed(partition, partition_attribute);
    let sort = sort.map(|(template, attribute)| typed(template, attribute));
    let sort = sort.map_or(Some(None), |sort| sort.map(Some))?;
    Some(Keyed {
        key: EntityKey::new(partition?, sort, separator),
        captures: captures?,
        partition: names,
    })
}

fn attributes(
    entity: &ast::Entity,
    table: Option<&Table<'_>>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<Path, Type> {
    let mut declared: BTreeMap<Path, (Type, &Spanned<Type>)> = BTreeMap::new();
    for (path, kind) in &entity.attributes {
        if path.value.root() == RESERVED {
            problems.push(reserved(path.span));
        }
        key_attribute_type(path, kind, table, problems);
        declared.entry(path.value.clone()).or_insert((kind.value, kind));
    }
    for (path, _) in &entity.attributes {
        for parent in parents(&path.value) {
            if let Some((of, written)) = declared.get(&parent)
                && *of != Type::M
            {
                problems.push(
                    Diagnostic::new(
                        &codes::CONTRADICTION,
                        format!("`{}` goes through `{parent}`, which is no map", path.value),
                    )
                    .at(path.span, "a value inside a map")
                    .at(written.span, "not `M`")
                    .help(format!("declare `{parent}: M`, or correct the path")),
                );
            }
        }
    }
    declared.into_iter().map(|(path, (kind, _))| (path, kind)).collect()
}

fn key_attribute_type(
    path: &Spanned<Path>,
    kind: &Spanned<Type>,
    table: Option<&Table<'_>>,
    problems: &mut Vec<Diagnostic>,
) {
    let Some(schema) = table.and_then(|table| table.key.as_ref()) else { return };
    let of_key = schema.attributes().find(|attribute| attribute.name == path.value.root());
    let Some(attribute) = of_key else { return };
    let expected = attribute.kind.as_type();
    if path.value.segments().len() > 1 || kind.value != expected {
        problems.push(
            Diagnostic::new(
                &codes::CONTRADICTION,
                format!("`{}` is a key attribute of type {expected}", attribute.name),
            )
            .at(kind.span, format!("declared as {}", kind.value)),
        );
    }
}

/// The paths on the way to this one.
fn parents(path: &Path) -> impl Iterator<Item = Path> {
    (1..path.segments().len()).filter_map(|length| {
        let (root, inner) = path.segments().get(..length)?.split_first()?;
        Some(inner.iter().fold(Path::attribute(root), |path, segment| path.child(segment)))
    })
}

fn conditions(
    entity: &ast::Entity,
    attributes: &BTreeMap<Path, Type>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<(Path, Value<'static>)> {
    let mut conditions = Vec::new();
    for (path, literal) in &entity.conditions {
        if path.value.root() == RESERVED {
            problems.push(reserved(path.span));
        }
        let value = match value_of(&literal.value) {
            Ok(value) => value,
            Err(error) => {
                problems.push(Diagnostic::new(&codes::FORM, error).at(literal.span, ""));
                continue;
            }
        };
        match attributes.get(&path.value) {
            Some(kind) if *kind != value.kind() => problems.push(
                Diagnostic::new(
                    &codes::CONTRADICTION,
                    format!(
                        "`{}` is of type {kind}, and is compared with a value of type {}",
                        path.value,
                        value.kind()
                    ),
                )
                .at(literal.span, "never equal"),
            ),
            _ => conditions.push((path.value.clone(), value)),
        }
    }
    conditions
}

/// The attribute value that a literal is.
pub(super) fn value_of(literal: &Literal) -> Result<Value<'static>, String> {
    match literal {
        Literal::Text(text) => Ok(Value::from(text.as_str())),
        Literal::Number(number) => Number::parse(number.clone())
            .map(|number| Value::N(number.into_owned()))
            .map_err(|error| error.to_string()),
        Literal::Bool(flag) => Ok(Value::Bool(*flag)),
    }
}
