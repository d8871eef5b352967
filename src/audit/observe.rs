//! From items to facts.

use std::io;

use super::fact::{ContentHash, Fact, KeyHash, KeyHasher, Location};
use super::spill::{Spill, Writer};
use super::tally::Tally;
use crate::data::{Item, Key, KeyValue};
use crate::integrity::index::{Index, Projection, Role};
use crate::integrity::mirror::{self, Pair, Standing};
use crate::integrity::reference::{ReferenceState, evaluate};
use crate::rules::model::{EntityId, MirrorId, ReferenceId, Rules, TableId};

/// Which of the [`PARTITIONS`](super::spill::PARTITIONS) a hash belongs to.
pub(super) fn partition_of(hash: KeyHash) -> usize {
    let [_, _, _, _, _, _, _, _, partition, ..] = hash.0.to_le_bytes();
    usize::from(partition)
}

/// Observes items and writes their facts, for one thread.
#[derive(Debug)]
pub(crate) struct Observer<'a, F = Writer<'a>> {
    rules: &'a Rules,
    index: &'a Index,
    facts: F,
    hasher: KeyHasher,
    known: RecentlySeen,
    /// Whether to write a fact for an item that belongs to no entity.
    reports_unknown: bool,
    tally: Tally,
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
    /// An observer that writes to `facts`.
    pub(super) fn new(
        rules: &'a Rules,
        index: &'a Index,
        facts: &'a Spill,
        reports_unknown: bool,
    ) -> Self {
        Self::of(rules, index, facts.writer(), reports_unknown)
    }

    /// Passes all facts on, and returns the counts.
    pub(crate) fn finish(self) -> io::Result<Tally> {
        self.facts.finish()?;
        Ok(self.tally)
    }
}

impl<'a, F: Facts> Observer<'a, F> {
    /// An observer whose facts go here.
    pub(super) fn of(rules: &'a Rules, index: &'a Index, facts: F, reports_unknown: bool) -> Self {
        Self {
            rules,
            index,
            facts,
            hasher: KeyHasher::default(),
            known: RecentlySeen::new(),
            reports_unknown,
            tally: Tally::new(rules),
        }
    }

