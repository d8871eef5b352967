//! Resolves entities: their keys, attributes and conditions.

use std::collections::BTreeMap;

use super::conditions;
use super::names::undeclared;
use super::tables::{RESERVED, Table, reserved};
use super::templates::{self, Capture};
use crate::data::{KeyAttribute, KeyKind, Number, Path, Step, Type, Value};
use crate::rules::ast::{self, Literal};
use crate::rules::codes;
use crate::rules::defaults;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, TableId, Test};
use crate::rules::span::{Span, Spanned};
use crate::rules::spelling::did_you_mean;
use crate::rules::template::{EntityKey, KeyTemplate, Separator, Template};

pub(super) struct Entity<'f> {
    pub(super) ast: &'f ast::Entity,
    pub(super) table: Option<TableId>,
    pub(super) key: Option<ResolvedKey>,
    pub(super) attributes: BTreeMap<Path, Type>,
    /// The templates of attributes that contain captures.
    pub(super) templates: BTreeMap<Path, EntityKey>,
    pub(super) conditions: Vec<(Path, Test)>,
}

/// An entity's key, with the information that the checks of rules need.
pub(super) struct ResolvedKey {
    pub(super) key: EntityKey,
    /// The captures, in the order of [`EntityKey::captures`].
    pub(super) captures: Vec<Capture>,
    /// The names of the captures in the partition key's template.
    pub(super) partition: Vec<String>,
}

impl ResolvedKey {
    /// The capture with this name, and its index.
    pub(super) fn capture(&self, name: &str) -> Option<(usize, &Capture)> {
        self.captures.iter().enumerate().find(|(_, capture)| capture.name == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.captures.iter().map(|capture| capture.name.as_str())
    }
}

impl Entity<'_> {
    pub(super) fn into_model(self) -> Option<model::Entity> {
        Some(model::Entity {
            name: self.ast.name.value.clone(),
            table: self.table?,
            key: self.key?.key,
            attributes: self.attributes,
            templates: self.templates,
            conditions: self.conditions,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.ast.name.value
    }

    /// The span of the entity's key.
    pub(super) fn key_span(&self) -> Span {
        self.ast.key.as_ref().map_or(self.ast.name.span, |key| key.span)
    }

    /// Whether the entity declares this attribute or a path inside it.
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
            let found = table.and_then(|TableId(index)| tables.get(index));
            let attributes = attributes(entity, found, problems);
            Entity {
                ast: entity,
                table,
                key: key(entity, found, source, problems),
                templates: attribute_templates(entity, found, source, problems),
                conditions: conditions::resolve(entity, &attributes, problems),
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
) -> Option<ResolvedKey> {
    let written = entity.key.as_ref()?;
    let separator = table.map_or(defaults::SEPARATOR, |table| table.separator);
    let mut templates: BTreeMap<&str, Option<Template>> = BTreeMap::new();
    for (attribute, text) in &written.value {
        let template =
            text.as_ref().and_then(|text| templates::read(text, separator, source, problems));
        templates.insert(&attribute.value, template);
    }
    let table = table?;
    let schema = table.key.as_ref()?;
    let names: Vec<&str> = schema.names().collect();
    let unknown = written.value.iter().filter(|(name, _)| !names.contains(&name.value.as_str()));
    let unknown: Vec<_> =
        unknown.map(|(name, _)| unknown_attribute(name, &names, table.ast)).collect();
    let missing: Vec<_> = names.iter().filter(|name| !templates.contains_key(*name)).collect();
    let complete = unknown.is_empty() && missing.is_empty();
    // An unknown attribute is probably a misspelling of a missing one, so each unknown attribute
    // hides one missing attribute.
    for name in missing.into_iter().skip(unknown.len()) {
        problems.push(
            Diagnostic::new(
                &codes::KEY_SHAPE,
                format!("the key of entity `{}` has no `{name}`", entity.name.value),
            )
            .at(written.span, format!("`{name}` is missing"))
            .help(format!("add a template for `{name}`: every item has both key attributes"))
            .at(table.ast.alias.span, format!("this table's key is {}", names.join(", "))),
        );
    }
    problems.extend(unknown);
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

/// The diagnostic for an attribute that is not in the table's key.
fn unknown_attribute(
    attribute: &Spanned<String>,
    names: &[&str],
    table: &ast::Table,
) -> Diagnostic {
    let base = attribute.value.rsplit_once(':').map_or(attribute.value.as_str(), |(name, _)| name);
    let help = if base != attribute.value && names.contains(&base) {
        Some(format!("write `{base}`: its type is declared only once, in the table"))
    } else {
        did_you_mean(&attribute.value, names.iter().copied())
    };
    Diagnostic::new(
        &codes::KEY_SHAPE,
        format!("`{}` is not a key attribute of table `{}`", attribute.value, table.alias.value),
    )
    .at(attribute.span, "not in the table's key")
    .at(table.alias.span, format!("this table's key is {}", names.join(", ")))
    .maybe_help(help)
}

fn assemble(
    entity: &ast::Entity,
    (partition, partition_attribute): (Template, &KeyAttribute),
    sort: Option<(Template, &KeyAttribute)>,
    separator: Separator,
    problems: &mut Vec<Diagnostic>,
) -> Option<ResolvedKey> {
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
                    format!("`{{{name}}}` would need two different types"),
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
                        "key attribute `{}` has type {kind}, so its template must be one capture",
                        attribute.name
                    ),
                )
                .at(span(attribute), "must be a single capture without a format")
                .help(format!("write \"{{{}}}\"", attribute.name)),
            );
        }
        typed
    };
    let partition = typed(partition, partition_attribute);
    let sort = sort.map(|(template, attribute)| typed(template, attribute));
    let sort = sort.map_or(Some(None), |sort| sort.map(Some))?;
    let key = EntityKey::new(partition?, sort, separator);
    let is_sound = check_cases(entity, &key, problems);
    is_sound.then_some(ResolvedKey { key, captures: captures?, partition: names })
}

