//! Cascade marks: marks on items that a cascade between items of one entity will delete.
//!
//! No stream record says how deep such a cascade is, so an item is first marked with its depth. The
//! mark's stream record triggers the delete of the item. The record of that delete still contains
//! the mark, which tells the next level the depth. If every target of a marked item turns out to
//! exist, the mark's record triggers the removal of the mark instead, whatever happened to the
//! batch that set it.

use std::borrow::Cow;

use super::operation::Operation;
use super::remedy::Repair;
use crate::data::{Item, Number, Path, Value};
use crate::integrity::mark::MARK;
use crate::rules::model::{ReferenceId, Rules};
use crate::store::{Action, Clause, Condition, Operand, Write};

/// The attributes of the mark.
const RULE: &str = "rule";
const DEPTH: &str = "depth";

/// The mark of an item that a cascade will delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CascadeMark {
    /// How many levels below the first delete the item is.
    pub(crate) depth: u64,
}

impl CascadeMark {
    /// The mark that this rule set on an item, if there is one.
    pub(crate) fn of(item: &Item<'_>, rule: &str) -> Option<Self> {
        let Some(Value::M(mark)) = item.get(MARK) else { return None };
        let (Some(Value::S(of)), Some(Value::N(depth))) = (mark.get(RULE), mark.get(DEPTH)) else {
            return None;
        };
        (of == rule).then_some(Self { depth: depth.to_string().parse().ok()? })
    }

    fn to_value(self, rule: &str) -> Value<'static> {
        let depth = Number::parse(self.depth.to_string()).unwrap_or(Number::ZERO);
        Value::M(Item::from([
            (Cow::Borrowed(RULE), Value::S(Cow::Owned(rule.to_owned()))),
            (Cow::Borrowed(DEPTH), Value::N(depth.into_owned())),
        ]))
    }

    /// The repair that sets this mark on an item instead of deleting it at once.
    pub(crate) fn instead_of(self, rules: &Rules, rule: ReferenceId, delete: Repair) -> Repair {
        let Action::Delete(key) = delete.write.action else { return delete };
        let clauses = vec![Clause::Set(Path::attribute(MARK), self.to_value(&rules[rule].name))];
        let write = Write { action: Action::Update { key, clauses }, ..delete.write };
        let detail = Some("marked for deletion".to_owned());
        Repair { operation: Operation::Update, write, checks: delete.checks, detail }
    }
}

/// The write that removes the mark from an item that is not deleted.
pub(crate) fn unmark(
    rules: &Rules,
    rule: ReferenceId,
    mark: CascadeMark,
    key: Item<'static>,
) -> Write {
    let reference = &rules[rule];
    let path = Path::attribute(MARK);
    let value = mark.to_value(&reference.name);
    Write {
        table: rules.table_of(reference.from).name.clone(),
        action: Action::Update { key, clauses: vec![Clause::Remove(path.clone())] },
        condition: Some(Condition::Compare(path, Operand::Equal, value)),
    }
}
