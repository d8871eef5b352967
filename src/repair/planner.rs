//! From findings, and the items as they are now, to planned writes.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{NoAction, RepairAction};
use super::claim::{Claim, RuleId};
use super::finding_lines::ClaimError;
use super::planned::{Entry, NoRequest, PlannedWrite, Request, after, mirror_steps, name_of};
use super::reads::{Items, read_items};
use super::recheck::{pair, recheck};
use super::stopped::Stopped;
use crate::data::Item;
use crate::integrity::finding::{Defect, ItemName, Kind};
use crate::integrity::mirror::{
    self, Correction, Difference, Precondition, Step, compare_at_rest, expected,
};
use crate::integrity::repair::{Obstacle, Remedy};
use crate::rules::model::{MirrorId, Mode, OnMissing, ReferenceId, Rules};
use crate::store::{Action, Store, StoreError};

/// How many findings are planned at once. Each needs two items, and a request reads 100.
const CHUNK: usize = 50;

/// What a plan contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Whether unmarked items that equal their mirrors get a mark, whatever their rule says.
    pub adopt: bool,
    /// Whether only mirrors that do not exist are written, and unmarked ones adopted.
    pub only_missing: bool,
}

/// Plans the writes that resolve findings, and emits the entries of the plan in order. `now_ms` is
/// the time, in milliseconds since 1970.
///
/// References to missing items are repaired before mirrors, so that no mirror is written for a
/// source that is deleted. References to mirrors that the plan writes come last: most of them are
/// resolved by then. This needs all findings, and the items that are written, in memory; a plan of
/// only missing mirrors needs neither.
pub async fn plan(
    rules: &Rules,
    (store, now_ms): (&impl Store, i64),
    claims: impl IntoIterator<Item = Result<Claim, ClaimError>>,
    options: Options,
    mut emit: impl FnMut(Entry) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let (written, read) = (BTreeMap::new(), Items::new());
    let mut planner = Planner { rules, store, now_ms, options, written, number: 0, read };
    if options.only_missing {
        let mut chunk = Vec::with_capacity(CHUNK);
        for claim in claims {
            let claim = claim?;
            if claim.mirror_rule(rules).is_some() {
                chunk.push(claim);
            }
            if chunk.len() == CHUNK {
                planner.chunk(&chunk.iter().collect::<Vec<_>>(), &mut emit).await?;
                chunk.clear();
            }
        }
        return planner.chunk(&chunk.iter().collect::<Vec<_>>(), &mut emit).await;
    }
    let claims: Vec<Claim> = claims.into_iter().collect::<Result<_, _>>()?;
    let missing: BTreeSet<&ItemName> = claims
        .iter()
        .filter(|claim| claim.kind == Kind::MirrorMissing)
        .filter_map(|claim| claim.referencing.as_ref())
        .collect();
    let phase = |claim: &Claim| match &claim.referenced {
        _ if claim.mirror_rule(rules).is_some() => 1,
        Some(target) if missing.contains(target) => 2,
        _ => 0,
    };
    for of_phase in 0..3 {
        let claims: Vec<&Claim> = claims.iter().filter(|claim| phase(claim) == of_phase).collect();
        for chunk in claims.chunks(CHUNK) {
            planner.chunk(chunk, &mut emit).await?;
        }
    }
    Ok(())
}

impl Claim {
    fn mirror_rule(&self, rules: &Rules) -> Option<MirrorId> {
        match self.rule_id(rules) {
            Some(RuleId::Mirror(rule)) if self.kind != Kind::UnknownItem => Some(rule),
            _ => None,
        }
    }
}

/// A plan in progress.
struct Planner<'p, S> {
    rules: &'p Rules,
    store: &'p S,
    /// The time, in milliseconds since 1970.
    now_ms: i64,
    options: Options,
    /// The items that the plan writes: as they are after it, and the number of the last write.
    written: BTreeMap<ItemName, (Option<Item<'static>>, u64)>,
    /// The number of the last write.
    number: u64,
    /// The items that were read for this chunk.
    read: Items,
}

