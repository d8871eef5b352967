//! The two looks of an audit. Only what looks wrong in both, with the grace period between them, is
//! a violation.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::broken::{BrokenMirror, BrokenReference};
use super::question::{Asked, Question};
use super::second_look::{StillBroken, still_broken};
use crate::data::{Item, Key};
use crate::engine::detect::{Checks, MirrorSuspect, PairAtRest, Side};
use crate::engine::event::change::Cause;
use crate::engine::report::Report;
use crate::integrity::finding::Kind;
use crate::integrity::index::Projection;
use crate::integrity::mirror::{self, Difference};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::pass::Pass;
use crate::runtime::reads::{ReadSet, Slot, Snapshot};
use crate::store::{Store, StoreError};

/// What looked wrong twice.
#[derive(Debug)]
pub(crate) struct ConfirmedAtRest<'h> {
    /// Malformed or incomplete references, and those whose target does not exist.
    pub(crate) references: Vec<BrokenReference<'h>>,
    /// Mirrors that differ from what their sources require.
    pub(crate) mirrors: Vec<BrokenMirror<'h>>,
}

/// The first look: reads the targets, sources and mirrors of items that were just read, and returns
/// the keys of the items that look wrong.
pub(crate) async fn first_look_at_rest(
    pass: Pass<'_, impl Store, impl Clock>,
    checks: Checks<'_>,
    report: &mut Report,
) -> Result<BTreeSet<Key<'static>>, Fatal> {
    let mut reads = ReadSet::default();
    let references = Asked::ask(checks.references, pass, &mut reads);
    let pairs = Asked::ask(checks.pairs, pass, &mut reads);
    let snapshot = reads.fetch(pass).await;
    let mut suspicious = BTreeSet::new();
    for (reference, is_broken) in references.answers(pass.rules, &snapshot, report)? {
        suspicious.extend(is_broken.then(|| reference.change.key.clone().into_owned()));
    }
    for (pair, differs) in pairs.answers(pass.rules, &snapshot, report)? {
        suspicious.extend(differs.then(|| pair.read.key.clone().into_owned()));
    }
    Ok(suspicious)
}

/// The second look: reads the suspicious items again, together with their targets, sources and
/// mirrors.
pub(crate) async fn second_look_at_rest<'h>(
    pass: Pass<'_, impl Store, impl Clock>,
    checks: Checks<'h>,
    report: &mut Report,
) -> Result<ConfirmedAtRest<'h>, Fatal> {
    let mut reads = ReadSet::default();
    let references = Asked::ask(still_broken(checks.references), pass, &mut reads);
    let pairs = Asked::ask(checks.pairs.into_iter().map(StillDiffering), pass, &mut reads);
    let snapshot = reads.fetch(pass).await;

    let references = references.answers(pass.rules, &snapshot, report)?.into_iter();
    // The write that made the reference is not known, so `change` is absent.
    let broken = |(still, image): (StillBroken<'h>, Option<_>)| {
        image.map(|image| BrokenReference { change: None, ..still.into_broken(image) })
    };
    let pairs = pairs.answers(pass.rules, &snapshot, report)?.into_iter();
    let differing = |(StillDiffering(pair), difference): (StillDiffering<'h>, Option<_>)| {
        let PairAtRest { pair, cause, .. } = pair;
        let suspect = MirrorSuspect { pair, removal: None, cause };
        difference.map(|difference| BrokenMirror { suspect, difference })
    };
    Ok(ConfirmedAtRest {
        references: references.filter_map(broken).collect(),
        mirrors: pairs.filter_map(differing).collect(),
    })
}

impl PairAtRest<'_> {
    /// How the mirror differs from what its source requires.
    ///
    /// If both exist, an audit reads both. The mirror's side therefore reports only that there is no
    /// source, and the source's side everything else.
    fn difference(
        &self,
        rules: &Rules,
        mirror: Option<&Item<'_>>,
        source: Option<&Item<'_>>,
        now_ms: i64,
    ) -> Option<Difference> {
        let difference = mirror::compare_at_rest(rules, &self.pair, mirror, source, now_ms)?;
        let is_extra = difference.defect.kind() == Kind::MirrorExtra;
        (is_extra == (self.side == Side::Mirror)).then_some(difference)
    }
}

/// Does the item that was read differ from its counterpart?
impl<'h> Question<'h> for PairAtRest<'h> {
    type Slots = Slot;
    type Answer = bool;

    fn cause(&self) -> Cause<'h> {
        self.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> Slot {
        let Pass { rules, index, .. } = pass;
        let Self { pair, side, .. } = self;
        match side {
            Side::Source => {
                let all = Cow::Owned(Projection::All);
                reads.want(rules.mirror_of(pair.rule).table, &pair.mirror, all)
            }
            Side::Mirror => {
                let table = rules.source_of(pair.rule).table;
                reads.want(table, &pair.source, index.source(pair.rule))
            }
        }
    }

    fn answer(
        &self,
        rules: &Rules,
        counterpart: &Slot,
        snapshot: &Snapshot,
    ) -> Result<bool, StoreError> {
        let (read, counterpart) = (self.read.after.as_ref(), snapshot.item(*counterpart)?);
        let (mirror, source) = match self.side {
            Side::Source => (counterpart, read),
            Side::Mirror => (read, counterpart),
        };
        Ok(self.difference(rules, mirror, source, snapshot.read_ms()).is_some())
    }
}

/// A pair that differed at the first look.
struct StillDiffering<'h>(PairAtRest<'h>);

/// How do the mirror and its source still differ?
impl<'h> Question<'h> for StillDiffering<'h> {
    type Slots = [Slot; 2];
    type Answer = Option<Difference>;

    fn cause(&self) -> Cause<'h> {
        self.0.cause
    }

    fn ask<'p, S, C>(&self, pass: Pass<'p, S, C>, reads: &mut ReadSet<'p>) -> [Slot; 2] {
        reads.want_pair(pass, &self.0.pair)
    }

    fn answer(
        &self,
        rules: &Rules,
        [mirror, source]: &[Slot; 2],
        snapshot: &Snapshot,
    ) -> Result<Option<Difference>, StoreError> {
        let Self(pair) = self;
        let (mirror, source) = (snapshot.item(*mirror)?, snapshot.item(*source)?);
        // A source that changed since has a stream record, which writes the mirror. A source that
        // changes all the time would otherwise seem to have a stale mirror whenever it is read.
        let is_unchanged = pair.side == Side::Mirror
            || mirror::is_unchanged(rules, pair.pair.rule, pair.read.after.as_ref(), source);
        let difference = pair.difference(rules, mirror, source, snapshot.read_ms());
        Ok(difference.filter(|_| is_unchanged))
    }
}
