//! Compares a mirror with its source: whether it is as the source requires, and what corrects it.

use super::content::{Pair, expected, is_same};
use super::mark::Mark;
use crate::data::Item;
use crate::integrity::change::Change;
use crate::integrity::finding::Defect;
use crate::integrity::mark::MARK;
use crate::rules::model::{OnMirrorDelete, OnMirrorEdit, Rules};

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

/// What a change of a mirror calls for, given its source as it is now.
pub(crate) fn assess(
    rules: &Rules,
    pair: &Pair,
    change: &Change<'_>,
    source: Option<&Item<'_>>,
) -> Verdict {
    let rule = &rules[pair.rule].name;
    let before = change.before.as_ref().and_then(|item| Mark::of(item, rule));
    let after = change.after.as_ref().and_then(|item| Mark::of(item, rule));
    let announced = if change.after.is_none() { &before } else { &after };
    if let Some(mark) = announced.as_ref().filter(|mark| mark.deleting) {
        return assess_own_delete(mark.fence.clone(), change, expected(rules, pair, source));
    }
    let removal = removal(rules, pair, change);
    if compare(rules, pair, change.after.as_ref(), source, removal.as_ref()).is_none() {
        return Verdict::Clean;
    }
    // If the mark changed, the write was Referee's own. If the mark is unchanged, the write was
    // probably someone else's. Referee's own write may have the same mark as the previous one if it
    // is repeated with other content.
    let Some(mark) = after.filter(|mark| Some(mark) != before.as_ref()) else {
        return Verdict::Suspect;
    };
    Verdict::Outdated(match expected(rules, pair, source) {
        Some(content) => Correction::Put { content, precondition: Precondition::Seen(mark.fence) },
        None => Correction::Delete { fence: mark.fence },
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
}

/// Returns the mirror's removal, if the change is a removal by someone else.
pub(crate) fn removal(rules: &Rules, pair: &Pair, change: &Change<'_>) -> Option<Removal> {
    let before = change.before.as_ref().filter(|_| change.after.is_none())?;
    match Mark::of(before, &rules[pair.rule].name) {
        Some(mark) if mark.deleting => None,
        mark => Some(Removal { fence: mark.map(|mark| mark.fence) }),
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
) -> Option<Difference> {
    let rule = &rules[pair.rule];
    let overwrites = rule.on_mirror_edit == OnMirrorEdit::Overwrite;
    let mark = found.and_then(|item| Mark::of(item, &rule.name));
    let difference = |defect, correction| Some(Difference { defect, correction });
    let fence = || removal.and_then(|removal| removal.fence.clone());
    let was_removed = |fence: &String| match &mark {
        // A redelivered change of the source wrote the deleted mirror again.
        Some(mark) => mark.fence <= *fence,
        None => found.is_none(),
    };
    let deletes_source = rule.on_mirror_delete == OnMirrorDelete::DeleteSource;
    // An item without a mark was not a mirror: its removal does not delete the source.
    let answered = fence().filter(|fence| deletes_source && was_removed(fence));
    let expected = expected(rules, pair, source);
    if let (Some(fence), Some(_)) = (answered, &expected) {
        return difference(Defect::MirrorDeleted, Some(Correction::DeleteSource { fence }));
    }
    // An item has since been written at the deleted mirror's key. That write has its own record.
    if removal.is_some() && found.is_some() {
        return None;
    }
    match (found, mark, expected) {
        (None, _, None) => None,
        (None, _, Some(content)) => {
            let restores = rule.on_mirror_delete != OnMirrorDelete::Report;
            let precondition = Precondition::Absent(fence());
            let put = restores.then_some(Correction::Put { content, precondition });
            difference(Defect::MirrorMissing, put)
        }
        (Some(_), Some(mark), None) => {
            let delete = overwrites.then_some(Correction::Delete { fence: mark.fence });
            difference(Defect::SourceMissing, delete)
        }
        // The item may belong to another entity, whose keys match too.
        (Some(found), None, None) if !rules.mirror_of(pair.rule).admits(found) => None,
        (Some(_), None, None) => difference(Defect::UnmarkedWithoutSource, None),
        (Some(found), Some(mark), Some(content)) => {
            if is_same(found, &content) {
                return None;
            }
            let precondition = Precondition::Seen(mark.fence);
            let put = overwrites.then_some(Correction::Put { content, precondition });
            difference(Defect::MirrorDiffers, put)
        }
        (Some(found), None, Some(content)) => {
            // An item with the mark of another rule must not be overwritten.
            if rule.adopt && overwrites && !found.contains_key(MARK) {
                let precondition = Precondition::Unmarked;
                let put = Correction::Put { content, precondition };
                return difference(Defect::UnmarkedAdoptable, Some(put));
            }
            difference(Defect::MirrorBlocked, None)
        }
    }
}
