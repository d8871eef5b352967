//! From items to facts.

use std::io;

use super::decoded::Decoded;
use super::excerpt::{self, Excerpts};
use super::fact::{Fact, Location};
use super::hash::KeyHash;
use super::quick::Quick;
use super::raw_item::RawItem;
use super::spill::{Spill, Writer};
use super::tally::Tally;
use crate::data::{Item, Key};
use crate::integrity::index::{Index, Projection};
use crate::integrity::nearest::Stray;
use crate::rules::model::{EntityId, Rules, TableId};

/// Which of the [`PARTITIONS`](super::spill::PARTITIONS) a hash belongs to.
pub(super) fn partition_of(hash: KeyHash) -> usize {
    let [_, _, _, _, _, _, _, _, partition, ..] = hash.0.to_le_bytes();
    usize::from(partition)
}

/// Observes items and passes on their facts, for one thread.
#[derive(Debug)]
pub(crate) struct Observer<'a, F = Writer<'a>> {
    quick: Quick<'a>,
    decoded: Decoded<'a>,
    rules: &'a Rules,
    /// The facts of the item that is observed.
    found: Vec<Fact>,
    facts: F,
    /// Where excerpts of items go, if they are items of an archive.
    excerpts: Option<excerpt::Writer<'a>>,
    /// For each table, the attributes in the excerpts of its items.
    names: Vec<Vec<&'a str>>,
    known: RecentlySeen,
    /// Whether to pass on a fact for an item that belongs to no entity.
    reports_unknown: bool,
    tally: Tally,
}

/// How items are observed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observing {
    /// Whether to pass on a fact for an item that belongs to no entity.
    pub(crate) reports_unknown: bool,
    /// The time at which items have expired or not, in milliseconds since 1970.
    pub(crate) now_ms: i64,
}

/// Why an item could not be observed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObserveError<E> {
    /// The item cannot be read.
    #[error("{0}")]
    Item(E),
    /// A temporary file cannot be written.
    #[error("cannot write a temporary file: {0}")]
    Spill(#[from] io::Error),
}

/// Where facts go.
pub(crate) trait Facts {
    /// Adds a fact.
    fn add_fact(&mut self, fact: Fact) -> io::Result<()>;
}

impl Facts for Writer<'_> {
    fn add_fact(&mut self, fact: Fact) -> io::Result<()> {
        self.add(partition_of(fact.hash()), |block| fact.encode(block))
    }
}

impl<'a> Observer<'a> {
    /// An observer that writes to `facts` and `excerpts`.
    pub(super) fn new(
        rules: &'a Rules,
        index: &'a Index,
        facts: &'a Spill,
        excerpts: &'a Excerpts,
        options: Observing,
    ) -> Self {
        let excerpts = Some(excerpts.writer());
        Self { excerpts, ..Self::of(rules, index, facts.writer(), options) }
    }

    /// Observes an item in DynamoDB's JSON.
    pub(super) fn observe_text(
        &mut self,
        at: Location,
        table: TableId,
        text: &[u8],
    ) -> Result<(), ObserveError<String>> {
        self.found.clear();
        let is_usual = self.quick.facts(at, table, text, &mut self.found).is_some();
        // The first item that belongs to no entity is decoded, because it is shown as an example.
        if is_usual && (!self.quick.entities.is_empty() || self.decoded.stray.is_some()) {
            self.quick.entities.iter().for_each(|entity| self.tally.entity(*entity));
            let may_be_suspect = self.pass_on()?;
            if let Some(excerpts) = self.excerpts.as_mut().filter(|_| may_be_suspect) {
                excerpts.add(at, table, self.quick.excerpt(table, text))?;
            }
            return Ok(());
        }
        let raw = RawItem::parse(text).map_err(ObserveError::Item)?;
        let key = raw.key(&self.rules[table].key).map_err(ObserveError::Item)?;
        let may_be_suspect = self.observe(at, table, &key, |it| raw.attributes(it))?;
        if let Some(excerpts) = self.excerpts.as_mut().filter(|_| may_be_suspect) {
            let names = self.names.get(table.0).into_iter().flatten();
            excerpts.add(at, table, names.map(|name| raw.kept(name)))?;
        }
        Ok(())
    }

    /// Passes all facts on, and returns the counts and the first item that belongs to no entity.
    pub(super) fn finish(self) -> io::Result<(Tally, Option<(Location, Stray)>)> {
        self.facts.finish()?;
        self.excerpts.map_or(Ok(()), excerpt::Writer::finish)?;
        Ok((self.tally, self.decoded.stray))
    }
}

