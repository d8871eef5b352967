//! Reporting: what is found and done becomes the outcome.

use super::decode::Rejected;
use super::leads::Leads;
use super::meter::Metered;
use super::mirror::{BLOCKED, Judgement, Mark, Pair};
use super::outcome::{HandedBack, Operation, Outcome, WriteMade};
use super::process::Fatal;
use super::reference::{Claim, Stance, claim_path};
use super::violation::{ItemName, Kind, Orphans, Response, Violation};
use super::work::{Cause, Departure, MirrorSuspect};
use crate::data::{Item, Key};
use crate::rules::model::{EntityId, ReferenceId, Rules};
use crate::store::StoreError;

/// How many of the items left behind are named.
const ORPHANS_NAMED_MAX: usize = 10;

/// An outcome in the making.
#[derive(Debug)]
pub(super) struct Report<'r> {
    rules: &'r Rules,
    outcome: Outcome,
}

impl<'r> Report<'r> {
    /// Nothing yet, of this many records.
    pub(super) fn new(rules: &'r Rules, records: usize) -> Self {
        Self { rules, outcome: Outcome { records, ..Outcome::default() } }
    }

    /// The outcome, in the order of the records, and what it took.
    pub(super) fn finish<S>(mut self, store: &Metered<'_, S>) -> Outcome {
        self.outcome.violations.sort_by_key(|violation| violation.position);
        self.outcome.rejected.sort_by_key(|rejected| rejected.position);
        self.outcome.handed_back.sort_by_key(|handed_back| handed_back.position);
        let (requests, reads, units) = (store.requests(), store.reads(), store.units());
        Outcome { requests, reads, units, ..self.outcome }
    }

    /// The oldest change that a rule looks at was made at this time.
    pub(super) fn oldest(&mut self, created_ms: Option<i64>) {
        self.outcome.oldest_ms = created_ms;
    }

    /// A record cannot be understood.
    pub(super) fn reject(&mut self, rejected: Rejected) {
        self.outcome.rejected.push(rejected);
    }

    /// The store did not do what a piece of work needs.
    pub(super) fn fail(&mut self, error: StoreError, cause: &Cause<'_>) -> Result<(), Fatal> {
        match error {
            StoreError::Retry(reason) => self.outcome.handed_back.push(HandedBack {
                position: cause.from.position,
                sequence: cause.from.sequence.to_string(),
                reason,
            }),
            StoreError::Rejected(error) => self.reject(Rejected {
                position: cause.change.position,
                sequence: Some(cause.change.sequence.to_string()),
                error,
            }),
            StoreError::Fatal(message) => return Err(Fatal(message)),
        }
        Ok(())
    }

    /// Writes were made.
    pub(super) fn write_all(
        &mut self,
        rule: &str,
        made: Vec<(Operation, ItemName)>,
        cause: &Cause<'_>,
    ) {
        self.outcome.writes.extend(made.into_iter().map(|(operation, item)| WriteMade {
            rule: rule.to_owned(),
            operation,
            item,
            position: cause.change.position,
        }));
    }

    /// A reference is dangling, or wrong in itself.
    pub(super) fn claim(
        &mut self,
        rule: ReferenceId,
        claim: &Claim,
        item: ItemName,
        cause: &Cause<'_>,
    ) {
        let rule = &self.rules[rule];
        let to = &self.rules[rule.to];
        let (kind, referenced, detail) = match &claim.stance {
            Stance::Refers(key) => (
                Kind::DanglingReference,
                Some(ItemName { table: to.table, key: key.clone() }),
                format!("the referenced `{}` does not exist", to.name),
            ),
            Stance::Wrong(kind, detail) => (*kind, None, detail.clone()),
        };
        self.outcome.violations.push(Violation {
            rule: rule.name.clone(),
            kind,
            severity: rule.severity,
            referencing: Some(item),
            referenced,
            path: claim_path(rule, claim),
            sequence: cause.change.sequence.to_string(),
            response: Response::Reported,
            detail,
            orphans: None,
            position: cause.change.position,
        });
    }

    /// An item is gone, and others still refer to it.
    pub(super) fn orphaned(&mut self, departure: &Departure<'_>, found: Leads) {
        let rule = &self.rules[departure.finder.rule];
        let from = &self.rules[rule.from];
        let count = found.keys.len();
        let (more, left) = if found.more { ("at least ", true) } else { ("", false) };
        let detail = format!(
            "{more}{count} `{}` still {} to the deleted `{}`",
            from.name,
            if count == 1 { "refers" } else { "refer" },
            self.rules[rule.to].name,
        );
        let keys: Vec<_> = found.keys.into_iter().take(ORPHANS_NAMED_MAX).collect();
        let first = keys.first().map(|key| ItemName { table: from.table, key: key.clone() });
        self.outcome.violations.push(Violation {
            rule: rule.name.clone(),
            kind: Kind::Orphaned,
            severity: rule.severity,
            referencing: first,
            referenced: Some(departure.cause.item()),
            path: None,
            sequence: departure.cause.change.sequence.to_string(),
            response: Response::Reported,
            detail,
            orphans: Some(Orphans { count, more: left, keys }),
            position: departure.cause.change.position,
        });
    }

    /// A mirror is not what its source says.
    pub(super) fn mirror(
        &mut self,
        suspect: &MirrorSuspect<'_>,
        judgement: &Judgement,
        response: Response,
    ) {
        let detail = judgement.detail.to_owned();
        let violation =
            self.mirror_violation(&suspect.pair, judgement.kind, response, detail, &suspect.cause);
        self.outcome.violations.push(violation);
    }

    /// A mirror could not be written, for this is in its place.
    pub(super) fn blocked(&mut self, pair: &Pair, current: &Item<'_>, cause: &Cause<'_>) {
        if Mark::of(current, &self.rules[pair.rule].name).is_some() {
            // The mirror of this very change or a newer one: it was delivered before.
            return;
        }
        let detail = BLOCKED.to_owned();
        let violation =
            self.mirror_violation(pair, Kind::MirrorBlocked, Response::Reported, detail, cause);
        self.outcome.violations.push(violation);
    }

    fn mirror_violation(
        &self,
        pair: &Pair,
        kind: Kind,
        response: Response,
        detail: String,
        cause: &Cause<'_>,
    ) -> Violation {
        let rule = &self.rules[pair.rule];
        let item = |entity: EntityId, key: &Key<'static>| {
            Some(ItemName { table: self.rules[entity].table, key: key.clone() })
        };
        Violation {
            rule: rule.name.clone(),
            kind,
            severity: rule.severity,
            referencing: item(rule.mirror, &pair.mirror),
            referenced: item(rule.source, &pair.source),
            path: None,
            sequence: cause.change.sequence.to_string(),
            response,
            detail,
            orphans: None,
            position: cause.change.position,
        }
    }
}
