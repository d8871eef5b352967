//! Makes suspects of a message again.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::message::{ItemPart, Kind, Listed, Message};
use super::send::Named;
use crate::engine::detect::{ChangedSource, DeletedTarget, MirrorSuspect, Work};
use crate::engine::event::change::{Cause, StreamChange};
use crate::engine::report::outcome::Outcome;
use crate::engine::verify::Suspects;
use crate::rules::model::Rules;
use crate::runtime::error::Fatal;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rechecked {
    /// What was found and done. If records are handed back, the message must be delivered again.
    pub outcome: Outcome,
    /// The suspects that these rules do not know.
    pub dropped: Vec<Dropped>,
    /// Whether the message came before the end of the grace period, and was sent again.
    pub is_forwarded: bool,
}

/// A suspect that these rules do not know: the rules have changed since it was sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dropped {
    /// The name of its rule.
    pub rule: String,
    /// The sequence number of the record that revealed it.
    pub sequence: String,
    /// Why it cannot be judged.
    pub reason: String,
}

/// Why a message was not judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecheckError {
    /// It is not a message that this release can read, and never will be.
    #[error("{0}")]
    Malformed(String),
    /// The grace period is not over before the deadline, and the message could not be sent again.
    #[error("the grace period is not over before the deadline: {0}")]
    Early(String),
    /// An operator must act.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

/// The contents of a message, in terms of the present rules.
pub(in crate::engine) struct Received<'m> {
    /// The changes, each at its position among all records of the message.
    pub(in crate::engine) changes: Vec<StreamChange<'m>>,
    /// The suspects that the rules do not know.
    pub(in crate::engine) dropped: Vec<Dropped>,
    pub(in crate::engine) listed: ListedSuspects<'m>,
}

/// The suspects that a message lists.
pub(in crate::engine) struct ListedSuspects<'m> {
    /// Each with the position of its record among all records of the message.
    suspects: BTreeSet<Listed<'m>>,
    /// The sequence numbers of all records.
    sequences: Vec<String>,
}

/// The suspects of a message, and the deleted items that are only known.
pub(in crate::engine) struct Picked<'h> {
    pub(in crate::engine) suspects: Suspects<'h>,
    pub(in crate::engine) known: Vec<DeletedTarget<'h>>,
    /// The suspects that the rules do not know.
    pub(in crate::engine) dropped: Vec<Dropped>,
}

impl<'m> Received<'m> {
    /// The contents of a message.
    pub(in crate::engine) fn new(rules: &Rules, message: Message<'m>) -> Self {
        let listed = ListedSuspects { suspects: BTreeSet::new(), sequences: Vec::new() };
        let mut received = Self { changes: Vec::new(), dropped: Vec::new(), listed };
        for ItemPart { suspects, records } in message.items {
            let first = received.listed.sequences.len();
            let at = |it: Listed<'m>| Listed { record: first + it.record, ..it };
            let suspects: Vec<_> = suspects.into_iter().map(at).collect();
            received.listed.sequences.extend(records.iter().map(|it| it.sequence.to_string()));
            let placed = records.into_iter().enumerate();
            let changes: Result<Vec<_>, _> =
                placed.map(|(index, record)| record.into_change(rules, first + index)).collect();
            match changes {
                Ok(changes) => {
                    received.listed.suspects.extend(suspects);
                    received.changes.extend(changes);
                }
                Err(reason) => {
                    let suspects = suspects.iter().filter(|it| it.kind != Kind::KnownDelete);
                    let dropped = suspects.map(|it| received.listed.dropped(it, &reason));
                    received.dropped.extend(dropped);
                }
            }
        }
        received
    }
}

impl ListedSuspects<'_> {
    /// The number of records.
    pub(in crate::engine) const fn records(&self) -> usize {
        self.sequences.len()
    }

    fn dropped(&self, listed: &Listed<'_>, reason: &str) -> Dropped {
        Dropped {
            rule: listed.rule.to_string(),
            sequence: self.sequences.get(listed.record).cloned().unwrap_or_default(),
            reason: reason.to_owned(),
        }
    }

    /// Picks these suspects out of the work that the records of their message require.
    ///
    /// A suspect for which the rules require no work is dropped: its rule was removed, switched off
    /// or changed since the message was sent.
    pub(in crate::engine) fn pick<'h>(&self, rules: &Rules, work: Work<'h>) -> Picked<'h> {
        let seen = RefCell::new(BTreeSet::new());
        let is_listed = |kind: Kind, suspect: &dyn Named, cause: &Cause<'_>| {
            let (rule, target) = (suspect.rule(rules), suspect.target(rules));
            let listed = self.suspects.iter().find(|it| {
                (it.kind, &*it.rule, it.record) == (kind, rule, cause.position())
                    && it.target == target
            });
            seen.borrow_mut().extend(listed);
            listed.is_some()
        };
        let mut references = work.references;
        references.retain(|it| is_listed(Kind::Reference, it, &it.cause));
        // In observe mode, a changed source is a suspect instead of a reason for a write.
        let written = work.changed_sources.into_iter().map(|source| {
            let ChangedSource { pair, cause, .. } = source;
            MirrorSuspect { pair, removal: None, cause }
        });
        let changed = work.changed_mirrors.into_iter().map(|mirror| mirror.into_suspect(rules));
        let mut mirrors: Vec<_> =
            work.observed_sources.into_iter().chain(written).chain(changed).collect();
        mirrors.retain(|it| is_listed(Kind::Mirror, it, &it.cause));
        let (mut deleted_targets, mut known) = (Vec::new(), Vec::new());
        for target in work.deleted_targets {
            if is_listed(Kind::Delete, &target, &target.cause) {
                deleted_targets.push(target);
            } else if is_listed(Kind::KnownDelete, &target, &target.cause) {
                known.push(target);
            }
        }
        let seen = seen.into_inner();
        let suspects = self.suspects.iter().filter(|it| it.kind != Kind::KnownDelete);
        let lost = suspects.filter(|it| !seen.contains(it));
        let reason = "no rule requires it any more: the rules have changed since it was sent";
        Picked {
            dropped: lost.map(|it| self.dropped(it, reason)).collect(),
            suspects: Suspects { references, mirrors, deleted_targets },
            known,
        }
    }
}
