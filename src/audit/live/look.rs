//! One look at suspects: reads them, strongly consistent, and says what is wrong with each.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::suspect::Suspect;
use crate::data::{Item, Key};
use crate::integrity::finding::{Defect, Unmet};
use crate::integrity::index::Projection;
use crate::integrity::membership::is_unknown;
use crate::integrity::mirror::{self, Mark, Pair};
use crate::integrity::reference::{ReferenceValue, evaluate};
use crate::rules::model::{MirrorId, ReferenceId, Rules, TableId};
use crate::runtime::clock::Clock;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Slot, Snapshot, TargetSlots};
use crate::store::{Store, StoreError};

/// What is wrong with a suspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Nothing.
    Nothing,
    /// These values of the reference are broken, each with the condition that the item at the
    /// referenced key does not meet, if an item is there.
    References(Vec<(ReferenceValue, Option<Unmet>)>),
    /// The mirror differs from what its source requires.
    Mirror(Box<MirrorState>),
    /// The item belongs to no entity.
    Unknown,
}

/// A wrong mirror, without the content: thousands of them wait for the second look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MirrorState {
    /// What is wrong.
    pub(super) defect: Defect,
    /// The mirror and its source.
    pub(super) pair: Pair,
    /// The hash of what the rule looks at in the source; `None` if there is no source.
    source: Option<u64>,
    /// The mirror's fence, if it carries the rule's mark. A newer one belongs to another write.
    fence: Option<String>,
}

/// Looks at these suspects. The answers are in the same order.
pub(super) async fn look(
    pass: Pass<'_, impl Store, impl Clock>,
    suspects: &[&Suspect],
) -> Result<Vec<Wrong>, StoreError> {
    let mut reads = ReadSet::default();
    let asked: Vec<_> = suspects.iter().map(|suspect| ask(pass, suspect, &mut reads)).collect();
    let snapshot = reads.fetch(pass).await;
    let mut targets = ReadSet::default();
    let mut answers = Vec::with_capacity(suspects.len());
    for asked in asked {
        answers.push(match asked {
            Asked::Reference { rule, key, item } => {
                let values = values(pass.rules, rule, key, snapshot.item(item)?);
                let with_target = values.into_iter().map(|value| {
                    let target = value.state.key();
                    let slot = target.map(|key| targets.want_target(pass, rule, key));
                    (value, slot)
                });
                Answer::Reference(with_target.collect())
            }
            Asked::Mirror { pair, mirror, source } => {
                let (mirror, source) = (snapshot.item(mirror)?, snapshot.item(source)?);
                let state = state(pass.rules, &pair, (mirror, source), snapshot.read_ms());
                Answer::Known(state.map_or(Wrong::Nothing, |state| Wrong::Mirror(Box::new(state))))
            }
            Asked::Source { rule, key, item } => {
                let pair = pair_of(pass.rules, rule, key, snapshot.item(item)?);
                match pair {
                    Some(pair) => {
                        let slots = targets.want_pair(pass, &pair);
                        Answer::Mirror(pair, slots)
                    }
                    None => Answer::Known(Wrong::Nothing),
                }
            }
            Asked::Unknown { table, key, item } => {
                let item = snapshot.item(item)?;
                let is_unknown =
                    item.is_some_and(|item| is_unknown(pass.rules, pass.index, table, key, item));
                Answer::Known(if is_unknown { Wrong::Unknown } else { Wrong::Nothing })
            }
        });
    }
    // The targets are read after the items that refer to them, as they were found to.
    drop(snapshot);
    let targets = targets.fetch(pass).await;
    answers.into_iter().map(|answer| answer.wrong(pass.rules, &targets)).collect()
}

/// The slots of what was asked for.
enum Asked<'s> {
    Reference { rule: ReferenceId, key: &'s Key<'static>, item: Slot },
    Mirror { pair: Pair, mirror: Slot, source: Slot },
    Source { rule: MirrorId, key: &'s Key<'static>, item: Slot },
    Unknown { table: TableId, key: &'s Key<'static>, item: Slot },
}

