//! A planned write, and the request that makes it.

use std::collections::BTreeSet;

use super::action::{NoAction, RepairAction};
use super::checksum::checksum;
use super::claim::{Claim, RuleId};
use super::recheck::pair;
use crate::data::{Item, KeySchema, Path, item_bytes};
use crate::integrity::finding::ItemName;
use crate::integrity::mark::MARK;
use crate::integrity::mirror::{
    Correction, Mark, Pair, Precondition, Step, is_same, steps_of_correction,
};
use crate::integrity::repair::{Case, Fix, GuardedTransaction, NoRepair, Obstacle, Purpose};
use crate::rules::model::{MirrorId, ReferenceId, Rules};
use crate::store::memory;
use crate::store::{Action, Clause, Condition, Operand, StoreError, Write};

/// The cost of a transaction relative to plain writes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
pub const TRANSACTION_FACTOR: u64 = 2;

/// The bytes that one write unit covers.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
const WRITE_UNIT_BYTES: usize = 1024;

/// The maximum number of attributes that a condition compares. An expression may have 4 KB, and a
/// comparison takes up to 18 bytes of it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const COMPARED_MAX: usize = 150;

/// One entry of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A write.
    Write(Box<PlannedWrite>),
    /// A finding without a write, and why it has none.
    NoAction(Box<Claim>, NoAction),
}

/// One write of a plan. Its item is [`Claim::referencing`]: the referencing item, or the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedWrite {
    /// The write's number in the plan, from 1.
    pub number: u64,
    /// The finding that it resolves.
    pub claim: Claim,
    /// What it does.
    pub action: RepairAction,
    /// The item before the write; `None` if it does not exist.
    pub before: Option<Item<'static>>,
    /// The item after the write; `None` if the write deletes it.
    pub after: Option<Item<'static>>,
}

/// The request that makes a planned write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The writes and checks of the engine: a single write, or a transaction.
    pub(super) actions: Vec<Write>,
    /// The position of the write of the item.
    pub(super) main: usize,
}

/// Why a planned write has no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoRequest {
    /// The item before the write does not have the defect.
    NotBroken,
    /// The repair is impossible.
    Impossible(Obstacle),
}

impl PlannedWrite {
    /// The item that is written.
    #[must_use]
    pub const fn item(&self) -> Option<&ItemName> {
        self.claim.referencing.as_ref()
    }

    /// The request, with the engine's own conditions, at this time in milliseconds since 1970.
    pub(super) fn request(&self, rules: &Rules, now_ms: i64) -> Result<Request, NoRequest> {
        match (self.claim.rule_id(rules), self.action.remedy()) {
            (Some(RuleId::Reference(_)), Some(_)) => self.of_alternatives(rules, now_ms),
            (Some(RuleId::Mirror(rule)), None) => self.of_mirror(rules, rule),
            _ => Err(NoRequest::NotBroken),
        }
    }

    /// The request, which also requires that every attribute of the item is as before the write.
    pub(super) fn exact_request(
        &self,
        rules: &Rules,
        now_ms: i64,
    ) -> Result<Vec<Write>, NoRequest> {
        let Request { mut actions, main } = self.request(rules, now_ms)?;
        if let (Some(write), Some(before), Some(item)) =
            (actions.get_mut(main), &self.before, self.item())
        {
            let unchanged = is_as(&rules[item.table].key, before);
            let all = write.condition.take().into_iter().chain([unchanged]);
            write.condition = Some(Condition::All(all.collect()));
        }
        Ok(actions)
    }

    /// The items that the write reads, checks or writes.
    pub(super) fn names(&self, rules: &Rules) -> BTreeSet<ItemName> {
        // Which items they are does not depend on the time.
        let request = self.request(rules, 0).ok();
        let checked = request.iter().flat_map(|request| &request.actions);
        let checked = checked.filter_map(|write| name_of(rules, write));
        self.claim.items(rules).into_iter().chain(checked).collect()
    }

    /// The request by the alternative of the rule that leads to the missing item.
    fn of_alternatives(&self, rules: &Rules, now_ms: i64) -> Result<Request, NoRequest> {
        for rule in self.claim.alternatives(rules) {
            match self.of_reference(rules, rule, now_ms) {
                Err(NoRequest::NotBroken) => {}
                request => return request,
            }
        }
        Err(NoRequest::NotBroken)
    }

    fn of_reference(
        &self,
        rules: &Rules,
        rule: ReferenceId,
        now_ms: i64,
    ) -> Result<Request, NoRequest> {
        let (Some(remedy), Some(item), Some(target), Some(before)) =
            (self.action.remedy(), self.item(), &self.claim.referenced, &self.before)
        else {
            return Err(NoRequest::NotBroken);
        };
        let (target, fix) = (target.key.clone(), Fix::Remedy(remedy));
        let case = Case { rule, target, fix, now_ms };
        let repair = case.repair(rules, &item.key, before).map_err(|why| match why {
            NoRepair::NotReferring => NoRequest::NotBroken,
            NoRepair::Impossible(obstacle) => NoRequest::Impossible(obstacle),
        })?;
        let GuardedTransaction { purposes, actions, .. } =
            GuardedTransaction::of(&case.guard(rules), [&repair]);
        let main = purposes.iter().position(|purpose| *purpose == Purpose::Write(0));
        Ok(Request { actions, main: main.ok_or(NoRequest::NotBroken)? })
    }

