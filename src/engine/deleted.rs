//! Resolves the deletes of a batch: of mirrors, and of items that others refer to.
//!
//! The two belong together. An application that deletes a user may also delete everything in the
//! user's partition, which includes the mirrors by which the items that refer to the user are
//! found. No lookup finds these items any more; only the records of the mirrors name them.

use super::detect::DeletedTarget;
use super::report::Report;
use super::resolve::{DeleteEnd, resolve_deletes, resolve_mirrors};
use super::verify::{
    BrokenMirror, MirrorGap, MissingInGap, deletes_in_gaps, look_again, look_in_gaps,
};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::store::Store;

/// The deletes of a batch that the second look has confirmed.
pub(super) struct Deletes<'h> {
    /// Mirrors that differ from what their sources require.
    pub(super) mirrors: Vec<BrokenMirror<'h>>,
    /// Sources whose mirrors were missing while items that they refer to may have been deleted.
    pub(super) gaps: Vec<MirrorGap<'h>>,
    /// Items that are still deleted.
    pub(super) targets: Vec<DeletedTarget<'h>>,
    /// Other deleted items that are known: nothing seemed to refer to them, or they are judged
    /// elsewhere.
    pub(super) known: Vec<DeletedTarget<'h>>,
}

/// Corrects mirrors, and takes the actions for deleted items.
///
/// A mirror is usually corrected first, and the targets of its source are looked up afterwards: a
/// target that is deleted from then on finds the source through the mirror again. But if a target
/// is missing and the rule deletes the source, the mirror is not written only to be deleted.
pub(super) async fn resolve_deleted(
    pass: Pass<'_, impl Store, impl Clock>,
    deletes: Deletes<'_>,
    report: &mut Report,
) -> Result<(), Fatal> {
    let rules = pass.rules;
    let Deletes { mirrors, mut gaps, mut targets, known } = deletes;
    if gaps.is_empty() {
        resolve_mirrors(pass, mirrors, report).await?;
        resolve_deletes(pass, &targets, report).await?;
        return Ok(());
    }
    let known = [targets.as_slice(), known.as_slice()].concat();
    let deciding = gaps.iter().filter(|gap| gap.decides_mirror(rules)).cloned().collect();
    let look = look_in_gaps(pass, deciding, report).await?;
    let is_unread = |gap: &MirrorGap<'_>| look.unread.iter().any(|it| it.is_same(gap));
    gaps.retain(|gap| !is_unread(gap));
    let is_left = |it: &BrokenMirror<'_>| look.unread.iter().any(|gap| gap.is_of(&it.suspect));
    let is_withheld =
        |it: &BrokenMirror<'_>| look.missing.iter().any(|lost| lost.gap.is_of(&it.suspect));
    let (withheld, others): (Vec<_>, Vec<_>) =
        mirrors.into_iter().filter(|it| !is_left(it)).partition(is_withheld);
    resolve_mirrors(pass, others, report).await?;

    let (acted, undone) = delete_sources(pass, look.missing, &known, report).await?;
    let is_unfinished = |it: &BrokenMirror<'_>| undone.iter().any(|gap| gap.is_of(&it.suspect));
    let suspects = withheld.into_iter().filter(|it| !is_unfinished(it));
    let suspects = suspects.map(|it| it.suspect.deleted_with_target()).collect();
    let still = look_again(pass, suspects, report).await?;
    resolve_mirrors(pass, still, report).await?;

    gaps.retain(|gap| !acted.iter().any(|it| it.is_same(gap)));
    let look = look_in_gaps(pass, gaps, report).await?;
    targets.extend(deletes_in_gaps(rules, look.missing, &known));
    resolve_deletes(pass, &targets, report).await?;
    Ok(())
}

/// Deletes the sources whose rules ask for it because their targets are missing. Returns the gaps
/// that are answered by that, and those of them that must be tried again.
async fn delete_sources<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    missing: Vec<MissingInGap<'h>>,
    known: &[DeletedTarget<'h>],
    report: &mut Report,
) -> Result<(Vec<MirrorGap<'h>>, Vec<MirrorGap<'h>>), Fatal> {
    let rules = pass.rules;
    let missing: Vec<_> = missing.into_iter().filter(|it| it.gap.removes_source(rules)).collect();
    let deletes = deletes_in_gaps(rules, missing.iter().cloned(), known);
    let ends = resolve_deletes(pass, &deletes, report).await?;
    let (mut acted, mut undone) = (Vec::new(), Vec::new());
    for (delete, end) in deletes.iter().zip(ends) {
        let of_delete = missing.iter().filter(|it| it.is_answered_by(delete));
        let gaps: Vec<_> = of_delete.map(|it| it.gap.clone()).collect();
        match end {
            // The target may be deleted once more before the mirror is back.
            DeleteEnd::TargetExists => {}
            DeleteEnd::Done => acted.extend(gaps),
            DeleteEnd::Unfinished => {
                acted.extend(gaps.iter().cloned());
                undone.extend(gaps);
            }
        }
    }
    Ok((acted, undone))
}