fn ask<'s, 'p, S, C>(
    pass: Pass<'p, S, C>,
    suspect: &'s Suspect,
    reads: &mut ReadSet<'p>,
) -> Asked<'s> {
    let Pass { rules, index, .. } = pass;
    match suspect {
        Suspect::Reference { rule, key } => {
            let (rule, table) = (*rule, rules.referencing(*rule).table);
            Asked::Reference { rule, key, item: reads.want(table, key, index.referencing(rule)) }
        }
        Suspect::Mirror { rule, mirror, source } => {
            let pair = Pair { rule: *rule, source: source.clone(), mirror: mirror.clone() };
            let [mirror, source] = reads.want_pair(pass, &pair);
            Asked::Mirror { pair, mirror, source }
        }
        Suspect::Source { rule, source } => {
            let (rule, table) = (*rule, rules.source_of(*rule).table);
            Asked::Source { rule, key: source, item: reads.want(table, source, index.source(rule)) }
        }
        Suspect::Unknown { table, key } => {
            let item = reads.want(*table, key, Cow::Owned(Projection::All));
            Asked::Unknown { table: *table, key, item }
        }
    }
}

/// The values of a reference in an item as it is now.
fn values(
    rules: &Rules,
    rule: ReferenceId,
    key: &Key<'_>,
    item: Option<&Item<'static>>,
) -> Vec<ReferenceValue> {
    let from = rules.referencing(rule);
    let Some(item) = item.filter(|item| from.admits(item)) else { return Vec::new() };
    let captures = from.key.parse(key);
    captures.map(|captures| evaluate(rules, &rules[rule], &captures, item)).unwrap_or_default()
}

/// A source, as it is now, with the mirror that it requires.
fn pair_of(
    rules: &Rules,
    rule: MirrorId,
    key: &Key<'_>,
    source: Option<&Item<'static>>,
) -> Option<Pair> {
    let captures = rules.source_of(rule).key.parse(key)?;
    Pair::of_source(rules, rule, &captures, source).ok().flatten()
}

/// What is wrong with a mirror.
fn state(
    rules: &Rules,
    pair: &Pair,
    (mirror, source): (Option<&Item<'static>>, Option<&Item<'static>>),
    now_ms: i64,
) -> Option<MirrorState> {
    let difference = mirror::compare_at_rest(rules, pair, mirror, source, now_ms)?;
    let fence = mirror.and_then(|item| Mark::of(item, &rules[pair.rule]));
    Some(MirrorState {
        defect: difference.defect,
        pair: pair.clone(),
        source: source.map(hash),
        fence: fence.map(|mark| mark.fence.into_owned()),
    })
}

/// A hash for comparisons within one run.
fn hash(item: &Item<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    item.hash(&mut hasher);
    hasher.finish()
}

enum Answer {
    /// Each value, with the slots of its targets if it has any.
    Reference(Vec<(ReferenceValue, Option<TargetSlots>)>),
    /// A mirror and its source, with their slots.
    Mirror(Pair, [Slot; 2]),
    Known(Wrong),
}

impl Answer {
    fn wrong(self, rules: &Rules, targets: &Snapshot) -> Result<Wrong, StoreError> {
        let values = match self {
            Self::Known(wrong) => return Ok(wrong),
            Self::Mirror(pair, [mirror, source]) => {
                let items = (targets.item(mirror)?, targets.item(source)?);
                let state = state(rules, &pair, items, targets.read_ms());
                return Ok(state.map_or(Wrong::Nothing, |state| Wrong::Mirror(Box::new(state))));
            }
            Self::Reference(values) => values,
        };
        let mut broken = Vec::new();
        for (value, target) in values {
            let Some(target) = target else {
                broken.push((value, None));
                continue;
            };
            if !targets.has_target(rules, &target)? {
                broken.push((value, targets.unmet(rules, &target)?));
            }
        }
        Ok(if broken.is_empty() { Wrong::Nothing } else { Wrong::References(broken) })
    }
}
