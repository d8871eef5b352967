//! Suspects: items that facts say are wrong, and what their findings are.

use std::collections::BTreeSet;

use super::fact::{Decoder, Encoder, Location};
use super::hash::{KeyHash, KeyHasher};
use super::spill::PARTITIONS;
use crate::data::{Item, Key};
use crate::integrity::finding::{Defect, Finding, ItemName};
use crate::integrity::mirror::{self, Pair};
use crate::integrity::reference::{ReferenceState, broken, evaluate};
use crate::rules::model::{MirrorId, ReferenceId, Rules, Severity, TableId};

/// An item that is wrong, according to facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Suspect {
    /// Where the item is.
    pub(crate) at: Location,
    /// What is wrong.
    pub(crate) charge: Charge,
}

/// The group of an item, which is one of [`PARTITIONS`]: those of a source with this many chunks
/// are in the order of the source.
pub(super) fn group_of(at: Location, chunks: u32) -> usize {
    let group = u64::from(at.chunk) * PARTITIONS as u64 / u64::from(chunks.max(1));
    usize::try_from(group).unwrap_or(0).min(PARTITIONS - 1)
}

/// What is wrong with an item, according to facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Charge {
    /// The item refers to one that does not exist.
    Dangling(ReferenceId, KeyHash),
    /// The item refers to one that does not belong to the referenced entity.
    Unmet(ReferenceId, KeyHash),
    /// Another item that would be enough instead of this one does not exist.
    OrDangling(ReferenceId, KeyHash),
    /// Another item that would be enough instead of this one does not belong to its entity.
    OrUnmet(ReferenceId, KeyHash),
    /// A value of a reference is malformed or incomplete.
    Malformed(ReferenceId),
    /// The item is a source, and its mirror is not as required.
    OfSource(MirrorId, MirrorCharge),
    /// The item is a mirror, and not as required.
    OfMirror(MirrorId, MirrorCharge),
    /// The item belongs to no entity.
    Unknown,
    /// The item occurs twice.
    Duplicate,
}

/// What is wrong with a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MirrorCharge(u8);

/// The defects of mirrors at rest. A charge is an index into this list.
const MIRROR_DEFECTS: [Defect; 7] = [
    Defect::MirrorMissing,
    Defect::SourceMissing,
    Defect::UnmarkedWithoutSource,
    Defect::MirrorDiffers,
    Defect::UnmarkedAdoptable,
    Defect::MirrorBlocked,
    Defect::MirrorUnmarked,
];

impl MirrorCharge {
    /// The charge for a defect; `None` if mirrors at rest do not have it.
    pub(super) fn of(defect: &Defect) -> Option<Self> {
        let index = MIRROR_DEFECTS.iter().position(|known| known == defect)?;
        u8::try_from(index).ok().map(Self)
    }

    fn defect(self) -> Option<Defect> {
        MIRROR_DEFECTS.get(usize::from(self.0)).cloned()
    }
}

impl Suspect {
    /// Appends the suspect to a block.
    pub(super) fn encode(&self, block: &mut Vec<u8>) {
        let mut out = Encoder(block);
        let out = out.at(self.at);
        match self.charge {
            Charge::Dangling(rule, target) => out.tag(0).id(rule.0).hash(target),
            Charge::Malformed(rule) => out.tag(1).id(rule.0),
            Charge::OfSource(rule, charge) => out.tag(2).id(rule.0).tag(charge.0),
            Charge::OfMirror(rule, charge) => out.tag(3).id(rule.0).tag(charge.0),
            Charge::Unknown => out.tag(4),
            Charge::Duplicate => out.tag(5),
            Charge::Unmet(rule, target) => out.tag(6).id(rule.0).hash(target),
            Charge::OrDangling(rule, target) => out.tag(7).id(rule.0).hash(target),
            Charge::OrUnmet(rule, target) => out.tag(8).id(rule.0).hash(target),
        };
    }

    /// Removes the first suspect from the bytes of a block; `None` at its end.
    pub(super) fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let mut input = Decoder(bytes);
        let at = input.at()?;
        let charge = match input.tag()? {
            0 => Charge::Dangling(ReferenceId(input.id()?), input.hash()?),
            1 => Charge::Malformed(ReferenceId(input.id()?)),
            2 => Charge::OfSource(MirrorId(input.id()?), MirrorCharge(input.tag()?)),
            3 => Charge::OfMirror(MirrorId(input.id()?), MirrorCharge(input.tag()?)),
            4 => Charge::Unknown,
            6 => Charge::Unmet(ReferenceId(input.id()?), input.hash()?),
            7 => Charge::OrDangling(ReferenceId(input.id()?), input.hash()?),
            8 => Charge::OrUnmet(ReferenceId(input.id()?), input.hash()?),
            _ => Charge::Duplicate,
        };
        Some(Self { at, charge })
    }
}

