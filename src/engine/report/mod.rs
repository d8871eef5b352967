//! Reporting: what is found and done becomes the outcome.

pub(crate) mod outcome;

use crate::data::{Item, Key};
use crate::engine::detect::{Cause, Departure, MirrorSuspect};
use crate::engine::event::decode::Rejected;
use crate::engine::report::outcome::{HandedBack, Made, Outcome, WriteMade};
use crate::engine::resolve::{Held, Settled};
use crate::integrity::finding::{ItemName, Kind, Orphans, Response, Violation};
use crate::integrity::mirror::{BLOCKED, Judgement, Mark, Pair};
use crate::integrity::reference::{Stance, claim_path};
use crate::integrity::repair::Remedy;
use crate::rules::model::{EntityId, Rules};
use crate::runtime::error::Fatal;
use crate::runtime::meter::Metered;
use crate::runtime::transactions::Fate;
use crate::store::StoreError;

/// An outcome in the making.
#[derive(Debug)]
pub(crate) struct Report<'r> {
    rules: &'r Rules,
    outcome: Outcome,
}

impl<'r> Report<'r> {
    /// Nothing yet, of this many records.
    pub(crate) fn new(rules: &'r Rules, records: usize) -> Self {
        Self { rules, outcome: Outcome { records, ..Outcome::default() } }
    }

    /// The outcome, in the order of the records, and what it took.
    pub(crate) fn finish<S>(mut self, store: &Metered<'_, S>) -> Outcome {
        self.outcome.violations.sort_by_key(|violation| violation.position);
        self.outcome.rejected.sort_by_key(|rejected| rejected.position);
        self.outcome.handed_back.sort_by_key(|handed_back| handed_back.position);
        let (requests, reads, units) = (store.requests(), store.reads(), store.units());
        Outcome { requests, reads, units, ..self.outcome }
    }

    /// The oldest change that a rule looks at was made at this time.
    pub(crate) fn oldest(&mut self, created_ms: Option<i64>) {
        self.outcome.oldest_ms = created_ms;
    }

    /// A record cannot be understood.
    pub(crate) fn reject(&mut self, rejected: Rejected) {
        self.outcome.rejected.push(rejected);
    }

