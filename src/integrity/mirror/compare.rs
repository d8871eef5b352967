//! Compares a mirror with its source: whether it is as the source requires, and what corrects it.

use super::content::{Pair, expected, is_same};
use super::mark::Mark;
use crate::data::Item;
use crate::integrity::change::Change;
use crate::integrity::expiry::is_expired;
use crate::integrity::finding::Defect;
use crate::integrity::mark::MARK;
use crate::rules::model::{Mirror, MirrorId, OnMirrorDelete, OnMirrorEdit, Rules};

/// What a change of a mirror calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Clean,
    /// Referee's own write is out of date. It is corrected, and is not a violation.
    Outdated(Correction),
    /// Apparently someone else's write, which is looked at again after a grace period.
    Suspect,
}

/// How a mirror differs from what its source requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What is wrong.
    pub(crate) defect: Defect,
    /// What corrects it; `None` if the rule leaves it as it is.
    pub(crate) correction: Option<Correction>,
}

/// The write that corrects a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Correction {
    /// Write the mirror.
    Put {
        /// The mirror, without its mark.
        content: Item<'static>,
        /// What must be true of the item at the mirror's key.
        precondition: Precondition,
    },
    /// Delete the mirror if it still has this fence.
    Delete {
        /// The fence.
        fence: String,
    },
    /// Delete the source, because someone deleted its mirror.
    DeleteSource {
        /// The fence of the deleted mirror.
        fence: String,
    },
}

/// What must be true of the item at a mirror's key for a write to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// There is no item, or it is the rule's mirror with a lower fence: this write is newer.
    OlderThan(String),
    /// The item is the rule's mirror with exactly this fence. A newer mirror has a record of its
    /// own.
    Seen(String),
    /// There is no item. The fence is that of the deleted mirror, if it is known.
    Absent(Option<String>),
    /// The item has no mark, and the rule adopts it.
    Unmarked,
}

/// What a change of a mirror calls for, given its source as it is now. `by_ttl` says whether TTL made
/// the change.
pub(crate) fn assess(
    rules: &Rules,
    pair: &Pair,
    change: &Change<'_>,
    source: Option<&Item<'_>>,
    (by_ttl, now_ms): (bool, i64),
) -> Verdict {
    let rule = &rules[pair.rule];
    let before = change.before.as_ref().and_then(|item| Mark::of(item, rule));
    let after = change.after.as_ref().and_then(|item| Mark::of(item, rule));
    let announced = if change.after.is_none() { &before } else { &after };
    if let Some(mark) = announced.as_ref().filter(|mark| mark.deleting) {
        return assess_own_delete(mark.fence.to_string(), change, expected(rules, pair, source));
    }
    let removal = removal(rules, pair, change, by_ttl);
    if compare(rules, pair, change.after.as_ref(), source, removal.as_ref(), now_ms).is_none() {
        return Verdict::Clean;
    }
    // If the mark changed, the write was Referee's own. If the mark is unchanged, the write was
    // probably someone else's. Referee's own write may have the same mark as the previous one if it
    // is repeated with other content.
    let Some(mark) = after.filter(|mark| Some(mark) != before.as_ref()) else {
        return Verdict::Suspect;
    };
    let fence = mark.fence.into_owned();
    Verdict::Outdated(match expected(rules, pair, source) {
        Some(content) => Correction::Put { content, precondition: Precondition::Seen(fence) },
        None => Correction::Delete { fence },
    })
}

/// What an announced or completed delete by Referee calls for, given the mirror that the source
/// requires.
fn assess_own_delete(
    fence: String,
    change: &Change<'_>,
    expected: Option<Item<'static>>,
) -> Verdict {
    match (&change.after, expected) {
        (Some(_), None) => Verdict::Outdated(Correction::Delete { fence }),
        (None, Some(content)) => {
            // The source exists again, or an old delete was applied late.
            let precondition = Precondition::Absent(Some(fence));
            Verdict::Outdated(Correction::Put { content, precondition })
        }
        // If Referee has only announced the delete and the source exists again, the record of the
        // new source writes the mirror.
        (Some(_), Some(_)) | (None, None) => Verdict::Clean,
    }
}