    /// Observes an item. `attributes` returns those of its attributes that the rules look at.
    pub(crate) fn observe<'i, E>(
        &mut self,
        at: Location,
        table: TableId,
        key: &Key<'_>,
        attributes: impl FnOnce(&Projection) -> Result<Item<'i>, E>,
    ) -> Result<(), ObserveError<E>> {
        self.tally.items += 1;
        let (rules, index) = (self.rules, self.index);
        let entities: Vec<_> = index.matching(rules, table, key).collect();
        let hash = self.hasher.item(table, key);
        let Some(((first, _), others)) = entities.split_first() else {
            return Ok(self.no_role(at, table, key, hash)?);
        };
        let projection = index.projection(*first);
        let item = if others.is_empty() {
            attributes(projection)
        } else {
            let mut projection = projection.clone();
            for (id, _) in others {
                projection.extend(index.projection(*id));
            }
            attributes(&projection)
        };
        let item = item.map_err(ObserveError::Item)?;
        let mut referenced = entities.iter().filter(|(id, _)| self.is_referenced(*id, &item));
        let entity = referenced.next().map(|(id, _)| *id);
        let also: Vec<EntityId> = referenced.map(|(id, _)| *id).collect();
        self.write(Fact::Item { item: hash, entity, at })?;
        for entity in entity.into_iter().chain(also.iter().copied()) {
            self.known.add(mix(hash, entity));
        }
        for entity in also {
            self.write(Fact::AlsoIs { item: hash, entity })?;
        }
        let mut is_one = false;
        for (id, captures) in &entities {
            is_one |= rules[*id].admits(&item);
            for role in index.roles(*id) {
                self.apply(*role, captures, &item, key, at)?;
            }
        }
        if !is_one {
            self.unknown(at)?;
        }
        Ok(())
    }

    /// Where the facts go.
    pub(super) const fn facts(&mut self) -> &mut F {
        &mut self.facts
    }

    /// What was looked at so far.
    pub(super) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether the item belongs to this entity and a rule references the entity.
    fn is_referenced(&self, entity: EntityId, item: &Item<'_>) -> bool {
        let is_referenced = |role: &Role| matches!(role, Role::Referenced(_));
        self.index.roles(entity).iter().any(is_referenced) && self.rules[entity].admits(item)
    }

    /// Writes the facts of an item that no rule looks at.
    fn no_role(
        &mut self,
        at: Location,
        table: TableId,
        key: &Key<'_>,
        item: KeyHash,
    ) -> io::Result<()> {
        self.write(Fact::Item { item, entity: None, at })?;
        let mut of_table = self.rules.entities.iter().filter(|entity| entity.table == table);
        if !of_table.any(|entity| entity.key.parse(key).is_some()) {
            self.unknown(at)?;
        }
        Ok(())
    }

    fn unknown(&mut self, at: Location) -> io::Result<()> {
        self.tally.unknown += 1;
        if self.reports_unknown { self.write(Fact::Unknown { at }) } else { Ok(()) }
    }

    /// Writes the facts of an item's role.
    fn apply(
        &mut self,
        role: Role,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        key: &Key<'_>,
        at: Location,
    ) -> io::Result<()> {
        match role {
            Role::Referenced(_) => Ok(()),
            Role::Referencing(id) => self.referencing(id, captures, item, at),
            Role::Source(id) => self.source(id, captures, item, at),
            Role::Mirror(id) => self.mirror(id, captures, item, key, at),
        }
    }

    fn referencing(
        &mut self,
        rule: ReferenceId,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        at: Location,
    ) -> io::Result<()> {
        let (rules, reference) = (self.rules, &self.rules[rule]);
        if !rules[reference.from].admits(item) {
            return Ok(());
        }
        let table = rules[reference.to].table;
        for value in evaluate(rules, reference, captures, item) {
            self.tally.reference(rule);
            match &value.state {
                ReferenceState::Refers(key) => {
                    let target = self.hasher.item(table, key);
                    if !self.known.contains(mix(target, reference.to)) {
                        self.write(Fact::Refers { target, rule, at })?;
                    }
                }
                ReferenceState::Broken(_) => self.write(Fact::Malformed { rule, at })?,
            }
        }
        Ok(())
    }

    fn source(
        &mut self,
        rule: MirrorId,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        at: Location,
    ) -> io::Result<()> {
        // Without a key, there can be no mirror: the stream rejects such a source.
        let Ok(pair) = Pair::of_source(self.rules, rule, captures) else { return Ok(()) };
        let Some(expected) = mirror::expected(self.rules, &pair, Some(item)) else {
            return Ok(());
        };
        self.tally.mirror(rule);
        let mirror = self.hasher.mirror(rule, &pair.mirror);
        self.write(Fact::Requires { mirror, content: ContentHash::of(&expected), rule, at })
    }

    fn mirror(
        &mut self,
        rule: MirrorId,
        captures: &[KeyValue<'_>],
        item: &Item<'_>,
        key: &Key<'_>,
        at: Location,
    ) -> io::Result<()> {
        // The rule ignores keys that no source can produce.
        if Pair::of_mirror(self.rules, rule, captures).is_err() {
            return Ok(());
        }
        let standing = Standing::of(self.rules, rule, Some(item));
        let mirror = self.hasher.mirror(rule, key);
        let content = ContentHash::of(item);
        self.write(Fact::IsMirror { mirror, content, standing, rule, at })
    }

    fn write(&mut self, fact: Fact) -> io::Result<()> {
        self.facts.add_fact(fact)
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
    /// The number of items. Their hashes have 256 KB, which fit into a processor's cache.
    const LENGTH: usize = 16 * 1024;

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
