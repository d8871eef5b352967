//! Collects the indexes that references name, and checks that their declared keys agree.

use crate::data::KeySchema;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{Find, TableId, TableIndex};
use crate::rules::span::Span;

/// The indexes that references name, with the span of the first mention.
#[derive(Default)]
pub(super) struct Indexes(Vec<(TableId, TableIndex, Span)>);

impl Indexes {
    /// The indexes of a table, in the order of their first mention.
    pub(super) fn of(&self, table: TableId) -> Vec<TableIndex> {
        let here = self.0.iter().filter(|(of, _, _)| *of == table);
        here.map(|(_, index, _)| index.clone()).collect()
    }

    /// The index that a lookup uses.
    pub(super) fn found(&self, table: TableId, find: &Find) -> Option<&TableIndex> {
        let Find::Index { index, .. } = find else { return None };
        let mut here = self.0.iter().filter(|(of, _, _)| *of == table);
        here.nth(*index).map(|(_, index, _)| index)
    }

    /// Adds an index, unless it is known already, and returns its position among the indexes of its
    /// table. If it is known with another key, that is reported.
    pub(super) fn add(
        &mut self,
        table: TableId,
        index: TableIndex,
        span: Span,
        problems: &mut Vec<Diagnostic>,
    ) -> usize {
        let mut here = self.0.iter_mut().filter(|(of, _, _)| *of == table).enumerate();
        let known = here.find(|(_, (_, known, _))| known.name == index.name);
        let Some((position, (_, known, first))) = known else {
            let count = self.0.iter().filter(|(of, _, _)| *of == table).count();
            self.0.push((table, index, span));
            return count;
        };
        let sort_agrees = match (&known.key.sort, &index.key.sort) {
            (Some(known), Some(here)) => known == here,
            // A rule that uses only the partition key does not name the sort key.
            _ => true,
        };
        if sort_agrees && known.key.partition == index.key.partition {
            known.key.sort = known.key.sort.take().or(index.key.sort);
        } else {
            problems.push(
                Diagnostic::new(
                    &codes::INDEX_KEY,
                    format!("the index `{}` is declared with two different keys", index.name),
                )
                .at(span, format!("key {}", describe(&index.key)))
                .at(*first, format!("key {}", describe(&known.key)))
                .help("an index has one key: correct the declaration that differs from DynamoDB"),
            );
        }
        position
    }
}

fn describe(key: &KeySchema) -> String {
    let attributes: Vec<String> = key
        .attributes()
        .map(|attribute| format!("{}:{}", attribute.name, attribute.kind.as_type()))
        .collect();
    format!("[{}]", attributes.join(", "))
}