/// A mirror's removal by someone else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Removal {
    /// The mirror's fence, if it carried the rule's mark.
    pub(crate) fence: Option<String>,
    /// The padded sequence number of the removal, if it is known.
    pub(crate) sequence: Option<String>,
    /// Whether TTL removed it, so that nobody wanted its source to be deleted.
    pub(crate) by_ttl: bool,
    /// Whether an item that the source refers to was deleted with the mirror, so that the mirror's
    /// removal does not delete the source.
    pub(crate) with_target: bool,
}

/// Returns the mirror's removal, if the change is a removal by someone else. Its sequence number is
/// left to the caller.
pub(crate) fn removal(
    rules: &Rules,
    pair: &Pair,
    change: &Change<'_>,
    by_ttl: bool,
) -> Option<Removal> {
    let before = change.before.as_ref().filter(|_| change.after.is_none())?;
    match Mark::of(before, &rules[pair.rule]) {
        Some(mark) if mark.deleting => None,
        mark => {
            let fence = mark.map(|mark| mark.fence.into_owned());
            Some(Removal { fence, sequence: None, by_ttl, with_target: false })
        }
    }
}

/// What is at a mirror's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing.
    Absent,
    /// The rule's mirror: the item carries the rule's mark.
    Marked,
    /// An item without the rule's mark.
    Unmarked {
        /// Whether it carries another mark.
        is_marked_otherwise: bool,
        /// Whether it belongs to the mirror's entity. Otherwise it may belong to another entity
        /// whose keys match, too.
        is_admitted: bool,
    },
}

impl Standing {
    /// What this item is at the key of the rule's mirror.
    pub(crate) fn of(rules: &Rules, rule: MirrorId, found: Option<&Item<'_>>) -> Self {
        let Some(found) = found else { return Self::Absent };
        if Mark::of(found, &rules[rule]).is_some() {
            return Self::Marked;
        }
        Self::Unmarked {
            is_marked_otherwise: found.contains_key(MARK),
            is_admitted: rules.mirror_of(rule).admits(found),
        }
    }

    /// What is wrong with the mirror, if something is. `same` says whether the item is the expected
    /// mirror apart from its mark; `None` if no mirror is expected.
    pub(crate) fn defect(self, rule: &Mirror, same: Option<bool>) -> Option<Defect> {
        match (self, same) {
            (Self::Absent, None) | (Self::Marked, Some(true)) => None,
            (Self::Absent, Some(_)) => Some(Defect::MirrorMissing),
            (Self::Marked, None) => Some(Defect::SourceMissing),
            (Self::Marked, Some(false)) => Some(Defect::MirrorDiffers),
            (Self::Unmarked { is_admitted, .. }, None) => {
                is_admitted.then_some(Defect::UnmarkedWithoutSource)
            }
            (Self::Unmarked { is_marked_otherwise, .. }, Some(_)) => {
                let overwrites = rule.on_mirror_edit == OnMirrorEdit::Overwrite;
                // An item with the mark of another rule must not be overwritten.
                let adopts = rule.adopt && overwrites && !is_marked_otherwise;
                Some(if adopts { Defect::UnmarkedAdoptable } else { Defect::MirrorBlocked })
            }
        }
    }

    /// Like [`defect`](Self::defect), for tables at rest: there, an application may have written
    /// both halves of a relationship before Referee did.
    pub(crate) fn defect_at_rest(self, rule: &Mirror, same: Option<bool>) -> Option<Defect> {
        match (self, same) {
            (Self::Unmarked { is_marked_otherwise: false, .. }, Some(true)) => {
                Some(Defect::MirrorUnmarked)
            }
            _ => self.defect(rule, same),
        }
    }
}