/// Whether all occurrences of each capture have the same case. If not, that is reported.
fn check_cases(entity: &ast::Entity, key: &EntityKey, problems: &mut Vec<Diagnostic>) -> bool {
    let differs = |capture: usize| key.cases_of(capture).any(|case| case != key.case(capture));
    let mixed = key.captures().iter().enumerate().filter(|(capture, _)| differs(*capture));
    let before = problems.len();
    for (_, name) in mixed {
        problems.push(
            Diagnostic::new(
                &codes::CAPTURE_FORMAT,
                format!("`{{{name}}}` has two cases in the key of `{}`", entity.name.value),
            )
            .at(entity.key.as_ref().map_or(entity.name.span, |key| key.span), "in this key")
            .help(format!("write `lower` or `upper` at each `{{{name}}}`, or at none")),
        );
    }
    problems.len() == before
}

/// The templates of attributes.
fn attribute_templates(
    entity: &ast::Entity,
    table: Option<&Table<'_>>,
    source: &str,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<Path, EntityKey> {
    let separator = table.map_or(defaults::SEPARATOR, |table| table.separator);
    let mut templates = BTreeMap::new();
    for (path, text) in &entity.templates {
        let template = templates::read(text, separator, source, problems);
        let template = template.and_then(|template| KeyTemplate::new(template, KeyKind::S));
        if let Some(template) = template {
            templates.insert(path.value.clone(), EntityKey::new(template, None, separator));
        }
    }
    templates
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
        check_key_attribute(path, kind, table, problems);
        declared.entry(path.value.clone()).or_insert((kind.value, kind));
    }
    for (path, _) in &entity.attributes {
        for (parent, next) in path.value.parents() {
            let (needed, what) = match next {
                Step::Name(_) => (Type::M, "a map"),
                Step::Index(_) | Step::Each => (Type::L, "a list"),
            };
            if let Some((parent_type, written)) = declared.get(&parent)
                && *parent_type != needed
            {
                problems.push(
                    Diagnostic::new(
                        &codes::CONTRADICTION,
                        format!("`{}` leads through `{parent}`, which is not {what}", path.value),
                    )
                    .at(path.span, format!("a value inside {what}"))
                    .at(written.span, format!("not declared as `{needed}`"))
                    .help(format!("declare `{parent}: {needed}`, or correct the path")),
                );
            }
        }
    }
    declared.into_iter().map(|(path, (kind, _))| (path, kind)).collect()
}

/// Reports a key attribute whose declared type differs from the type in the table's key.
fn check_key_attribute(
    path: &Spanned<Path>,
    kind: &Spanned<Type>,
    table: Option<&Table<'_>>,
    problems: &mut Vec<Diagnostic>,
) {
    let Some(schema) = table.and_then(|table| table.key.as_ref()) else { return };
    let key_attribute = schema.attributes().find(|attribute| attribute.name == path.value.root());
    let Some(attribute) = key_attribute else { return };
    let expected = attribute.kind.as_type();
    if path.value.only_name().is_none() || kind.value != expected {
        problems.push(
            Diagnostic::new(
                &codes::CONTRADICTION,
                format!("the key attribute `{}` has type {expected}", attribute.name),
            )
            .at(kind.span, format!("declared as {} here", kind.value)),
        );
    }
}

/// Converts a literal to an attribute value.
pub(super) fn value_of(literal: &Literal) -> Result<Value<'static>, String> {
    match literal {
        Literal::Text(text) => Ok(Value::from(text.as_str())),
        Literal::Number(number) => Number::parse(number.clone())
            .map(|number| Value::N(number.into_owned()))
            .map_err(|error| error.to_string()),
        Literal::Bool(flag) => Ok(Value::Bool(*flag)),
    }
}
