//! Sends suspects to the queue.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::message::{FRAME_BYTES, ItemPart, Kind, Listed, Record, message_text, part_text};
use crate::engine::detect::{DeletedTarget, MirrorSuspect, NewReference};
use crate::engine::event::change::{Cause, History};
use crate::engine::report::Report;
use crate::engine::verify::{Suspect, Suspects, gap_references};
use crate::integrity::index::{Index, Projection, Role};
use crate::integrity::reference::ReferenceState;
use crate::rules::model::{ReferenceId, Rules};
use crate::runtime::clock::Clock;
use crate::runtime::queue::{MESSAGE_BYTES_MAX, Queue, delay_seconds};

/// Sends suspects to the queue, and returns those that it has not accepted. `known` are deleted
/// items that may have to be known to judge the deletes of mirrors.
///
/// The suspects of a batch that have the same grace period share a message, unless it would be too
/// large. If the queue fails once, nothing more is sent to it, because each attempt takes time.
pub(crate) async fn send<'h>(
    (rules, clock): (&Rules, &impl Clock),
    queue: &impl Queue,
    histories: &[History<'_>],
    mut suspects: Suspects<'h>,
    known: &[DeletedTarget<'h>],
    report: &mut Report,
) -> Suspects<'h> {
    let batch = Batch::new(rules, histories, clock.now_ms());
    let (mut sent, mut failed) = (BTreeSet::new(), None);
    for parts in batch.by_grace(&suspects, known) {
        for message in batch.messages(&parts) {
            if failed.is_none() {
                let delay_seconds = delay_seconds(message.due_ms, clock.now_ms());
                match queue.send(message.text, delay_seconds).await {
                    Ok(()) => sent.extend(message.histories),
                    Err(error) => failed = Some(error),
                }
            }
        }
    }
    let is_sent =
        |cause: &Cause<'_>| batch.history(cause).is_some_and(|index| sent.contains(&index));
    report.queued(suspects.remove_of(is_sent).len());
    if suspects.len() > 0 {
        let too_large = || "their records are too large for a message".to_owned();
        report.unqueued(suspects.len(), failed.unwrap_or_else(too_large));
    }
    suspects
}

/// What a message says about one item, before it is a text.
struct Part {
    /// The suspects, each with the position of its record in the batch.
    listed: BTreeSet<Listed<'static>>,
    /// The attributes that decide about the suspects.
    projection: Projection,
    /// The longest grace period of the suspects, in milliseconds, and when the last one is over.
    grace_ms: i64,
    due_ms: i64,
}

/// The parts of messages, by the index of the item's history.
type Parts = BTreeMap<usize, Part>;

/// A message to be sent.
struct Outgoing {
    text: String,
    due_ms: i64,
    /// The histories that have suspects in it.
    histories: Vec<usize>,
}

/// The histories of a batch.
struct Batch<'b> {
    rules: &'b Rules,
    histories: &'b [History<'b>],
    /// The index of the history to which the record at each position belongs.
    by_position: BTreeMap<usize, usize>,
    now_ms: i64,
}

impl<'b> Batch<'b> {
    fn new(rules: &'b Rules, histories: &'b [History<'b>], now_ms: i64) -> Self {
        let indexed = histories.iter().enumerate();
        let by_position = indexed
            .flat_map(|(index, history)| history.steps().map(move |step| (step.position, index)))
            .collect();
        Self { rules, histories, by_position, now_ms }
    }

    fn history(&self, cause: &Cause<'_>) -> Option<usize> {
        self.by_position.get(&cause.position()).copied()
    }

    /// The parts of the suspects with the same grace period, which share messages.
    fn by_grace(&self, suspects: &Suspects<'_>, known: &[DeletedTarget<'_>]) -> Vec<Parts> {
        let mut parts = Parts::new();
        for reference in &suspects.references {
            self.add(&mut parts, reference);
        }
        for mirror in &suspects.mirrors {
            self.add(&mut parts, mirror);
        }
        for target in &suspects.deleted_targets {
            self.add(&mut parts, target);
        }
        let mut by_grace: BTreeMap<i64, Parts> = BTreeMap::new();
        for (index, part) in parts {
            by_grace.entry(part.grace_ms).or_default().insert(index, part);
        }
        for mirror in &suspects.mirrors {
            let rules: BTreeSet<ReferenceId> = gap_references(self.rules, mirror).collect();
            let of_mirror = |parts: &&mut Parts| {
                self.history(&mirror.cause).is_some_and(|index| parts.contains_key(&index))
            };
            let Some(parts) = by_grace.values_mut().find(of_mirror) else { continue };
            for target in suspects.deleted_targets.iter().chain(known) {
                if rules.contains(&target.finder.rule) {
                    self.add_known(parts, target);
                }
            }
        }
        by_grace.into_values().collect()
    }

