//! Findings in words: only this module describes them in English.
//!
//! Tables for people, JSON Lines and the log all take their `detail` from here. No decision and no
//! identifier depends on the wording, so it can be improved at any time.

mod condition;
mod line;
mod stray;

use std::borrow::Cow;

pub use condition::test;
pub use line::{ItemLine, ViolationLine};
pub use stray::{StrayLine, value};

use crate::data::Path;
use crate::engine::{Resolution, Response, Violation};
use crate::integrity::finding::{Defect, Finding, Orphans};
use crate::integrity::repair::{Obstacle, RevertObstacle};
use crate::rules::Rules;
use crate::rules::model::{OnDelete, ReferenceId};

/// A violation in words: what is wrong, what was done about it, and what prevented a repair.
#[must_use]
pub fn violation(rules: &Rules, violation: &Violation) -> String {
    let Violation { finding, resolution, .. } = violation;
    let mut words = if let Defect::Orphaned(orphans) = &finding.defect {
        resolved_orphans(rules, finding, orphans, resolution)
    } else {
        self::finding(rules, finding)
    };
    if let Some(obstacle) = &resolution.obstacle {
        words.push_str("; ");
        words.push_str(&self::obstacle(obstacle));
    }
    words
}

/// A finding in words.
#[must_use]
pub fn finding(rules: &Rules, finding: &Finding) -> String {
    let [_, referenced] = entity_names(rules, finding);
    let defect = &finding.defect;
    if let Defect::TargetMissing = defect {
        format!("the referenced {referenced} does not exist")
    } else if let Defect::TargetUnmet(unmet) = defect {
        let words = format!("an item is there, but is no {referenced}");
        unmet
            .as_ref()
            .map_or(words.clone(), |unmet| format!("{words}: {}", condition::unmet(unmet)))
    } else if let Defect::TargetDeleted = defect {
        format!("the referenced {referenced} was deleted")
    } else if let Defect::Orphaned(orphans) = defect {
        still_referring(rules, finding, orphans)
    } else if let Defect::CascadeTooDeep { orphans, .. } = defect {
        format!("{}; {}", self::defect(defect), still_referring(rules, finding, orphans))
    } else {
        self::defect(defect).into_owned()
    }
}

/// A defect in words, without the names of entities.
#[must_use]
pub fn defect(defect: &Defect) -> Cow<'static, str> {
    Cow::Borrowed(match defect {
        Defect::TargetMissing => "the referenced item does not exist",
        Defect::TargetUnmet(_) => "an item is there, but not one of the referenced entity",
        Defect::TargetDeleted => "the referenced item was deleted",
        Defect::Orphaned(_) => "items still refer to the deleted item",
        Defect::MirrorDeleted => "the mirror was deleted, so the rule deletes its source too",
        Defect::MirrorMissing => "the source exists and its mirror does not",
        Defect::SourceMissing => "the mirror exists and its source does not",
        Defect::UnmarkedWithoutSource => {
            "an item that Referee did not write is at a mirror's key, and the source does not exist"
        }
        Defect::MirrorDiffers => "the mirror differs from its source",
        Defect::UnmarkedAdoptable => "an item that Referee did not write was at the mirror's key",
        Defect::MirrorBlocked => {
            "an item that Referee did not write is at the mirror's key, and is left alone \
             (`adopt: true` would overwrite it)"
        }
        Defect::MirrorUnmarked => {
            "an item that Referee did not write is at the mirror's key; it equals the mirror, \
             but has no mark"
        }
        Defect::UnknownItem => "the item's key matches no entity",
        Defect::WrongType { path, found, declared } => {
            return format!("`{path}` has type {found}; the rule file declares {declared}").into();
        }
        Defect::WrongElementType { path, found } => {
            return format!("an element of `{path}` has type {found}").into();
        }
        Defect::OtherText { path, template } => {
            return format!("{} does not match `{template}`", part(path.as_ref())).into();
        }
        Defect::UnknownDiscriminator { path, found, known } => {
            let lower = found.to_lowercase();
            let meant = known.iter().find(|known| known.to_lowercase() == lower);
            let [before, after] = unknown_value(path.as_ref(), known, meant.map(String::as_str));
            return format!("{before}{found}{after}").into();
        }
        Defect::OtherKey(one, other) => {
            let (one, other) = (part(one.as_ref()), part(other.as_ref()));
            return format!("{one} and {other} do not belong to the same key").into();
        }
        Defect::InvalidKey(error) => return error.to_string().into(),
        Defect::PartiallyAbsent(paths) => {
            return format!("only some of {} are present", listed(paths)).into();
        }
        Defect::RequiredAbsent(paths) => {
            let are = if paths.len() == 1 {
                "is required but absent"
            } else {
                "are required but not all present"
            };
            return format!("{} {are}", listed(paths)).into();
        }
        Defect::TooManyOrphans { touched_max, .. } => {
            return format!("more than {touched_max} items refer to the deleted one").into();
        }
        Defect::CascadeTooDeep { depth, .. } => {
            return format!("the cascade has reached its limit of {depth} levels").into();
        }
    })
}