/// Returns the findings about an item, given everything that it is suspected of.
pub(crate) fn findings(
    rules: &Rules,
    table: TableId,
    key: &Key<'_>,
    item: &Item<'_>,
    charges: &[Charge],
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut references = BTreeSet::new();
    for charge in charges {
        match *charge {
            Charge::Dangling(rule, _) | Charge::Unmet(rule, _) | Charge::Malformed(rule) => {
                references.insert(rule);
            }
            Charge::OfSource(rule, charge) => {
                let captures = rules.source_of(rule).key.parse(key);
                let pair = captures
                    .and_then(|it| Pair::of_source(rules, rule, &it, Some(item)).ok().flatten());
                found.extend(mirror_finding(rules, pair, charge));
            }
            Charge::OfMirror(rule, charge) => {
                let captures = rules.mirror_of(rule).key.parse(key);
                let pair = captures.and_then(|it| Pair::of_mirror(rules, rule, &it).ok());
                found.extend(mirror_finding(rules, pair, charge));
            }
            Charge::Unknown => found.push(unknown_item(rules, table, key)),
            Charge::Duplicate | Charge::OrDangling(..) | Charge::OrUnmet(..) => {}
        }
    }
    let name = ItemName { table, key: key.clone().into_owned() };
    for rule in references {
        found.extend(broken_references(rules, rule, &name, item, charges));
    }
    found
}

fn mirror_finding(rules: &Rules, pair: Option<Pair>, charge: MirrorCharge) -> Option<Finding> {
    Some(mirror::finding(rules, &pair?, charge.defect()?))
}

/// The finding that an item belongs to no entity.
pub(super) fn unknown_item(rules: &Rules, table: TableId, key: &Key<'_>) -> Finding {
    Finding {
        rule: rules[table].alias.clone(),
        severity: Severity::Error,
        referencing: Some(ItemName { table, key: key.clone().into_owned() }),
        referenced: None,
        path: None,
        reference: None,
        defect: Defect::UnknownItem,
    }
}

/// Whether none of the other items is there that would be enough instead of this one.
pub(super) fn are_others_missing(
    rules: &Rules,
    rule: ReferenceId,
    first: KeyHash,
    charges: &[Charge],
) -> bool {
    rules[rule].alternative.others.iter().all(|other| {
        charges.contains(&Charge::OrDangling(other.rule, first))
            || charges.contains(&Charge::OrUnmet(other.rule, first))
    })
}

fn broken_references(
    rules: &Rules,
    rule: ReferenceId,
    name: &ItemName,
    item: &Item<'_>,
    charges: &[Charge],
) -> Vec<Finding> {
    let reference = &rules[rule];
    let from = &rules[reference.from];
    let captures = from.key.parse(&name.key).filter(|_| from.admits(item));
    let Some(captures) = captures else { return Vec::new() };
    let mut hasher = KeyHasher::default();
    let table = rules[reference.to].table;
    let mut found = Vec::new();
    for value in &evaluate(rules, reference, &captures, item) {
        let finding = || broken(rules, rule, name.clone(), value);
        match &value.state {
            ReferenceState::Broken(_) => {
                found.extend(charges.contains(&Charge::Malformed(rule)).then(finding));
            }
            ReferenceState::Refers(target) => {
                let hash = hasher.item(table, target);
                let (mut is_unmet, is_dangling) = (
                    charges.contains(&Charge::Unmet(rule, hash)),
                    charges.contains(&Charge::Dangling(rule, hash)),
                );
                let mut is_broken = is_unmet || is_dangling;
                is_broken = is_broken && are_others_missing(rules, rule, hash, charges);
                let mut others = reference.alternative.others.iter();
                is_unmet |= others.any(|it| charges.contains(&Charge::OrUnmet(it.rule, hash)));
                if is_broken && is_unmet {
                    found.push(Finding { defect: Defect::TargetUnmet(None), ..finding() });
                } else if is_broken {
                    found.push(finding());
                }
            }
        }
    }
    found
}
