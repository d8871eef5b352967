//! Comparing a mirror with its source: whether it is what the source says, and what corrects it.

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
    /// Our own write is out of date: it is corrected, and is no violation.
    Outdated(Correction),
    /// Someone else's write, it seems: to be looked at again after a grace period.
    Suspect,
}

/// How a mirror differs from what its source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// What is wrong.
    pub(crate) defect: Defect,
    /// What corrects it; `None` if the rule says to leave it.
    pub(crate) correction: Option<Correction>,
}

/// What corrects a mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Correction {
    /// Write the mirror.
    Put {
        /// What it must be, without its mark.
        content: Item<'static>,
        /// What must hold of the item that is there.
        precondition: Precondition,
    },
    /// Delete the mirror while its fence is this one.
    Delete {
        /// The fence.
        fence: String,
    },
    /// Delete the source, whose mirror someone deleted.
    DeleteSource {
        /// The fence of the deleted mirror.
        fence: String,
    },
}

/// What must hold of the item at a mirror's key for a write to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing is there, or the rule's mirror with a lower fence: this write is for a newer change.
    OlderThan(String),
    /// The rule's mirror with exactly this fence: a newer one has a stream record of its own.
    Seen(String),
    /// Nothing is there; the fence is that of the deleted mirror, if it is known.
    Absent(Option<String>),
    /// An item without a mark, which the rule adopts.
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
    // Our own writes change the mark. One that is made twice, with other content, may not.
    let Some(mark) = after.filter(|mark| Some(mark) != before.as_ref()) else {
        return Verdict::Suspect;
    };
    Verdict::Outdated(match expected(rules, pair, source) {
        Some(content) => Correction::Put { content, precondition: Precondition::Seen(mark.fence) },
        None => Correction::Delete { fence: mark.fence },
    })
}

/// What a delete of ours calls for, announced or made, given the mirror that the source asks for.
fn assess_own_delete(
    fence: String,
    change: &Change<'_>,
    expected: Option<Item<'static>>,
) -> Verdict {
    match (&change.after, expected) {
        (Some(_), None) => Verdict::Outdated(Correction::Delete { fence }),
        (None, Some(content)) => {
            // The source is back, or an old delete landed late.
            let precondition = Precondition::Absent(Some(fence));
            Verdict::Outdated(Correction::Put { content, precondition })
        }
        // If the source is back before the delete is made, its own record writes the mirror.
        (Some(_), Some(_)) | (None, None) => Verdict::Clean,
    }
}

/// A mirror's removal by someone else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Removal {
    /// The mirror's fence, if it carried the rule's mark.
    pub(crate) fence: Option<String>,
}

/// The removal of a mirror by someone else, if a change is one.
pub(crate) fn removal(rules: &Rules, pair: &Pair, change: &Change<'_>) -> Option<Removal> {
    let before = change.before.as_ref().filter(|_| change.after.is_none())?;
    match Mark::of(before, &rules[pair.rule].name) {
        Some(mark) if mark.deleting => None,
        mark => Some(Removal { fence: mark.map(|mark| mark.fence) }),
    }
}

/// How a mirror differs from what its source says, both as they are, given the removal that drew
/// attention to them, if any.
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
    // An item without a mark was no mirror: deleting it made room for one.
    let answered = fence().filter(|fence| deletes_source && was_removed(fence));
    let expected = expected(rules, pair, source);
    if let (Some(fence), Some(_)) = (answered, &expected) {
        return difference(Defect::MirrorDeleted, Some(Correction::DeleteSource { fence }));
    }
    // An item where a mirror was deleted has been written since: it has a record of its own.
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
        // The same keys may belong to another entity too.
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
            // A mark of another rule is not to be overwritten.
            if rule.adopt && overwrites && !found.contains_key(MARK) {
                let precondition = Precondition::Unmarked;
                let put = Correction::Put { content, precondition };
                return difference(Defect::UnmarkedAdoptable, Some(put));
            }
            difference(Defect::MirrorBlocked, None)
        }
    }
}
