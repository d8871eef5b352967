//! Resolves targets that are known by the key of an index.

use std::collections::BTreeMap;

use super::changes::declared_actions;
use super::entities::{Entity, ResolvedKey};
use super::indexes::Indexes;
use super::scope::Scope;
use super::tables::{RESERVED, reserved};
use super::templates;
use crate::data::{KeyAttribute, KeySchema};
use crate::rules::ast::{IndexTarget, Reference, ReferentialAction};
use crate::rules::codes;
use crate::rules::defaults;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, EntityId, Expired, TableIndex, View};
use crate::rules::span::Spanned;
use crate::rules::template::{EntityKey, KeyTemplate, Template};

/// The key of an index by which a reference knows its targets.
pub(super) struct IndexKey {
    schema: KeySchema,
    pub(super) key: ResolvedKey,
}

/// The index that a reference names in `to`, if it names one.
pub(super) fn target(reference: &Reference) -> Option<&IndexTarget> {
    reference.targets.each.get(reference.alternative)?.index.as_ref()
}

/// A target in an index whose key is made of captures of the referencing key, if there can be one.
pub(super) fn suggestion(to: &Entity<'_>, from_key: &ResolvedKey) -> Option<String> {
    let is_known =
        |key: &EntityKey| key.captures().iter().all(|capture| from_key.capture(capture).is_some());
    let (attribute, _) = to.templates.iter().find(|(_, key)| is_known(key))?;
    let (_, text) = to.ast.templates.iter().find(|(path, _)| path.value == *attribute)?;
    let (entity, text) = (to.name(), &text.value);
    Some(format!("to: {{ entity: {entity}, index: NAME, key: {{ {attribute}: \"{text}\" }} }}"))
}

/// The key of the index of a target; `None` if it has an error, which is reported.
pub(super) fn key(
    target: &IndexTarget,
    to: &Entity<'_>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<IndexKey> {
    let separator = scope.table_of(to).map_or(defaults::SEPARATOR, |table| table.separator);
    let mut parts: Vec<(KeyAttribute, Template)> = Vec::new();
    for (attribute, text) in &target.key {
        if attribute.value.name == RESERVED {
            problems.push(reserved(attribute.span));
        }
        let template = templates::read(text, separator, scope.source, problems)?;
        parts.push((attribute.value.clone(), template));
    }
    let kinds: Vec<_> = parts.iter().map(|(attribute, it)| (it, attribute.kind)).collect();
    let typed = |(attribute, template): &(KeyAttribute, Template)| {
        KeyTemplate::new(template.clone(), attribute.kind)
    };
    let templates: Option<Vec<_>> = parts.iter().map(typed).collect();
    let (Some(templates), Ok(captures)) = (templates, templates::captures(&kinds)) else {
        problems.push(
            Diagnostic::new(
                &codes::KEY_TYPE,
                format!("the templates of the index `{}` do not fit its types", target.name.value),
            )
            .at(target.name.span, "in this key")
            .help("write a number or a binary as a single capture, and a capture in one type only"),
        );
        return None;
    };
    let (partition, sort) = match (parts.as_slice(), templates.as_slice()) {
        ([(partition, _)], [template]) => ((partition, template), None),
        ([(partition, _), (sort, _)], [template, of_sort]) => {
            ((partition, template), Some((sort, of_sort)))
        }
        _ => return None,
    };
    let partition_captures = partition.1.captures().map(str::to_owned).collect();
    let of_sort = sort.map(|(_, template)| template.clone());
    Some(IndexKey {
        schema: KeySchema {
            partition: partition.0.clone(),
            sort: sort.map(|(attribute, _)| attribute.clone()),
        },
        key: ResolvedKey {
            key: EntityKey::new(partition.1.clone(), of_sort, separator),
            captures,
            partition: partition_captures,
        },
    })
}

/// Adds the view that a reference leads to, unless it is known, and returns its id.
pub(super) fn add(
    views: &mut Vec<View>,
    reference: &Reference,
    (target, key): (&IndexTarget, &IndexKey),
    (to_id, to): (EntityId, &Entity<'_>),
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    problems: &mut Vec<Diagnostic>,
) -> Option<EntityId> {
    let index = TableIndex { name: target.name.value.clone(), key: key.schema.clone() };
    let index = indexes.add(to.table?, index, target.name.span, problems);
    let table = scope.table_of(to)?;
    let tables = scope.tables.len();
    // Rules that disagree on whether an expired item exists have views of their own, so that an
    // audit counts its items separately.
    let expired = reference.expired.as_ref().map_or(defaults::EXPIRED, |it| it.value);
    let ttl = table.ast.ttl.as_ref().filter(|_| expired == Expired::Absent);
    let id = |position: usize| EntityId(scope.entities.len() + position);
    let view = |position: usize| {
        Some(View {
            of: to_id,
            index,
            table: model::Table {
                alias: format!("{}/{}", table.ast.alias.value, target.name.value),
                name: table.name.clone()?,
                key: key.schema.clone(),
                separator: table.separator,
                ttl: ttl.map(|ttl| ttl.value.clone()),
                region: None,
                account: None,
                indexes: Vec::new(),
            },
            entity: model::Entity {
                name: to.name().to_owned(),
                table: model::TableId(tables + position),
                key: key.key.key.clone(),
                attributes: BTreeMap::new(),
                templates: BTreeMap::new(),
                conditions: to.conditions.clone(),
            },
        })
    };
    for (position, known) in views.iter().enumerate() {
        if view(position).as_ref() == Some(known) {
            return Some(id(position));
        }
    }
    views.push(view(views.len())?);
    Some(id(views.len() - 1))
}

/// Reports actions that are not possible, because no transaction can check an index.
pub(super) fn check_actions(
    reference: &Reference,
    target: &IndexTarget,
    problems: &mut Vec<Diagnostic>,
) {
    let is_possible = |action: &&Spanned<ReferentialAction>| {
        matches!(action.value, ReferentialAction::Report | ReferentialAction::Ignore)
    };
    for action in declared_actions(reference).filter(|action| !is_possible(action)) {
        problems.push(
            Diagnostic::new(
                &codes::INDEX_TARGET,
                format!("`{}` of items that are known by an index", action.value.name()),
            )
            .at(action.span, "not possible")
            .at(target.name.span, "a transaction cannot check an index")
            .help("write `report`, or refer to the items by the key of their table"),
        );
    }
}
