//! A mirror's mark: it distinguishes a mirror that Referee wrote from any other item.

use std::borrow::Cow;

use crate::data::{Item, Path, Value};
use crate::integrity::mark::MARK;
use crate::rules::model::Mirror;
use crate::store::{Condition, Operand};

/// The attributes of the mark.
const RULE: &str = "rule";
const FENCE: &str = "fence";
const FIX: &str = "fix";
const DELETING: &str = "deleting";

/// The reserved map attribute `_referee` of a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark<'i> {
    /// The name of the mirror's rule.
    pub(crate) rule: Cow<'i, str>,
    /// The padded sequence number of the source's change that the mirror was written for.
    ///
    /// Streams redeliver, and a request may be applied late. Without the fence, a mirror would
    /// alternate between old and new content.
    pub(crate) fence: Cow<'i, str>,
    /// If this write corrects the mirror itself, what identifies the correction: the padded
    /// sequence number of the mirror's change, the time of the audit that found the difference, or a
    /// hash of the item that a repair corrected.
    ///
    /// Such a write keeps the fence. Without `fix`, it would leave the mark unchanged, as someone
    /// else's edit does, and its stream record would be mistaken for an edit.
    ///
    /// If the rule deletes the sources of deleted mirrors, a mirror that is restored has one, too: it
    /// tells which deletes of the mirror were answered by that, and must not delete the source when
    /// they are delivered again.
    pub(crate) fix: Option<Cow<'i, str>>,
    /// Whether Referee is about to delete the mirror, so that the record of the delete shows that
    /// it was Referee's.
    pub(crate) deleting: bool,
}

impl<'i> Mark<'i> {
    /// The mark of a mirror that is written for a change of its source.
    pub(crate) fn new(rule: &'i str, fence: String) -> Self {
        Self { rule: rule.into(), fence: fence.into(), fix: None, deleting: false }
    }

    /// The mark that this rule set on an item, under its present or its former name; `None` if the
    /// item has no mark or another rule's.
    pub(crate) fn of(item: &'i Item<'_>, rule: &Mirror) -> Option<Self> {
        let Some(Value::M(mark)) = item.get(MARK) else { return None };
        let text = |name: &str| match mark.get(name) {
            Some(Value::S(text)) => Some(&**text),
            _ => None,
        };
        let name = text(RULE)?;
        (name == rule.name || Some(name) == rule.was.as_deref()).then_some(Self {
            rule: name.into(),
            fence: text(FENCE)?.into(),
            fix: text(FIX).map(Cow::Borrowed),
            deleting: mark.get(DELETING) == Some(&Value::Bool(true)),
        })
    }

    /// The mark as an attribute value.
    pub(crate) fn to_value(&self) -> Value<'static> {
        let entry = |name: &'static str, text: &str| {
            (Cow::Borrowed(name), Value::S(Cow::Owned(text.to_owned())))
        };
        let mut map = Item::from([entry(RULE, &self.rule), entry(FENCE, &self.fence)]);
        map.extend(self.fix.iter().map(|fix| entry(FIX, fix)));
        if self.deleting {
            map.insert(Cow::Borrowed(DELETING), Value::Bool(true));
        }
        Value::M(map)
    }
}

/// A fence lower than every other, for a mirror whose fence is not known.
pub(crate) fn lowest_fence() -> String {
    "0".repeat(40)
}

/// The path of the flag that announces Referee's own delete.
pub(crate) fn deleting_path() -> Path {
    Path::attribute(MARK).child(DELETING)
}

/// Requires that the item has no mark.
pub(crate) fn unmarked() -> Condition {
    Condition::NotExists(Path::attribute(MARK))
}

/// Requires that the item is this rule's mirror, and that its fence compares to this one as the
/// operand says.
pub(crate) fn fenced(rule: &Mirror, operand: Operand, fence: &str) -> Condition {
    let path = Path::attribute(MARK).child(FENCE);
    Condition::All(vec![is_of(rule), Condition::Compare(path, operand, Value::from(fence))])
}

/// Requires that the last correction of a mirror, if there was one, came before this one.
pub(crate) fn fixed_before(fix: &str) -> Condition {
    let path = || Path::attribute(MARK).child(FIX);
    let is_lower = Condition::Compare(path(), Operand::Less, Value::from(fix));
    Condition::Any(vec![Condition::NotExists(path()), is_lower])
}

/// Requires that the item is this rule's mirror, written under its present or its former name.
pub(crate) fn is_of(rule: &Mirror) -> Condition {
    let named = |name: &str| {
        let path = Path::attribute(MARK).child(RULE);
        Condition::Compare(path, Operand::Equal, Value::from(name))
    };
    match &rule.was {
        None => named(&rule.name),
        Some(was) => Condition::Any(vec![named(&rule.name), named(was)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SequenceNumber;

    #[test]
    fn the_lowest_fence_has_the_length_of_a_real_one() {
        let first = SequenceNumber::parse("1").unwrap().fence();
        assert_eq!(lowest_fence().len(), first.len());
        assert!(lowest_fence() < first);
    }
}
