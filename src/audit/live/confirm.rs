//! The second look: suspects are read again, strongly consistent, and only those that are still
//! wrong are findings.
//!
//! A scan is eventually consistent and takes time, so it sees a state that the tables never had: an
//! item before a change, and its target after it. Even a strongly consistent read of two items sees
//! them at two moments. Therefore, a suspect must be wrong in two looks, in the same way, with the
//! rule's grace between them. An item and its target that are written or deleted together in the
//! middle of one look are in order in the other. What is wrong in another way each time is looked at
//! again a few times, and then counted as unsettled, but never reported.

use std::collections::BTreeSet;
use std::iter::Peekable;

use futures_util::lock::Mutex;
use futures_util::stream::{self, StreamExt as _};

use super::Interrupted;
use super::look::{Wrong, look};
use super::suspect::Suspect;
use crate::audit::suspect::unknown_item;
use crate::integrity::finding::{Finding, ItemName};
use crate::integrity::index::Index;
use crate::integrity::mirror::{self, MIRROR_GRACE_MS};
use crate::integrity::reference::{ReferenceState, broken};
use crate::rules::model::{Reference, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::pass::Pass;
use crate::runtime::repair_log::NoRepairLog;
use crate::runtime::stop::Stop;
use crate::store::{Store, StoreError};

/// The number of suspects that are read together.
const BLOCK: usize = 1_000;
/// The number of blocks that wait for their second look at the same time. What waits is small.
const BLOCKS_WAITING: usize = 32;
/// The maximum number of looks at a suspect.
const LOOKS_MAX: usize = 5;

/// How many suspects were what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmed {
    /// The findings. A suspect with several broken values has several.
    pub findings: u64,
    /// Suspects that are in order.
    pub cleared: u64,
    /// Suspects that were wrong in another way at each look: they change too often to be judged.
    pub unsettled: u64,
}

/// Looks at suspects again, and passes on the findings in the order of the suspects.
///
/// Equal suspects must follow each other; they are looked at once. `scanned_ms` is when the scan
/// ended, in milliseconds since 1970. The first look waits until the longest grace of all rules is
/// over.
pub async fn confirm<S: Store, C: Clock, E>(
    rules: &Rules,
    (store, clock, stop): (&S, &C, &Stop),
    scanned_ms: i64,
    suspects: impl Iterator<Item = Result<Suspect, E>>,
    mut found: impl FnMut(Finding) -> Result<(), E>,
) -> Result<Confirmed, Interrupted<E>> {
    let index = Index::new(rules);
    let pass = Pass { rules, index: &index, store, clock, repairs: &NoRepairLog };
    let mut suspects = suspects.peekable();
    let mut total = Confirmed::default();
    if suspects.peek().is_none() {
        return Ok(total);
    }
    let longest_ms = rules.references.iter().map(grace_ms).fold(MIRROR_GRACE_MS, i64::max);
    let passed_ms = clock.now_ms().saturating_sub(scanned_ms).clamp(0, longest_ms);
    stop.wait_ms(clock, longest_ms - passed_ms).await;

    let reading = Mutex::new(());
    let blocks = std::iter::from_fn(|| block(&mut suspects).transpose());
    let confirmed = stream::iter(blocks).map(|block| async {
        let block = Block::new(block.map_err(Interrupted::Sink)?);
        block.confirm(pass, stop, &reading).await
    });
    let mut confirmed = std::pin::pin!(confirmed.buffered(BLOCKS_WAITING));
    while let Some(block) = confirmed.next().await {
        let (findings, counts) = block?;
        total.findings += counts.findings;
        total.cleared += counts.cleared;
        total.unsettled += counts.unsettled;
        findings.into_iter().try_for_each(&mut found).map_err(Interrupted::Sink)?;
    }
    Ok(total)
}

/// The next block of suspects; `None` at the end. An item with many broken values is suspected for
/// each of them, and looked at once.
fn block<E>(
    suspects: &mut Peekable<impl Iterator<Item = Result<Suspect, E>>>,
) -> Result<Option<Vec<Suspect>>, E> {
    let mut block: Vec<Suspect> = Vec::new();
    while let Some(suspect) = suspects.next_if(|next| {
        block.len() < BLOCK || next.as_ref().is_ok_and(|next| block.last() == Some(next))
    }) {
        let suspect = suspect?;
        if block.last() != Some(&suspect) {
            block.push(suspect);
        }
    }
    Ok((!block.is_empty()).then_some(block))
}

/// Suspects that are looked at together.
struct Block {
    suspects: Vec<Open>,
}

/// A suspect that is neither confirmed nor cleared.
struct Open {
    position: usize,
    suspect: Suspect,
    /// What was wrong at the last look.
    seen: Wrong,
    /// The values that are findings already.
    reported: BTreeSet<ReferenceState>,
}

