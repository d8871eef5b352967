//! From facts to suspects, one partition at a time.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::fact::{Fact, Location, Side};
use super::hash::{ContentHash, KeyHash};
use super::observe::{mix, partition_of};
use super::spill::{PARTITIONS, Spill, Writer};
use super::suspect::{Charge, MirrorCharge, Suspect, group_of};
use super::threads::on_threads;
use crate::integrity::mirror::Standing;
use crate::rules::model::{Expired, MirrorId, Rules};

/// The maximum length of the facts that are compared at once, in bytes. A longer partition is
/// divided first.
const PARTITION_BYTES_MAX: usize = 24 * 1024 * 1024;

/// The usual length of all facts that concern an item, in bytes: itself and a reference to it.
const BYTES_OF_ITEM: usize = 54;

/// Compares the facts of each partition, on several threads.
pub(super) fn join(
    rules: &Rules,
    facts: &Spill,
    suspects: &Suspects,
    threads: usize,
) -> io::Result<()> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut out = suspects.spill.writer();
        loop {
            let partition = next.fetch_add(1, Ordering::Relaxed);
            if partition >= PARTITIONS {
                return out.finish();
            }
            let mut each = |suspect| suspects.add(&mut out, suspect);
            join_partition(rules, facts, partition, 0, &mut each)?;
        }
    };
    on_threads(threads, work).into_iter().collect()
}

/// Suspects, grouped by the parts of the source in which their items are.
#[derive(Debug)]
pub(crate) struct Suspects {
    spill: Spill,
    chunks: u32,
    count: AtomicU64,
}

impl Suspects {
    /// No suspects, for a source with this many parts.
    pub(super) const fn new(spill: Spill, chunks: u32) -> Self {
        Self { spill, chunks, count: AtomicU64::new(0) }
    }

    /// How many there are. Some may be equal.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether a group has suspects.
    pub(super) fn has(&self, group: usize) -> bool {
        self.spill.bytes(group) > 0
    }

    /// Removes a group, and returns its suspects in the order of their items. The groups are in
    /// the order of the source, too.
    pub(super) fn take(&self, group: usize) -> io::Result<Vec<Suspect>> {
        let mut suspects = Vec::new();
        for block in self.spill.take(group)? {
            let mut bytes = block.as_slice();
            suspects.extend(std::iter::from_fn(|| Suspect::decode(&mut bytes)));
        }
        suspects.sort_unstable();
        suspects.dedup();
        Ok(suspects)
    }

    fn add(&self, out: &mut Writer<'_>, suspect: Suspect) -> io::Result<()> {
        self.count.fetch_add(1, Ordering::Relaxed);
        out.add(group_of(suspect.at, self.chunks), |block| suspect.encode(block))
    }
}

/// Compares the facts of a partition. A long one is divided by further bits of the hashes.
fn join_partition(
    rules: &Rules,
    facts: &Spill,
    partition: usize,
    depth: u32,
    each: &mut impl FnMut(Suspect) -> io::Result<()>,
) -> io::Result<()> {
    // After four divisions, equal hashes are all that is left.
    if facts.bytes(partition) <= PARTITION_BYTES_MAX || depth == 4 {
        return compare(rules, &facts.take(partition)?, each);
    }
    let divided = facts.divided();
    let mut out = divided.writer();
    for block in facts.take(partition)? {
        for fact in decoded(&block) {
            let rotated = KeyHash(fact.hash().0.rotate_right(8 * (depth + 1)));
            out.add(partition_of(rotated), |block| fact.encode(block))?;
        }
    }
    out.finish()?;
    for partition in 0..PARTITIONS {
        join_partition(rules, &divided, partition, depth + 1, each)?;
    }
    Ok(())
}

fn decoded(block: &[u8]) -> impl Iterator<Item = Fact> + '_ {
    let mut bytes = block;
    std::iter::from_fn(move || Fact::decode(&mut bytes))
}

/// A mirror that a source requires.
#[derive(Debug, Clone, Copy)]
struct Required {
    content: ContentHash,
    rule: MirrorId,
    source: Location,
    /// Whether the mirror need not be there, because its source has expired.
    may_be_absent: bool,
    is_there: bool,
}