impl<'a, F: Facts> Observer<'a, F> {
    /// An observer whose facts go here.
    pub(super) fn of(rules: &'a Rules, index: &'a Index, facts: F, options: Observing) -> Self {
        let Observing { reports_unknown, now_ms } = options;
        Self {
            quick: Quick::new(rules, index, now_ms),
            decoded: Decoded::new(rules, index, now_ms),
            rules,
            found: Vec::new(),
            facts,
            excerpts: None,
            names: excerpt::all_names(rules),
            known: RecentlySeen::new(),
            reports_unknown,
            tally: Tally::new(rules),
        }
    }

    /// Observes an item. `attributes` returns those of its attributes that the rules look at.
    /// Returns whether findings about the item may follow.
    pub(crate) fn observe<'i, E>(
        &mut self,
        at: Location,
        table: TableId,
        key: &Key<'_>,
        attributes: impl FnOnce(&Projection) -> Result<Item<'i>, E>,
    ) -> Result<bool, ObserveError<E>> {
        self.found.clear();
        let facts = self.decoded.facts(at, table, key, attributes, &mut self.found);
        facts.map_err(ObserveError::Item)?;
        self.decoded.entities.iter().for_each(|entity| self.tally.entity(*entity));
        Ok(self.pass_on()?)
    }

    /// Where the facts go.
    pub(super) const fn facts(&mut self) -> &mut F {
        &mut self.facts
    }

    /// The first item that belongs to no entity.
    pub(super) fn stray(&self) -> Option<Stray> {
        self.decoded.stray.as_ref().map(|(_, stray)| stray.clone())
    }

    /// What was looked at so far.
    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Counts the facts that were found, and passes on those that need to be compared. Returns
    /// whether findings about the item may follow from them.
    fn pass_on(&mut self) -> io::Result<bool> {
        let is_expired = |fact: &Fact| matches!(fact, Fact::Expired { .. });
        let has_expired = self.found.iter().any(is_expired);
        let (mut may_be_suspect, mut is_satisfied) = (false, false);
        for fact in &self.found {
            match *fact {
                Fact::Item { item, entity, .. } => {
                    self.tally.items += 1;
                    // Rules may disagree on whether an expired item exists.
                    if let Some(entity) = entity.filter(|_| !has_expired) {
                        self.known.add(mix(item, entity));
                    }
                }
                Fact::AlsoIs { item, entity } if !has_expired => self.known.add(mix(item, entity)),
                Fact::Refers { target, rule, .. } => {
                    self.tally.reference(rule);
                    is_satisfied = self.known.contains(mix(target, self.rules[rule].to));
                    if is_satisfied {
                        continue;
                    }
                }
                Fact::OrRefers { target, rule, .. } => {
                    if is_satisfied || self.known.contains(mix(target, self.rules[rule].to)) {
                        continue;
                    }
                }
                Fact::Malformed { rule, .. } => self.tally.reference(rule),
                Fact::Requires { rule, .. } => self.tally.mirror(rule),
                Fact::AlsoIs { .. } | Fact::Expired { .. } | Fact::IsMirror { .. } => {}
                Fact::Unknown { .. } => {
                    self.tally.unknown += 1;
                    if !self.reports_unknown {
                        continue;
                    }
                }
            }
            may_be_suspect |= !matches!(fact, Fact::Item { .. } | Fact::AlsoIs { .. });
            self.facts.add_fact(*fact)?;
        }
        Ok(may_be_suspect)
    }
}

/// The hash of an item as an item of one entity.
pub(super) const fn mix(item: KeyHash, entity: EntityId) -> u128 {
    const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;
    item.0.wrapping_add((entity.0 as u128 + 1).wrapping_mul(ODD))
}

/// Referenced items that were observed recently. References to them need no fact: in exports and
/// scans, the items of a partition are next to each other.
#[derive(Debug)]
struct RecentlySeen {
    hashes: Vec<u128>,
}

impl RecentlySeen {
    /// The number of items. Their hashes have 64 KB, a part of a processor's cache: looking at them
    /// must cost less than a fact.
    const LENGTH: usize = 4 * 1024;

    fn new() -> Self {
        Self { hashes: vec![0; Self::LENGTH] }
    }

    fn add(&mut self, hash: u128) {
        if let Some(slot) = self.hashes.get_mut(Self::slot(hash)) {
            *slot = hash;
        }
    }

    fn contains(&self, hash: u128) -> bool {
        self.hashes.get(Self::slot(hash)) == Some(&hash)
    }

    fn slot(hash: u128) -> usize {
        let [low, high, ..] = hash.to_le_bytes();
        usize::from(u16::from_le_bytes([low, high])) % Self::LENGTH
    }
}
