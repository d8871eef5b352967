//! Verifying a mirror: is it what its source says, and if not, what puts it right.

use super::content::{Pair, expected, is_same};
use super::mark::Mark;
use crate::data::Item;
use crate::integrity::change::Change;
use crate::integrity::finding::Kind;
use crate::integrity::index::MARK;
use crate::rules::model::{OnMirrorDelete, OnMirrorEdit, Rules};

/// What a change of a mirror calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Clean,
    /// Our own write is out of date: it is put right, and is no violation.
    Outdated(Fix),
    /// Someone else's doing, it seems: to be looked at again after a grace period.
    Suspect,
}

/// A mirror that is not what its source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// What is wrong.
    pub(crate) kind: Kind,
    /// The same in words.
    pub(crate) detail: &'static str,
    /// What puts it right; nothing if the rule says to leave it.
    pub(crate) fix: Option<Fix>,
}

/// What puts a mirror right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fix {
    /// Write the mirror.
    Put {
        /// What it must be, without its mark.
        content: Item<'static>,
        /// What must hold of what is there.
        guard: Guard,
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
pub(crate) enum Guard {
    /// Nothing is there, or a mirror of the rule with a lower fence: this one is of a newer change.
    OlderThan(String),
    /// A mirror of the rule with just this fence: a newer one brings its own echo.
    Seen(String),
    /// Nothing is there; the fence is the one that the mirror had.
    Absent(Option<String>),
    /// An item without a mark, which the rule adopts.
    Unmarked,
}

/// What a change of a mirror calls for, given its source as it is now.
pub(crate) fn verify(
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
        return verify_deleting(mark.fence.clone(), change, expected(rules, pair, source));
    }
    let removed = removal(rules, pair, change);
    if judge(rules, pair, change.after.as_ref(), source, removed.as_ref()).is_none() {
        return Verdict::Clean;
    }
    // Our own writes change the mark. One that is made twice, with other content, may not.
    let Some(mark) = after.filter(|mark| Some(mark) != before.as_ref()) else {
        return Verdict::Suspect;
    };
    Verdict::Outdated(match expected(rules, pair, source) {
        Some(content) => Fix::Put { content, guard: Guard::Seen(mark.fence) },
        None => Fix::Delete { fence: mark.fence },
    })
}

/// What a delete of ours calls for, announced or made, given the mirror that the source asks for.
fn verify_deleting(fence: String, change: &Change<'_>, expected: Option<Item<'static>>) -> Verdict {
    match (&change.after, expected) {
        (Some(_), None) => Verdict::Outdated(Fix::Delete { fence }),
        (None, Some(content)) => {
            // The source is back, or an old delete landed late.
            Verdict::Outdated(Fix::Put { content, guard: Guard::Absent(Some(fence)) })
        }
        // If the source is back before the delete is made, its own record writes the mirror.
        (Some(_), Some(_)) | (None, None) => Verdict::Clean,
    }
}

/// What is known of a mirror that someone deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Removed {
    /// The fence that it had, if it carried the rule's mark.
    pub(crate) fence: Option<String>,
}

/// What a change says of a mirror's removal by someone else, if it is one.
pub(crate) fn removal(rules: &Rules, pair: &Pair, change: &Change<'_>) -> Option<Removed> {
    let before = change.before.as_ref().filter(|_| change.after.is_none())?;
    match Mark::of(before, &rules[pair.rule].name) {
        Some(mark) if mark.deleting => None,
        mark => Some(Removed { fence: mark.map(|mark| mark.fence) }),
    }
}

/// What is wrong between a mirror and its source, both as they are, and what the rule does about
/// it, if the mirror was removed as told.
pub(crate) fn judge(
    rules: &Rules,
    pair: &Pair,
    found: Option<&Item<'_>>,
    source: Option<&Item<'_>>,
    removed: Option<&Removed>,
) -> Option<Judgement> {
    let rule = &rules[pair.rule];
    let overwrites = rule.on_mirror_edit == OnMirrorEdit::Overwrite;
    let mark = found.and_then(|item| Mark::of(item, &rule.name));
    let judgement = |kind, detail, fix| Some(Judgement { kind, detail, fix });
    let fence = || removed.and_then(|removed| removed.fence.clone());
    let was_removed = |fence: &String| match &mark {
        // A redelivered change of the source wrote the very mirror again that someone deleted.
        Some(mark) => mark.fence <= *fence,
        None => found.is_none(),
    };
    let deletes_source = rule.on_mirror_delete == OnMirrorDelete::DeleteSource;
    // What carried no mark was no mirror: whoever deleted it made room for one.
    let answered = fence().filter(|fence| deletes_source && was_removed(fence));
    let expected = expected(rules, pair, source);
    if let (Some(fence), Some(_)) = (answered, &expected) {
        return judgement(
            Kind::MirrorMissing,
            "the mirror was deleted, and its source is to go with it",
            Some(Fix::DeleteSource { fence }),
        );
    }
    // Whatever is where a mirror was deleted has been written since: that brings its own echo.
    if removed.is_some() && found.is_some() {
        return None;
    }
    match (found, mark, expected) {
        (None, _, None) => None,
        (None, _, Some(content)) => {
            let restores = rule.on_mirror_delete != OnMirrorDelete::Report;
            let guard = Guard::Absent(fence());
            let fix = restores.then_some(Fix::Put { content, guard });
            judgement(Kind::MirrorMissing, "the source exists and its mirror does not", fix)
        }
        (Some(_), Some(mark), None) => {
            let fix = overwrites.then_some(Fix::Delete { fence: mark.fence });
            judgement(Kind::MirrorExtra, "the mirror exists and its source does not", fix)
        }
        // The same keys may be another entity's too.
        (Some(found), None, None) if !rules[rule.mirror].admits(found) => None,
        (Some(_), None, None) => judgement(
            Kind::MirrorExtra,
            "an item that Referee did not write is at a mirror's key, and has no source",
            None,
        ),
        (Some(found), Some(mark), Some(content)) => {
            if is_same(found, &content) {
                return None;
            }
            let fix = overwrites.then_some(Fix::Put { content, guard: Guard::Seen(mark.fence) });
            judgement(Kind::MirrorStale, "the mirror differs from its source", fix)
        }
        (Some(found), None, Some(content)) => {
            // A mark that is not the rule's is another's.
            if rule.adopt && overwrites && !found.contains_key(MARK) {
                let fix = Some(Fix::Put { content, guard: Guard::Unmarked });
                return judgement(
                    Kind::MirrorStale,
                    "an item that Referee did not write was in the mirror's place",
                    fix,
                );
            }
            judgement(Kind::MirrorBlocked, BLOCKED, None)
        }
    }
}

/// What is said of an item that stands where a mirror belongs.
pub(crate) const BLOCKED: &str = "an item that Referee did not write is in the mirror's place, \
     and is left alone (`adopt: true` would overwrite it)";