/// The words before and after a value of a discriminator that leads to no entity, of which these
/// are known. One of them may be meant, in another case.
pub(crate) fn unknown_value(
    path: Option<&Path>,
    known: &[String],
    meant: Option<&str>,
) -> [String; 2] {
    let help = meant.map_or_else(
        || format!("its values are {}", names(known, "and")),
        |meant| format!("upper and lower case are distinct: did you mean `{meant}`?"),
    );
    ["`".to_owned(), format!("` in {} leads to no entity; {help}", part(path))]
}

/// A part of a reference, in words.
fn part(path: Option<&Path>) -> String {
    path.map_or_else(|| "a capture of the key".to_owned(), |path| format!("`{path}`"))
}

/// Why an item was not repaired, in words.
#[must_use]
pub fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::ReplacementMissing => {
            "the item that the default refers to does not exist".to_owned()
        }
        Obstacle::KeyTaken => "another item is at the deleted item's key".to_owned(),
        Obstacle::Expired => "the deleted item has expired".to_owned(),
        Obstacle::ImageUnknown => {
            "the record of its delete is not in this batch, so its last image is not known"
                .to_owned()
        }
        Obstacle::Refused(why) => why.clone(),
        Obstacle::CannotRevert(why) => {
            let why = match why {
                RevertObstacle::Changed => Cow::Borrowed("the item has changed since"),
                RevertObstacle::WriteUnknown => {
                    Cow::Borrowed("the write that made the reference is not known")
                }
                RevertObstacle::Gone => Cow::Borrowed("the item no longer exists"),
                RevertObstacle::BrokenBefore(before) => {
                    format!("the previous version violates a rule too: {}", defect(before)).into()
                }
                RevertObstacle::TooManyReferences => Cow::Borrowed(
                    "the previous version refers to more items than one transaction can check",
                ),
            };
            format!("the write cannot be undone: {why}")
        }
    }
}

/// The orphans of a deleted item in words, and what was done about them.
fn resolved_orphans(
    rules: &Rules,
    finding: &Finding,
    orphans: &Orphans,
    resolution: &Resolution,
) -> String {
    let (was, reference) =
        if orphans.count == 1 { ("was", "its reference") } else { ("were", "their references") };
    let done = match (resolution.response, resolution.on_delete) {
        (Response::Repaired, Some(OnDelete::Cascade)) => format!(" and {was} deleted"),
        (Response::Repaired, Some(OnDelete::Unset)) => format!("; {reference} {was} removed"),
        (Response::Repaired, Some(OnDelete::SetDefault)) => {
            format!("; {reference} {was} set to the default")
        }
        (Response::Repaired, _) => ", which was restored".to_owned(),
        (Response::WouldRepair, Some(OnDelete::Cascade)) => " and would be deleted".to_owned(),
        (Response::WouldRepair, Some(OnDelete::Unset)) => {
            format!("; {reference} would be removed")
        }
        (Response::WouldRepair, Some(OnDelete::SetDefault)) => {
            format!("; {reference} would be set to the default")
        }
        (Response::WouldRepair, _) => ", which would be restored".to_owned(),
        (Response::Reported | Response::Failed, _) => String::new(),
    };
    let no_longer_refer = resolution.response == Response::Repaired
        && resolution.on_delete.is_some_and(|action| action != OnDelete::Restore);
    let referring = if no_longer_refer {
        let [from, to] = entity_names(rules, finding);
        format!("{} {from} referred to the deleted {to}", counted(orphans))
    } else {
        still_referring(rules, finding, orphans)
    };
    format!("{referring}{done}")
}

fn still_referring(rules: &Rules, finding: &Finding, orphans: &Orphans) -> String {
    let [from, to] = entity_names(rules, finding);
    let refer = if orphans.count == 1 { "refers" } else { "refer" };
    format!("{} {from} still {refer} to the deleted {to}", counted(orphans))
}

fn counted(orphans: &Orphans) -> String {
    let at_least = if orphans.more { "at least " } else { "" };
    format!("{at_least}{}", orphans.count)
}

/// The names of the entities that a rule leads to: all of a union, of which one item is enough.
pub(crate) fn target_names(rules: &Rules, rule: ReferenceId) -> String {
    if !rules[rule].alternative.is_union() {
        return format!("`{}`", rules[rules[rule].to].name);
    }
    let mut each: Vec<_> =
        rules.alternatives(rule).map(|(_, it)| rules[it.to].name.clone()).collect();
    // An entity in several tables is an alternative for each of them.
    each.dedup();
    names(&each, "or")
}

/// The names of the referencing and the referenced entity of a reference's finding.
fn entity_names(rules: &Rules, finding: &Finding) -> [String; 2] {
    let Some(rule) = finding.reference else { return ["`item`".to_owned(), "`item`".to_owned()] };
    let reference = &rules[rule];
    let is_missing = matches!(finding.defect, Defect::TargetMissing | Defect::TargetUnmet(_));
    let to = if is_missing {
        target_names(rules, rule)
    } else {
        format!("`{}`", rules[reference.to].name)
    };
    [format!("`{}`", rules[reference.from].name), to]
}

/// Names in a sentence.
pub(crate) fn names(names: &[String], conjunction: &str) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {conjunction} {last}", others.join(", ")),
        None => String::new(),
    }
}

fn listed(paths: &[Path]) -> String {
    paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
}