    /// Adds a suspect to the part of its item.
    fn add<'s>(&self, parts: &mut Parts, suspect: &(impl Suspect<'s> + Named)) {
        let Some(index) = self.history(&suspect.cause()) else { return };
        let part = parts.entry(index).or_insert_with(Part::empty);
        part.add(self.rules, suspect, suspect.kind(), suspect.cause().position());
        part.grace_ms = part.grace_ms.max(suspect.grace_ms(self.rules));
        part.due_ms = part.due_ms.max(suspect.due_ms(self.rules, self.now_ms));
    }

    /// Adds a deleted item that is not a suspect of the message.
    fn add_known(&self, parts: &mut Parts, target: &DeletedTarget<'_>) {
        let Some(index) = self.history(&target.cause) else { return };
        let part = parts.entry(index).or_insert_with(Part::empty);
        let is_same = |listed: &Listed<'_>| {
            listed.kind == Kind::Delete && listed.rule == target.rule(self.rules)
        };
        if !part.listed.iter().any(is_same) {
            part.add(self.rules, target, Kind::KnownDelete, target.cause.position());
        }
    }

    /// The messages with these parts. A part that is too large for a message is in none.
    fn messages(&self, parts: &Parts) -> Vec<Outgoing> {
        let mut messages = Vec::new();
        let (mut texts, mut bytes, mut due_ms, mut histories) =
            (Vec::new(), FRAME_BYTES, i64::MIN, Vec::new());
        for (index, part) in parts {
            let Some(text) = self.text(*index, part) else { continue };
            if FRAME_BYTES + text.len() > MESSAGE_BYTES_MAX {
                continue;
            }
            if bytes + text.len() + 1 > MESSAGE_BYTES_MAX {
                let histories = std::mem::take(&mut histories);
                messages.push(Outgoing { text: message_text(due_ms, &texts), due_ms, histories });
                (bytes, due_ms) = (FRAME_BYTES, i64::MIN);
                texts.clear();
            }
            bytes += text.len() + 1;
            due_ms = due_ms.max(part.due_ms);
            texts.push(text);
            if part.has_suspects() {
                histories.push(*index);
            }
        }
        messages.push(Outgoing { text: message_text(due_ms, &texts), due_ms, histories });
        messages.retain(|message| !message.histories.is_empty());
        messages
    }

    fn text(&self, index: usize, part: &Part) -> Option<String> {
        let history = self.histories.get(index)?;
        let at = |position| history.steps().position(|step| step.position == position);
        let listed = |it: &Listed<'static>| Some(Listed { record: at(it.record)?, ..it.clone() });
        let suspects = part.listed.iter().map(listed).collect::<Option<Vec<_>>>()?;
        let records = history.steps();
        let records = records.map(|step| Record::of(self.rules, step, &part.projection)).collect();
        part_text(&ItemPart { suspects, records })
    }
}

impl Part {
    const fn empty() -> Self {
        let projection = Projection::none();
        Self { listed: BTreeSet::new(), projection, grace_ms: 0, due_ms: i64::MIN }
    }

    fn add(&mut self, rules: &Rules, suspect: &impl Named, kind: Kind, position: usize) {
        let rule = Cow::Owned(suspect.rule(rules).to_owned());
        self.listed.insert(Listed { kind, rule, record: position, target: suspect.target(rules) });
        self.projection.extend(&suspect.projection(rules));
    }

    fn has_suspects(&self) -> bool {
        self.listed.iter().any(|listed| listed.kind != Kind::KnownDelete)
    }
}

/// What a message says about a suspect.
pub(super) trait Named {
    fn kind(&self) -> Kind;
    /// The rule's name.
    fn rule<'r>(&self, rules: &'r Rules) -> &'r str;
    /// The key that distinguishes it from other suspects of its rule and record, if any.
    fn target(&self, _: &Rules) -> Option<String> {
        None
    }
    /// The attributes that decide about it.
    fn projection(&self, rules: &Rules) -> Projection;
}

impl Named for NewReference<'_> {
    fn kind(&self) -> Kind {
        Kind::Reference
    }

    fn rule<'r>(&self, rules: &'r Rules) -> &'r str {
        &rules[self.rule].name
    }

    fn target(&self, rules: &Rules) -> Option<String> {
        let schema = rules.key_schema(rules[self.rule].to);
        match &self.value.state {
            ReferenceState::Refers(key) => Some(json!(schema.item_of(key)).to_string()),
            ReferenceState::Broken(_) => None,
        }
    }

    fn projection(&self, rules: &Rules) -> Projection {
        Index::of_work(rules, Role::Referencing(self.rule))
    }
}

impl Named for MirrorSuspect<'_> {
    fn kind(&self) -> Kind {
        Kind::Mirror
    }

    fn rule<'r>(&self, rules: &'r Rules) -> &'r str {
        &rules[self.pair.rule].name
    }

    /// The record may be that of the mirror, or in observe mode that of the source.
    fn projection(&self, rules: &Rules) -> Projection {
        let rule = self.pair.rule;
        match self.cause {
            Cause::Record { step, .. } if step.change.key == self.pair.source => {
                Index::of_work(rules, Role::Source(rule))
            }
            Cause::Record { .. } | Cause::Page { .. } => Index::of_work(rules, Role::Mirror(rule)),
        }
    }
}

impl Named for DeletedTarget<'_> {
    fn kind(&self) -> Kind {
        Kind::Delete
    }

    fn rule<'r>(&self, rules: &'r Rules) -> &'r str {
        &rules[self.finder.rule].name
    }

    fn projection(&self, rules: &Rules) -> Projection {
        Index::of_work(rules, Role::Referenced(self.finder.rule))
    }
}