    /// The store did not do what a piece of work needs.
    pub(crate) fn fail(&mut self, error: StoreError, cause: &Cause<'_>) -> Result<(), Fatal> {
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
    pub(crate) fn write_all(&mut self, rule: &str, made: Vec<Made>, cause: &Cause<'_>) {
        let made = made.into_iter().map(|made| write_of(rule, made, cause));
        self.outcome.writes.extend(made);
    }

    /// Writes would have been made.
    pub(crate) fn planned(&mut self, rule: &str, planned: Made, cause: &Cause<'_>) {
        self.outcome.planned.push(write_of(rule, planned, cause));
    }

    /// A piece of work was begun, and not done with.
    pub(crate) fn unfinished(
        &mut self,
        error: Option<&StoreError>,
        cause: &Cause<'_>,
    ) -> Result<(), Fatal> {
        let unknown = || StoreError::Retry("it was not reached".to_owned());
        self.fail(error.cloned().unwrap_or_else(unknown), cause)
    }

    /// A reference is dangling, or wrong in itself; the note says what was in a repair's way.
    pub(crate) fn claim(&mut self, held: &Held<'_>, response: Response, note: Option<&str>) {
        let rule = &self.rules[held.rule];
        let to = &self.rules[rule.to];
        let (kind, referenced, mut detail) = match &held.claim.stance {
            Stance::Refers(key) => (
                Kind::DanglingReference,
                Some(ItemName { table: to.table, key: key.clone() }),
                format!("the referenced `{}` does not exist", to.name),
            ),
            Stance::Wrong(kind, detail) => (*kind, None, detail.clone()),
        };
        detail.extend(note.into_iter().flat_map(|note| ["; ", note]));
        self.outcome.violations.push(Violation {
            rule: rule.name.clone(),
            kind,
            severity: rule.severity,
            referencing: Some(held.item.clone()),
            referenced,
            path: claim_path(rule, &held.claim),
            sequence: held.cause.change.sequence.to_string(),
            response,
            detail,
            orphans: None,
            position: held.cause.change.position,
        });
    }

    /// An item is gone, and this became of those who referred to it.
    pub(crate) fn departure(
        &mut self,
        departure: &Departure<'_>,
        settled: Settled,
    ) -> Result<(), Fatal> {
        let rule = &self.rules[departure.finder.rule];
        let cause = &departure.cause;
        if settled.response == Response::WouldRepair {
            settled.made.into_iter().for_each(|made| self.planned(&rule.name, made, cause));
        } else {
            self.write_all(&rule.name, settled.made, cause);
        }
        if let Some(error) = settled.unfinished {
            return self.fail(error, cause);
        }
        let count = settled.count;
        let orphans = Orphans { count, more: settled.more, keys: settled.named };
        let violation = |kind, response, detail| {
            departed(self.rules, departure, (kind, response, detail), &orphans)
        };
        let told = || orphaned_words(self.rules, departure, &orphans, settled.response);
        let violations = match settled.limit {
            Some((Kind::DepthExceeded, words)) => {
                let detail = format!("{words}; {}", told());
                vec![violation(Kind::DepthExceeded, Response::Reported, detail)]
            }
            Some((kind, words)) => vec![
                violation(Kind::Orphaned, settled.response, told()),
                violation(kind, Response::Reported, words),
            ],
            None if count > 0 => {
                let note = settled.note.map(|note| format!("; {note}")).unwrap_or_default();
                let detail = format!("{}{note}", told());
                vec![violation(Kind::Orphaned, settled.response, detail)]
            }
            None => Vec::new(),
        };
        self.outcome.violations.extend(violations);
        for (key, fate) in settled.left {
            self.left_behind(departure, key, &fate);
        }
        Ok(())
    }

    /// An item refers to a deleted one, and could not be repaired.
    fn left_behind(&mut self, departure: &Departure<'_>, key: Key<'static>, fate: &Fate) {
        let rule = &self.rules[departure.finder.rule];
        let (response, why) = match fate {
            Fate::Failed(why) => (Response::Failed, why.as_str()),
            Fate::Impossible(why) => (Response::Reported, why.as_str()),
            Fate::Repaired(_) | Fate::Whole => return,
        };
        let detail = format!("the referenced `{}` was deleted; {why}", self.rules[rule.to].name);
        self.outcome.violations.push(Violation {
            kind: Kind::DanglingReference,
            referencing: Some(ItemName { table: self.rules[rule.from].table, key }),
            orphans: None,
            ..departed(
                self.rules,
                departure,
                (Kind::Orphaned, response, detail),
                &Orphans::default(),
            )
        });
    }

    /// A mirror is not what its source says.
    pub(crate) fn mirror(
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
    pub(crate) fn blocked(&mut self, pair: &Pair, current: &Item<'_>, cause: &Cause<'_>) {
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

fn write_of(rule: &str, made: Made, cause: &Cause<'_>) -> WriteMade {
    let Made { operation, item, detail } = made;
    WriteMade { rule: rule.to_owned(), operation, item, detail, position: cause.change.position }
}

/// A violation about those whom a deleted item leaves behind.
fn departed(
    rules: &Rules,
    departure: &Departure<'_>,
    (kind, response, detail): (Kind, Response, String),
    orphans: &Orphans,
) -> Violation {
    let rule = &rules[departure.finder.rule];
    let first = orphans.keys.first();
    Violation {
        rule: rule.name.clone(),
        kind,
        severity: rule.severity,
        referencing: first.map(|key| ItemName { table: rules[rule.from].table, key: key.clone() }),
        referenced: Some(departure.cause.item()),
        path: None,
        sequence: departure.cause.change.sequence.to_string(),
        response,
        detail,
        orphans: Some(orphans.clone()),
        position: departure.cause.change.position,
    }
}

/// Who was left behind, and what was done about it, in words.
fn orphaned_words(
    rules: &Rules,
    departure: &Departure<'_>,
    orphans: &Orphans,
    response: Response,
) -> String {
    let rule = &rules[departure.finder.rule];
    let (from, to) = (&rules[rule.from].name, &rules[rule.to].name);
    let more = if orphans.more { "at least " } else { "" };
    let is_one = orphans.count == 1;
    let who = format!("{more}{} `{from}`", orphans.count);
    let still = if is_one { "still refers" } else { "still refer" };
    match Remedy::of_delete(departure.action) {
        Some(remedy) if response == Response::Repaired => {
            format!("{who} referred to the deleted `{to}`: {}", remedy.done())
        }
        Some(remedy) if response == Response::WouldRepair => {
            format!("{who} {still} to the deleted `{to}`, to be: {}", remedy.done())
        }
        None if response == Response::Repaired => {
            format!("{who} {still} to the deleted `{to}`, which was brought back")
        }
        None if response == Response::WouldRepair => {
            format!("{who} {still} to the deleted `{to}`, which would be brought back")
        }
        _ => format!("{who} {still} to the deleted `{to}`"),
    }
}
