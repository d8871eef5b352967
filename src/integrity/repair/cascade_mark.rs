//! Doomed items: those that a cascade from items to others of the same kind is to delete.
//!
//! How deep such a cascade has come, no stream record tells by itself. So an item is first marked
//! with its depth; the mark's own record has the item deleted, and the delete's record shows the
//! mark again, to those whose turn is next. A mark whose item is spared is removed likewise: it has
//! its own record, whatever became of the one who set it.

use std::borrow::Cow;

use super::remedy::Repair;
use crate::data::{Item, Number, Path, Value};
use crate::engine::report::outcome::Operation;
use crate::integrity::index::MARK;
use crate::rules::model::{ReferenceId, Rules};
use crate::store::{Action, Clause, Condition, Operand, Write};

/// The attributes of the mark.
const RULE: &str = "rule";
const DEPTH: &str = "depth";

/// What the mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doom {
    /// How many levels below the first delete the item is.
    pub(crate) depth: u64,
}

impl Doom {
    /// The doom of an item by this rule, if it is marked.
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
}

/// In the place of an item's delete, the mark that leads to it.
pub(crate) fn doomed(rules: &Rules, rule: ReferenceId, doom: Doom, delete: Repair) -> Repair {
    let Action::Delete(key) = delete.write.action else { return delete };
    let clauses = vec![Clause::Set(Path::attribute(MARK), doom.to_value(&rules[rule].name))];
    let write = Write { action: Action::Update { key, clauses }, ..delete.write };
    let detail = Some("marked to be deleted".to_owned());
    Repair { operation: Operation::Update, write, checks: delete.checks, detail }
}

/// The write that takes the mark off an item that is to live.
pub(crate) fn spare(rules: &Rules, rule: ReferenceId, doom: Doom, key: Item<'static>) -> Write {
    let reference = &rules[rule];
    let mark = Path::attribute(MARK);
    let value = doom.to_value(&reference.name);
    Write {
        table: rules[rules[reference.from].table].name.clone(),
        action: Action::Update { key, clauses: vec![Clause::Remove(mark.clone())] },
        condition: Some(Condition::Compare(mark, Operand::Equal, value)),
    }
}