    fn of_mirror(&self, rules: &Rules, rule: MirrorId) -> Result<Request, NoRequest> {
        let item = self.item().ok_or(NoRequest::NotBroken)?;
        let pair = pair(rules, rule, item).ok_or(NoRequest::NotBroken)?;
        let content = || {
            let mut content = self.after.clone().ok_or(NoRequest::NotBroken)?;
            content.remove(MARK);
            Ok(content)
        };
        let mark = self.before.as_ref().and_then(|before| Mark::of(before, &rules[rule]));
        let correction = match self.action {
            RepairAction::PutMirror => {
                Correction::Put { content: content()?, precondition: Precondition::Absent(None) }
            }
            RepairAction::OverwriteMirror | RepairAction::AdoptMirror => {
                let precondition = mark.map_or(Precondition::Unmarked, |mark| {
                    Precondition::Seen(mark.fence.into_owned())
                });
                Correction::Put { content: content()?, precondition }
            }
            RepairAction::AnnounceDelete | RepairAction::DeleteMirror => {
                let mark = mark.ok_or(NoRequest::NotBroken)?;
                Correction::Delete { fence: mark.fence.into_owned() }
            }
            RepairAction::Delete | RepairAction::Unset | RepairAction::SetDefault => {
                return Err(NoRequest::NotBroken);
            }
        };
        let mut steps = mirror_steps(rules, &pair, correction, self.before.as_ref()).into_iter();
        let step = if self.action == RepairAction::AnnounceDelete {
            steps.next().filter(|_| steps.len() > 0)
        } else {
            steps.next_back()
        };
        match step {
            Some(Step::Single(mut write)) => {
                if self.action == RepairAction::AdoptMirror {
                    self.only_mark(&rules[item.table].key, item, &mut write.action);
                }
                Ok(Request { actions: vec![write], main: 0 })
            }
            Some(Step::Together(_)) | None => Err(NoRequest::NotBroken),
        }
    }

    /// Turns the put of a mirror that is already there into an update that only adds the mark.
    /// Attributes that someone adds after the last read stay.
    fn only_mark(&self, schema: &KeySchema, item: &ItemName, action: &mut Action) {
        let Action::Put(content) = action else { return };
        let Some(mark) = content.get(MARK).cloned() else { return };
        content.remove(MARK);
        if self.before.as_ref().is_some_and(|before| is_same(before, content)) {
            let clauses = vec![Clause::Set(Path::attribute(MARK), mark)];
            *action = Action::Update { key: schema.item_of(&item.key), clauses };
        } else {
            content.insert(MARK.into(), mark);
        }
    }

    /// The write units that the request consumes in the tables, without their indexes.
    #[must_use]
    pub fn units(&self, rules: &Rules) -> u64 {
        let item = units(larger(self.before.as_ref(), self.after.as_ref()));
        match self.request(rules, 0) {
            // A check of an item that does not exist costs a unit; so does that of a small one.
            Ok(Request { actions, .. }) if actions.len() > 1 || self.action.remedy().is_some() => {
                TRANSACTION_FACTOR * (item + actions.len() as u64 - 1)
            }
            _ => item,
        }
    }
}

/// The name of the item that an action is about.
pub(super) fn name_of(rules: &Rules, write: &Write) -> Option<ItemName> {
    let (Action::Put(item)
    | Action::Update { key: item, .. }
    | Action::Delete(item)
    | Action::Check(item)) = &write.action;
    let (table, schema) = rules.table_named(&write.table)?;
    Some(ItemName { table, key: schema.key_of(item).ok()?.into_owned() })
}

/// The steps that correct a mirror at rest. The mark of a mirror that is written over changes.
pub(super) fn mirror_steps(
    rules: &Rules,
    pair: &Pair,
    correction: Correction,
    before: Option<&Item<'_>>,
) -> Vec<Step> {
    let fix = checksum(&serde_json::to_vec(&before).unwrap_or_default());
    steps_of_correction(rules, pair, correction, fix)
}

/// The item after an action that is carried out.
pub(super) fn after(
    action: &Action,
    before: Option<&Item<'static>>,
) -> Result<Option<Item<'static>>, StoreError> {
    match action {
        Action::Put(item) => Ok(Some(item.clone())),
        Action::Delete(_) => Ok(None),
        Action::Check(_) => Ok(before.cloned()),
        Action::Update { key, clauses } => {
            let item = before.unwrap_or(key).clone();
            memory::updated(item, clauses.clone()).map(Some)
        }
    }
}

/// Requires that an item exists and has all attributes of this image, except that of the attributes
/// of a wide item, only as many are compared as an expression has room for.
///
/// There is no condition that an item has no other attributes. Therefore, every item is read
/// immediately before its write.
pub(super) fn is_as(schema: &KeySchema, image: &Item<'_>) -> Condition {
    let is_key = |name: &str| schema.names().any(|key| key == name);
    let exists = Condition::Exists(Path::attribute(&schema.partition.name));
    let attributes = image.iter().filter(|(name, _)| !is_key(name)).take(COMPARED_MAX);
    let equal = attributes.map(|(name, value)| {
        Condition::Compare(Path::attribute(name), Operand::Equal, value.clone().into_owned())
    });
    Condition::All(std::iter::once(exists).chain(equal).collect())
}

/// The write units of a plain write of this many bytes.
pub(super) const fn units(bytes: usize) -> u64 {
    let units = bytes.div_ceil(WRITE_UNIT_BYTES) as u64;
    if units == 0 { 1 } else { units }
}

/// The size of the larger of two images.
pub(super) fn larger(one: Option<&Item<'_>>, other: Option<&Item<'_>>) -> usize {
    let bytes = |image: Option<&Item<'_>>| image.map_or(0, item_bytes);
    bytes(one).max(bytes(other))
}