/// Returns how a mirror differs from what its source requires. Both are the current images.
/// `removal` is the change that led to this comparison, if it removed the mirror.
pub(crate) fn compare(
    rules: &Rules,
    pair: &Pair,
    found: Option<&Item<'_>>,
    source: Option<&Item<'_>>,
    removal: Option<&Removal>,
    now_ms: i64,
) -> Option<Difference> {
    let rule = &rules[pair.rule];
    // The mirror only expired before its source, which will be deleted, too.
    let is_expired = |source: &Item<'_>| is_expired(rules, rule.source, source, now_ms);
    if found.is_none()
        && removal.is_some_and(|removal| removal.by_ttl)
        && source.is_some_and(is_expired)
    {
        return None;
    }
    let mark = found.and_then(|item| Mark::of(item, rule));
    let fence = removal.and_then(|removal| removal.fence.clone());
    // A mirror that this removal or a later one was answered with is there to stay, even if the
    // removal is delivered again and would be answered differently now.
    let sequence = removal.and_then(|removal| removal.sequence.as_ref());
    let was_answered =
        |mark: &Mark<'_>| sequence.is_some() && mark.fix.as_deref() >= sequence.map(String::as_str);
    let was_removed = |fence: &String| match &mark {
        // A redelivered change of the source wrote the deleted mirror again.
        Some(mark) => *mark.fence <= **fence && !was_answered(mark),
        None => found.is_none(),
    };
    let deletes_source = rule.on_mirror_delete == OnMirrorDelete::DeleteSource
        && !removal.is_some_and(|removal| removal.with_target || removal.by_ttl);
    // An item without a mark was not a mirror: its removal does not delete the source.
    let answered = fence.clone().filter(|fence| deletes_source && was_removed(fence));
    let expected = expected(rules, pair, source);
    if let (Some(fence), Some(_)) = (answered, &expected) {
        let correction = Some(Correction::DeleteSource { fence });
        return Some(Difference { defect: Defect::MirrorDeleted, correction });
    }
    // An item has since been written at the deleted mirror's key. That write has its own record.
    if removal.is_some() && found.is_some() {
        return None;
    }
    let defect = Standing::of(rules, pair.rule, found)
        .defect(rule, expected.as_ref().map(|expected| is_same_as(found, expected)))?;
    let correction = correction(rule, &defect, mark, fence, expected);
    Some(Difference { defect, correction })
}

/// Returns how a mirror in a table at rest differs from what its source requires. An expired source
/// need not have a mirror any more.
pub(crate) fn compare_at_rest(
    rules: &Rules,
    pair: &Pair,
    found: Option<&Item<'_>>,
    source: Option<&Item<'_>>,
    now_ms: i64,
) -> Option<Difference> {
    let rule = &rules[pair.rule];
    let is_expired = |source: &Item<'_>| is_expired(rules, rule.source, source, now_ms);
    if found.is_none() && source.is_some_and(is_expired) {
        return None;
    }
    let expected = expected(rules, pair, source);
    let same = expected.as_ref().map(|expected| is_same_as(found, expected));
    let defect = Standing::of(rules, pair.rule, found).defect_at_rest(rule, same)?;
    let mark = found.and_then(|item| Mark::of(item, rule));
    let correction = correction(rule, &defect, mark, None, expected);
    Some(Difference { defect, correction })
}

fn is_same_as(found: Option<&Item<'_>>, expected: &Item<'_>) -> bool {
    found.is_some_and(|found| is_same(found, expected))
}

/// The write that corrects a mirror, if the rule allows one. `fence` is that of the deleted mirror,
/// if it is known.
fn correction(
    rule: &Mirror,
    defect: &Defect,
    mark: Option<Mark<'_>>,
    fence: Option<String>,
    expected: Option<Item<'static>>,
) -> Option<Correction> {
    let overwrites = rule.on_mirror_edit == OnMirrorEdit::Overwrite;
    let restores = rule.on_mirror_delete != OnMirrorDelete::Report;
    let put = |precondition| Some(Correction::Put { content: expected?, precondition });
    let adopts = rule.adopt && overwrites;
    if *defect == Defect::MirrorMissing && restores {
        put(Precondition::Absent(fence))
    } else if *defect == Defect::MirrorDiffers && overwrites {
        put(Precondition::Seen(mark?.fence.into_owned()))
    } else if *defect == Defect::SourceMissing && overwrites {
        Some(Correction::Delete { fence: mark?.fence.into_owned() })
    } else if matches!(defect, Defect::UnmarkedAdoptable | Defect::MirrorUnmarked) && adopts {
        put(Precondition::Unmarked)
    } else {
        None
    }
}