fn compare(
    rules: &Rules,
    blocks: &[Vec<u8>],
    each: &mut impl FnMut(Suspect) -> io::Result<()>,
) -> io::Result<()> {
    let facts = |side| {
        blocks.iter().flat_map(move |block| {
            let mut bytes = block.as_slice();
            std::iter::from_fn(move || Fact::decode_next(&mut bytes, side))
        })
    };
    let bytes: usize = blocks.iter().map(Vec::len).sum();
    let capacity = bytes / BYTES_OF_ITEM;
    let mut items = HashMap::with_capacity_and_hasher(capacity, Hashed::default());
    // Further entities of items that belong to several.
    let mut also: HashSet<u128, Hashed> = HashSet::default();
    let mut expired: HashSet<u128, Hashed> = HashSet::default();
    let mut required: HashMap<u128, Required, Hashed> = HashMap::default();
    for fact in facts(Side::Given) {
        match fact {
            Fact::Item { item, entity, at } => {
                if let Entry::Vacant(vacant) = items.entry(item.0) {
                    vacant.insert(entity);
                } else {
                    each(Suspect { at, charge: Charge::Duplicate })?;
                    also.extend(entity.map(|entity| mix(item, entity)));
                }
            }
            Fact::AlsoIs { item, entity } => {
                also.insert(mix(item, entity));
            }
            Fact::Expired { item } => {
                expired.insert(item.0);
            }
            Fact::Requires { mirror, content, rule, at, has_expired } => {
                let (may_be_absent, is_there) = (has_expired, false);
                let source = at;
                required
                    .insert(mirror.0, Required { content, rule, source, may_be_absent, is_there });
            }
            Fact::Refers { .. }
            | Fact::OrRefers { .. }
            | Fact::Malformed { .. }
            | Fact::IsMirror { .. }
            | Fact::Unknown { .. } => {}
        }
    }
    for fact in facts(Side::Judged) {
        match fact {
            Fact::Refers { target, rule, at } | Fact::OrRefers { target, rule, at, .. } => {
                let first =
                    if let Fact::OrRefers { first, .. } = fact { Some(first) } else { None };
                let to = rules[rule].to;
                let is_there =
                    items.get(&target.0) == Some(&Some(to)) || also.contains(&mix(target, to));
                let is_expired =
                    rules[rule].expired == Expired::Absent && expired.contains(&target.0);
                if is_expired || (!is_there && !items.contains_key(&target.0)) {
                    let charge = Charge::Dangling(rule, target);
                    let charge = first.map_or(charge, |first| Charge::OrDangling(rule, first));
                    each(Suspect { at, charge })?;
                } else if !is_there {
                    let charge = Charge::Unmet(rule, target);
                    let charge = first.map_or(charge, |first| Charge::OrUnmet(rule, first));
                    each(Suspect { at, charge })?;
                }
            }
            Fact::Malformed { rule, at } => each(Suspect { at, charge: Charge::Malformed(rule) })?,
            Fact::Unknown { at } => each(Suspect { at, charge: Charge::Unknown })?,
            Fact::IsMirror { mirror, content, standing, rule, at } => {
                let required = required.get_mut(&mirror.0);
                let same = required.map(|required| {
                    required.is_there = true;
                    required.content == content
                });
                if let Some(charge) = charge(rules, rule, standing, same) {
                    each(Suspect { at, charge: Charge::OfMirror(rule, charge) })?;
                }
            }
            Fact::Item { .. }
            | Fact::AlsoIs { .. }
            | Fact::Expired { .. }
            | Fact::Requires { .. } => {}
        }
    }
    let absent = required.into_values().filter(|it| !it.is_there && !it.may_be_absent);
    for Required { rule, source: at, .. } in absent {
        if let Some(charge) = charge(rules, rule, Standing::Absent, Some(false)) {
            each(Suspect { at, charge: Charge::OfSource(rule, charge) })?;
        }
    }
    Ok(())
}

fn charge(
    rules: &Rules,
    rule: MirrorId,
    standing: Standing,
    same: Option<bool>,
) -> Option<MirrorCharge> {
    MirrorCharge::of(&standing.defect_at_rest(&rules[rule], same)?)
}

type Hashed = BuildHasherDefault<AlreadyHashed>;

/// A hasher for values that are hashes already.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        // The lower half: a part of the upper half is the same in a whole partition.
        let bytes = hash.to_le_bytes();
        self.0 = bytes.first_chunk().map_or(0, |half| u64::from_le_bytes(*half));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