impl Block {
    fn new(suspects: Vec<Suspect>) -> Self {
        let open = |(position, suspect)| Open {
            position,
            suspect,
            seen: Wrong::Nothing,
            reported: BTreeSet::new(),
        };
        Self { suspects: suspects.into_iter().enumerate().map(open).collect() }
    }

    /// Looks at the suspects until each is settled. Only one block reads at a time, because the
    /// items of a block may take much memory.
    async fn confirm<E>(
        mut self,
        pass: Pass<'_, impl Store, impl Clock>,
        stop: &Stop,
        reading: &Mutex<()>,
    ) -> Result<(Vec<Finding>, Confirmed), Interrupted<E>> {
        let mut counts = Confirmed::default();
        let mut findings = Vec::new();
        for number in 0..LOOKS_MAX {
            let wait_ms = if number == 0 { 0 } else { self.grace_ms(pass.rules) };
            if !stop.wait_ms(pass.clock, wait_ms).await {
                return Err(Interrupted::Stopped);
            }
            let suspects: Vec<_> = self.suspects.iter().map(|open| &open.suspect).collect();
            let wrong = {
                let _reading = reading.lock().await;
                // A stop makes a request that waits for the rate limit fail.
                let looked = look(pass, &suspects).await;
                looked.map_err(|error| interrupted(stop, error))?
            };
            let mut wrong = wrong.into_iter();
            self.suspects.retain_mut(|open| {
                let now = wrong.next().unwrap_or(Wrong::Nothing);
                let judged = open.judge(pass.rules, now, &mut findings);
                counts.cleared += u64::from(judged == Judged::Cleared);
                judged == Judged::Open
            });
            if self.suspects.is_empty() {
                break;
            }
        }
        findings.sort_by_key(|(position, _)| *position);
        let findings: Vec<_> = findings.into_iter().map(|(_, finding)| finding).collect();
        counts.findings = count(findings.len());
        counts.unsettled = count(self.suspects.len());
        Ok((findings, counts))
    }

    /// The wait before the next look, in milliseconds.
    fn grace_ms(&self, rules: &Rules) -> i64 {
        let of = |open: &Open| match &open.suspect {
            Suspect::Reference { rule, .. } => grace_ms(&rules[*rule]),
            Suspect::Mirror { .. } | Suspect::Source { .. } => MIRROR_GRACE_MS,
            Suspect::Unknown { .. } => 0,
        };
        self.suspects.iter().map(of).max().unwrap_or(0)
    }
}

/// The result of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// Something is wrong that was not wrong in the same way before.
    Open,
    /// Nothing is wrong, and nothing was reported.
    Cleared,
    /// All that is wrong was reported.
    Confirmed,
}

impl Open {
    /// Compares what is wrong now with what was wrong at the last look. What is the same in both is
    /// a finding.
    fn judge(&mut self, rules: &Rules, now: Wrong, findings: &mut Vec<(usize, Finding)>) -> Judged {
        let mut report = |finding| findings.push((self.position, finding));
        match (&self.suspect, &self.seen, now) {
            (_, _, Wrong::Nothing) if self.reported.is_empty() => return Judged::Cleared,
            (_, _, Wrong::Nothing) => return Judged::Confirmed,
            (Suspect::Mirror { .. } | Suspect::Source { .. }, seen, Wrong::Mirror(now)) => {
                if matches!(seen, Wrong::Mirror(before) if *before == now) {
                    report(mirror::finding(rules, &now.pair, now.defect.clone()));
                    return Judged::Confirmed;
                }
                self.seen = Wrong::Mirror(now);
            }
            (Suspect::Reference { rule, key }, seen, Wrong::References(now)) => {
                let before = if let Wrong::References(before) = seen { &**before } else { &[] };
                let mut others = Vec::new();
                for (value, unmet) in now {
                    if self.reported.contains(&value.state) {
                        continue;
                    }
                    if before.iter().any(|(before, _)| before.state == value.state) {
                        let table = rules.referencing(*rule).table;
                        let item = ItemName { table, key: key.clone() };
                        report(broken(rules, *rule, item, &value).with_unmet(unmet));
                        self.reported.insert(value.state);
                    } else {
                        others.push((value, unmet));
                    }
                }
                if others.is_empty() {
                    return Judged::Confirmed;
                }
                self.seen = Wrong::References(others);
            }
            (Suspect::Unknown { table, key }, Wrong::Unknown, Wrong::Unknown) => {
                report(unknown_item(rules, *table, key));
                return Judged::Confirmed;
            }
            (_, _, now) => self.seen = now,
        }
        Judged::Open
    }
}

fn interrupted<E>(stop: &Stop, error: StoreError) -> Interrupted<E> {
    if stop.is_set() { Interrupted::Stopped } else { Interrupted::Store(error) }
}

fn grace_ms(reference: &Reference) -> i64 {
    i64::try_from(reference.grace.as_millis()).unwrap_or(i64::MAX)
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
