//! Lines of output: a finding as the native audit prints it.

use super::expression::{Expr, all, case, concat};
use super::keys::KeyColumns;
use crate::data::KeySchema;
use crate::rules::model::{Severity, Table};

/// A finding, in SQL.
pub(super) struct Finding<'r> {
    /// The rule's name.
    pub(super) rule: &'r str,
    /// The rule's severity.
    pub(super) severity: Severity,
    /// The kind of finding.
    pub(super) kind: Expr,
    /// The referencing item, or the mirror.
    pub(super) referencing: (&'r Table, KeyColumns),
    /// The referenced item, or the source.
    pub(super) referenced: (&'r Table, KeyColumns),
    /// Whether there is a referenced item.
    pub(super) has_referenced: Expr,
    /// The path of the reference; `NULL` if it is in the key alone.
    pub(super) path: Option<Expr>,
    /// The finding in words.
    pub(super) detail: Expr,
}

impl Finding<'_> {
    /// The line of JSON. It has no `id`, which is a hash that SQL cannot compute.
    pub(super) fn line(self) -> Expr {
        let referenced = item(self.referenced.0, &self.referenced.1);
        let referenced = if self.has_referenced == Expr::Bool(true) {
            referenced
        } else {
            case([(self.has_referenced, referenced)], Expr::text("null"))
        };
        concat([
            Expr::text(r#"{"type":"violation","rule":"#),
            json(self.rule),
            Expr::text(r#","kind":""#),
            self.kind,
            Expr::text(format!(r#"","severity":"{}","referencing":"#, self.severity.name())),
            item(self.referencing.0, &self.referencing.1),
            Expr::text(r#","referenced":"#),
            referenced,
            Expr::text(r#","path":"#),
            self.path.map_or(Expr::text("null"), quoted),
            Expr::text(r#","sequence":null,"action":"reported","detail":"#),
            quoted(self.detail),
            Expr::text("}"),
        ])
    }
}

/// An item, named by its table and key.
pub(super) fn item(table: &Table, key: &KeyColumns) -> Expr {
    concat([
        Expr::text(r#"{"table":"#),
        json(&table.name),
        Expr::text(r#","key":"#),
        key_json(&table.key, key),
        Expr::text("}"),
    ])
}

/// A key in DynamoDB's JSON.
fn key_json(schema: &KeySchema, key: &KeyColumns) -> Expr {
    let values = std::iter::once(&key.partition).chain(key.sort.as_ref());
    // Attributes are in the order of their names, as everywhere in the output.
    let mut attributes: Vec<_> = schema.attributes().zip(values).collect();
    attributes.sort_by_key(|(attribute, _)| &attribute.name);
    let mut parts = vec![Expr::text("{")];
    for (index, (attribute, value)) in attributes.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        parts.extend([
            Expr::text(comma),
            json(&attribute.name),
            Expr::text(format!(r#":{{"{}":"#, attribute.kind.as_type().tag())),
            quoted(value.clone()),
            Expr::text("}"),
        ]);
    }
    parts.push(Expr::text("}"));
    concat(parts)
}

/// A string of JSON.
pub(super) fn json(text: &str) -> Expr {
    Expr::text(serde_json::Value::from(text).to_string())
}

/// A text as a string of JSON; written at once if it is known.
pub(super) fn quoted(text: Expr) -> Expr {
    if let Expr::Text(text) = &text { json(text) } else { text.quoted() }
}

/// Whether a key is there: `NULL` in the columns of an outer join means that it is not.
pub(super) fn is_there(key: &KeyColumns) -> Expr {
    all([key.partition.clone().is_present()])
}