impl<S: Store> Planner<'_, S> {
    async fn chunk(
        &mut self,
        claims: &[&Claim],
        emit: &mut impl FnMut(Entry) -> Result<(), Stopped>,
    ) -> Result<(), Stopped> {
        let names = claims.iter().flat_map(|claim| claim.items(self.rules));
        self.read = read_items(self.rules, self.store, names).await?;
        for claim in claims {
            match self.claim(claim).await? {
                Err(why) => emit(Entry::NoAction(Box::new((*claim).clone()), why))?,
                Ok(writes) => {
                    for mut write in writes {
                        self.number += 1;
                        write.number = self.number;
                        // Writes of missing mirrors do not depend on each other.
                        if !self.options.only_missing {
                            let item = write.item().cloned();
                            let after = (write.after.clone(), write.number);
                            self.written.extend(item.map(|item| (item, after)));
                        }
                        emit(Entry::Write(Box::new(write)))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The item as it is after the writes so far.
    fn item(&self, name: Option<&ItemName>) -> Option<&Item<'static>> {
        let name = name?;
        match self.written.get(name) {
            Some((item, _)) => item.as_ref(),
            None => self.read.get(name)?.as_ref(),
        }
    }

    async fn claim(
        &mut self,
        claim: &Claim,
    ) -> Result<Result<Vec<PlannedWrite>, NoAction>, StoreError> {
        match claim.rule_id(self.rules) {
            _ if claim.kind == Kind::UnknownItem => Ok(Err(self.unrepairable(claim))),
            Some(RuleId::Reference(rule)) => self.reference(rule, claim).await,
            Some(RuleId::Mirror(rule)) => Ok(self.mirror(rule, claim)),
            None => Ok(Err(NoAction::Unrepairable)),
        }
    }

    async fn reference(
        &mut self,
        rule: ReferenceId,
        claim: &Claim,
    ) -> Result<Result<Vec<PlannedWrite>, NoAction>, StoreError> {
        let reference = &self.rules[rule];
        if reference.mode == Mode::Off {
            return Ok(Err(NoAction::Off));
        }
        if matches!(claim.kind, Kind::Orphaned | Kind::FanoutExceeded | Kind::DepthExceeded) {
            return Ok(Err(NoAction::OfStream));
        }
        let Some(remedy) = Remedy::of_missing(reference.on_missing) else {
            let why = match (claim.kind, reference.on_missing) {
                (Kind::DanglingReference, OnMissing::Revert) => NoAction::CannotRevert,
                (Kind::DanglingReference, _) => NoAction::OnlyReported,
                _ => NoAction::Unrepairable,
            };
            return Ok(Err(if self.holds(claim) { why } else { self.resolved(claim) }));
        };
        if claim.kind != Kind::DanglingReference {
            return Ok(Err(self.unrepairable(claim)));
        }
        if !self.holds(claim) {
            return Ok(Err(self.resolved(claim)));
        }
        let before = self.item(claim.referencing.as_ref()).cloned();
        let action = RepairAction::of_remedy(remedy);
        let claim = claim.clone();
        let mut write = PlannedWrite { number: 0, claim, action, before, after: None };
        let request = match write.request(self.rules, self.now_ms) {
            Ok(request) => request,
            Err(why) => return Ok(Err(self.no_request(&write.claim, why))),
        };
        if !self.others_hold(&request).await? {
            return Ok(Err(NoAction::Impossible(Obstacle::ReplacementMissing)));
        }
        let main = request.actions.get(request.main).map(|write| &write.action);
        Ok(match main.map(|action| after(action, write.before.as_ref())) {
            Some(Ok(image)) => {
                write.after = image;
                Ok(vec![write])
            }
            Some(Err(error)) => Err(NoAction::Impossible(Obstacle::Refused(error.to_string()))),
            None => Err(NoAction::Unrepairable),
        })
    }

    /// Whether the checks of a request hold that are about other items than the written one and the
    /// missing one. It reads these items.
    async fn others_hold(&mut self, request: &Request) -> Result<bool, StoreError> {
        for (position, write) in request.actions.iter().enumerate() {
            if position == request.main || !matches!(write.action, Action::Check(_)) {
                continue;
            }
            let Some(name) = name_of(self.rules, write) else { continue };
            if !self.read.contains_key(&name) && !self.written.contains_key(&name) {
                let found = read_items(self.rules, self.store, [name.clone()]).await?;
                self.read.extend(found);
            }
            let item = self.item(Some(&name));
            if !write.condition.as_ref().is_none_or(|condition| condition.holds(item)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn mirror(&self, rule: MirrorId, claim: &Claim) -> Result<Vec<PlannedWrite>, NoAction> {
        let rules = self.rules;
        if rules[rule].mode == Mode::Off {
            return Err(NoAction::Off);
        }
        let mirror = claim.referencing.as_ref();
        let pair = mirror.and_then(|mirror| pair(rules, rule, mirror));
        let pair = pair.ok_or(NoAction::Unrepairable)?;
        let source = ItemName { table: rules.source_of(rule).table, key: pair.source.clone() };
        let (found, source) = (self.item(mirror), self.item(Some(&source)));
        let Some(Difference { defect, correction }) =
            compare_at_rest(rules, &pair, found, source, self.now_ms)
        else {
            return Err(self.resolved(claim));
        };
        let put = |precondition| {
            let content = expected(rules, &pair, source);
            content.map(|content| Correction::Put { content, precondition })
        };
        let Options { adopt, only_missing } = self.options;
        let (actions, correction): (&[RepairAction], _) = if defect == Defect::MirrorMissing {
            let absent = || put(Precondition::Absent(None));
            (&[RepairAction::PutMirror], if only_missing { absent() } else { correction })
        } else if defect == Defect::MirrorUnmarked {
            let correction = if adopt { put(Precondition::Unmarked) } else { correction };
            (&[RepairAction::AdoptMirror], Some(correction.ok_or(NoAction::Unmarked)?))
        } else if matches!(defect, Defect::MirrorBlocked | Defect::UnmarkedWithoutSource) {
            return Err(NoAction::NotOurs);
        } else if only_missing {
            return Err(NoAction::NotMissing);
        } else if defect == Defect::SourceMissing {
            (&[RepairAction::AnnounceDelete, RepairAction::DeleteMirror], correction)
        } else {
            (&[RepairAction::OverwriteMirror], correction)
        };
        let correction = correction.ok_or(NoAction::OnlyReported)?;
        let steps = mirror_steps(rules, &pair, correction, found);
        let actions = actions.iter().skip(actions.len().saturating_sub(steps.len()));
        // What is wrong now may not be what was found then.
        let now = Claim::of(rules, &mirror::finding(rules, &pair, defect));
        let claim = if now.kind == claim.kind { claim } else { &now };
        mirror_writes(claim, actions.copied().zip(steps), found)
    }

    fn holds(&self, claim: &Claim) -> bool {
        recheck(self.rules, claim, &|name| self.item(Some(name)), self.now_ms).is_some()
    }

    fn unrepairable(&self, claim: &Claim) -> NoAction {
        if self.holds(claim) { NoAction::Unrepairable } else { self.resolved(claim) }
    }

    /// Why a claim does not hold: by itself, or after an earlier write.
    fn resolved(&self, claim: &Claim) -> NoAction {
        let items = claim.items(self.rules);
        let by = items.iter().filter_map(|name| self.written.get(name)).map(|(_, by)| *by).max();
        by.map_or(NoAction::Resolved, |by| NoAction::Covered { by })
    }

    fn no_request(&self, claim: &Claim, why: NoRequest) -> NoAction {
        match why {
            NoRequest::NotBroken => self.resolved(claim),
            NoRequest::Impossible(obstacle) => NoAction::Impossible(obstacle),
        }
    }
}

/// The writes of a mirror, one for each step.
fn mirror_writes(
    claim: &Claim,
    steps: impl Iterator<Item = (RepairAction, Step)>,
    found: Option<&Item<'static>>,
) -> Result<Vec<PlannedWrite>, NoAction> {
    let mut before = found.cloned();
    let mut writes = Vec::new();
    for (action, step) in steps {
        let Step::Single(write) = step else { return Err(NoAction::Unrepairable) };
        let image = after(&write.action, before.as_ref())
            .map_err(|error| NoAction::Impossible(Obstacle::Refused(error.to_string())))?;
        let claim = claim.clone();
        writes.push(PlannedWrite { number: 0, claim, action, before, after: image.clone() });
        before = image;
    }
    Ok(writes)
}
