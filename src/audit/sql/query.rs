//! Queries: named steps, each of which selects from the steps before it.

use super::dialect::Dialect;
use super::expression::Expr;

/// A query whose result has one column, `line`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Query {
    /// The steps, with their names.
    pub(super) steps: Vec<(String, Select)>,
    /// The results, one after the other.
    pub(super) results: Vec<Select>,
}

/// A selection from one or two relations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Select {
    /// The columns, with their names.
    pub(super) columns: Vec<(String, Expr)>,
    /// The relation.
    pub(super) from: String,
    /// What is joined to it.
    pub(super) join: Option<Join>,
    /// The conditions.
    pub(super) conditions: Vec<Expr>,
    /// Whether rows that agree in all columns without an aggregate become one.
    pub(super) is_grouped: bool,
}

/// What is joined to a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Join {
    /// A relation whose rows may be absent.
    Left(String, Expr),
    /// A relation, where the rows of either side may be absent.
    Full(String, Expr),
    /// The elements of an array.
    Elements(Expr),
}

impl Query {
    /// Adds a step, unless there is one with this name.
    pub(super) fn add(&mut self, name: impl Into<String>, select: Select) {
        let name = name.into();
        if self.steps.iter().all(|(other, _)| *other != name) {
            self.steps.push((name, select));
        }
    }

    /// The names of a step's columns.
    pub(super) fn columns(&self, step: &str) -> Vec<String> {
        let step = self.steps.iter().find(|(name, _)| name == step);
        let columns = step.into_iter().flat_map(|(_, select)| &select.columns);
        columns.map(|(name, _)| name.clone()).collect()
    }

    /// The text of the query.
    pub(super) fn text(&self, dialect: Dialect) -> String {
        let steps: Vec<_> = self
            .steps
            .iter()
            .map(|(name, select)| {
                format!("{name} AS (\n  {}\n)", select.text(dialect).replace('\n', "\n  "))
            })
            .collect();
        let results: Vec<_> = self.results.iter().map(|select| select.text(dialect)).collect();
        format!("WITH {}\n{}", steps.join(", "), results.join("\nUNION ALL\n"))
    }
}

impl Select {
    fn text(&self, dialect: Dialect) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|(name, value)| {
                let text = dialect.expression(value);
                if text == *name { text } else { format!("{text} AS {name}") }
            })
            .collect();
        let mut text = format!("SELECT {}\nFROM {}", columns.join(",\n  "), self.from);
        if let Some(join) = &self.join {
            let join = match join {
                Join::Left(relation, on) => {
                    format!("LEFT JOIN {relation} ON {}", dialect.expression(on))
                }
                Join::Full(relation, on) => {
                    format!("FULL OUTER JOIN {relation} ON {}", dialect.expression(on))
                }
                Join::Elements(array) => dialect.unnested(array),
            };
            text.push('\n');
            text.push_str(&join);
        }
        if !self.conditions.is_empty() {
            let conditions: Vec<_> =
                self.conditions.iter().map(|condition| dialect.expression(condition)).collect();
            text.push_str("\nWHERE ");
            text.push_str(&conditions.join("\n  AND "));
        }
        if self.is_grouped {
            let is_plain = |value: &&Expr| !value.is_aggregate();
            let groups: Vec<_> = self
                .columns
                .iter()
                .map(|(_, value)| value)
                .filter(is_plain)
                .map(|value| dialect.expression(value))
                .collect();
            text.push_str("\nGROUP BY ");
            text.push_str(&groups.join(", "));
        }
        text
    }
}
