//! The indexes that rules look things up by, and whether they agree on them.

use crate::data::KeySchema;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{TableId, TableIndex};
use crate::rules::span::Span;

/// The indexes that rules look things up by, and where the first one says so.
#[derive(Default)]
pub(super) struct Indexes(Vec<(TableId, TableIndex, Span)>);

impl Indexes {
    /// The indexes of a table, in the order in which the file first names them.
    pub(super) fn of(&self, table: TableId) -> Vec<TableIndex> {
        let here = self.0.iter().filter(|(of, _, _)| *of == table);
        here.map(|(_, index, _)| index.clone()).collect()
    }

    /// The place of an index among its table's, which is made if it is new; a problem if it is
    /// known with another key.
    pub(super) fn enter(
        &mut self,
        table: TableId,
        index: TableIndex,
        span: Span,
        problems: &mut Vec<Diagnostic>,
    ) -> usize {
        let mut here = self.0.iter_mut().filter(|(of, _, _)| *of == table).enumerate();
        let known = here.find(|(_, (_, known, _))| known.name == index.name);
        let Some((at, (_, known, first))) = known else {
            let count = self.0.iter().filter(|(of, _, _)| *of == table).count();
            self.0.push((table, index, span));
            return count;
        };
        let agreed = match (&known.key.sort, &index.key.sort) {
            (Some(known), Some(here)) => known == here,
            // A rule that looks up by the partition key alone says nothing of the sort key.
            _ => true,
        };
        if agreed && known.key.partition == index.key.partition {
            known.key.sort = known.key.sort.take().or(index.key.sort);
        } else {
            problems.push(
                Diagnostic::new(
                    &codes::INDEX_KEY,
                    format!("the index `{}` has two keys", index.name),
                )
                .at(span, format!("here {}", describe(&index.key)))
                .at(*first, format!("here {}", describe(&known.key)))
                .help("correct the one that is not the index's key in DynamoDB"),
            );
        }
        at
    }
}

fn describe(key: &KeySchema) -> String {
    let attributes: Vec<String> = key
        .attributes()
        .map(|attribute| format!("{}:{}", attribute.name, attribute.kind.as_type()))
        .collect();
    format!("[{}]", attributes.join(", "))
}
