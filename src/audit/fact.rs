//! Facts: what one item says about others, in a few bytes each.
//!
//! An audit compares facts, not items.

use twox_hash::XxHash3_128;

use super::hash::{ContentHash, KeyHash};
use crate::integrity::mirror::Standing;
use crate::rules::model::{EntityId, MirrorId, ReferenceId};

/// Where an item is in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Location {
    /// The part of the source: a file of an export, or a run of pages of a scan.
    pub(crate) chunk: u32,
    /// The item's position in it, from 0.
    pub(crate) row: u32,
}

/// What one item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The item exists. There is one such fact for each item.
    Item {
        item: KeyHash,
        /// The referenced entity that the item belongs to, if any.
        entity: Option<EntityId>,
        at: Location,
    },
    /// The item also belongs to this referenced entity.
    AlsoIs { item: KeyHash, entity: EntityId },
    /// The item has expired. There is no such fact if no rule asks.
    Expired { item: KeyHash },
    /// The item refers to another one.
    Refers { target: KeyHash, rule: ReferenceId, at: Location },
    /// Another item that is enough for a reference whose first target is this one.
    OrRefers { target: KeyHash, first: KeyHash, rule: ReferenceId, at: Location },
    /// A value of a reference is malformed or incomplete.
    Malformed { rule: ReferenceId, at: Location },
    /// The item requires a mirror with this content.
    Requires {
        mirror: KeyHash,
        content: ContentHash,
        rule: MirrorId,
        at: Location,
        /// Whether the item has expired, so that its mirror may be absent.
        has_expired: bool,
    },
    /// The item is at a key of a mirror.
    IsMirror {
        mirror: KeyHash,
        content: ContentHash,
        standing: Standing,
        rule: MirrorId,
        at: Location,
    },
    /// The item belongs to no entity.
    Unknown { at: Location },
}

impl Fact {
    /// The hash that decides in which partition the fact is compared with others.
    #[inline]
    pub(crate) fn hash(&self) -> KeyHash {
        match self {
            Self::Item { item: hash, .. }
            | Self::AlsoIs { item: hash, .. }
            | Self::Expired { item: hash }
            | Self::Refers { target: hash, .. }
            | Self::OrRefers { target: hash, .. }
            | Self::Requires { mirror: hash, .. }
            | Self::IsMirror { mirror: hash, .. } => *hash,
            // These facts are not compared with others. They are spread over the partitions.
            Self::Malformed { at, .. } | Self::Unknown { at } => {
                let row = u64::from(at.chunk) << 32 | u64::from(at.row);
                KeyHash(XxHash3_128::oneshot(&row.to_le_bytes()))
            }
        }
    }

    /// Appends the fact to a block.
    #[inline]
    pub(crate) fn encode(&self, block: &mut Vec<u8>) {
        block.reserve(FACT_BYTES_MAX);
        let mut out = Encoder(block);
        match *self {
            Self::Item { item, entity, at } => {
                out.tag(0).hash(item).id(entity.map_or(NO_ENTITY, |entity| entity.0)).at(at);
            }
            Self::AlsoIs { item, entity } => {
                out.tag(1).hash(item).id(entity.0);
            }
            Self::Refers { target, rule, at } => {
                out.tag(2).hash(target).id(rule.0).at(at);
            }
            Self::OrRefers { target, first, rule, at } => {
                out.tag(9).hash(target).hash(first).id(rule.0).at(at);
            }
            Self::Malformed { rule, at } => {
                out.tag(3).id(rule.0).at(at);
            }
            Self::Requires { mirror, content, rule, at, has_expired } => {
                let tag = if has_expired { 7 } else { 4 };
                out.tag(tag).hash(mirror).content(content).id(rule.0).at(at);
            }
            Self::IsMirror { mirror, content, standing, rule, at } => {
                out.tag(5).hash(mirror).content(content).id(rule.0).at(at).tag(pack(standing));
            }
            Self::Unknown { at } => {
                out.tag(6).at(at);
            }
            Self::Expired { item } => {
                out.tag(8).hash(item);
            }
        }
    }

    /// Removes the first fact on this side from the bytes of a block, and those before it; `None` at
    /// its end.
    pub(super) fn decode_next(bytes: &mut &[u8], side: Side) -> Option<Self> {
        loop {
            let tag = *bytes.first()?;
            if Side::of(tag) == side {
                return Self::decode(bytes);
            }
            *bytes = bytes.get(length(tag)..)?;
        }
    }

    /// Removes the first fact from the bytes of a block; `None` at its end.
    #[inline]
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let mut input = Decoder(bytes);
        Some(match input.tag()? {
            0 => {
                let (item, entity, at) = (input.hash()?, input.id()?, input.at()?);
                let entity = (entity != NO_ENTITY).then_some(EntityId(entity));
                Self::Item { item, entity, at }
            }
            1 => Self::AlsoIs { item: input.hash()?, entity: EntityId(input.id()?) },
            2 => Self::Refers {
                target: input.hash()?,
                rule: ReferenceId(input.id()?),
                at: input.at()?,
            },
            3 => Self::Malformed { rule: ReferenceId(input.id()?), at: input.at()? },
            tag @ (4 | 7) => Self::Requires {
                mirror: input.hash()?,
                content: input.content()?,
                rule: MirrorId(input.id()?),
                at: input.at()?,
                has_expired: tag == 7,
            },
            5 => Self::IsMirror {
                mirror: input.hash()?,
                content: input.content()?,
                rule: MirrorId(input.id()?),
                at: input.at()?,
                standing: unpack(input.tag()?),
            },
            9 => Self::OrRefers {
                target: input.hash()?,
                first: input.hash()?,
                rule: ReferenceId(input.id()?),
                at: input.at()?,
            },
            6 => Self::Unknown { at: input.at()? },
            _ => Self::Expired { item: input.hash()? },
        })
    }
}

/// The facts that are needed to judge others, and the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// What exists or is required: [`Fact::Item`], [`Fact::AlsoIs`], [`Fact::Expired`] and
    /// [`Fact::Requires`].
    Given,
    /// All others.
    Judged,
}

impl Side {
    const fn of(tag: u8) -> Self {
        match tag {
            0 | 1 | 4 | 7 | 8 => Self::Given,
            _ => Self::Judged,
        }
    }
}

/// The maximum length of a fact, in bytes.
const FACT_BYTES_MAX: usize = 43;

/// The length of a fact with this tag, in bytes.
const fn length(tag: u8) -> usize {
    match tag {
        0 | 2 => 27,
        1 => 19,
        3 => 11,
        4 | 7 => 35,
        5 => 36,
        6 => 9,
        9 => 43,
        _ => 17,
    }
}

/// The code of an item that no reference refers to. A rule file has far fewer entities.
const NO_ENTITY: usize = u16::MAX as usize;

/// Appends the parts of a record.
pub(super) struct Encoder<'b>(pub(super) &'b mut Vec<u8>);

impl Encoder<'_> {
    pub(super) fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.push(tag);
        self
    }

    pub(super) fn hash(&mut self, hash: KeyHash) -> &mut Self {
        self.0.extend_from_slice(&hash.0.to_le_bytes());
        self
    }

    fn content(&mut self, content: ContentHash) -> &mut Self {
        self.0.extend_from_slice(&content.0.to_le_bytes());
        self
    }

    /// Appends the index of a rule or an entity. A rule file of the maximum size has fewer than
    /// 65,535 of them.
    pub(super) fn id(&mut self, id: usize) -> &mut Self {
        self.0.extend_from_slice(&u16::try_from(id).unwrap_or(u16::MAX).to_le_bytes());
        self
    }

    pub(super) fn at(&mut self, at: Location) -> &mut Self {
        self.0.extend_from_slice(&at.chunk.to_le_bytes());
        self.0.extend_from_slice(&at.row.to_le_bytes());
        self
    }
}

/// Removes the parts of a record from its bytes.
pub(super) struct Decoder<'d, 'b>(pub(super) &'d mut &'b [u8]);

impl Decoder<'_, '_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        *self.0 = rest;
        Some(*array)
    }

    pub(super) fn tag(&mut self) -> Option<u8> {
        self.array::<1>().map(|[tag]| tag)
    }

    pub(super) fn hash(&mut self) -> Option<KeyHash> {
        self.array().map(u128::from_le_bytes).map(KeyHash)
    }

    fn content(&mut self) -> Option<ContentHash> {
        self.array().map(u64::from_le_bytes).map(ContentHash)
    }

    pub(super) fn id(&mut self) -> Option<usize> {
        self.array().map(u16::from_le_bytes).map(usize::from)
    }

    pub(super) fn at(&mut self) -> Option<Location> {
        let chunk = self.array().map(u32::from_le_bytes)?;
        let row = self.array().map(u32::from_le_bytes)?;
        Some(Location { chunk, row })
    }
}

fn pack(standing: Standing) -> u8 {
    match standing {
        Standing::Absent => 0,
        Standing::Marked => 1,
        Standing::Unmarked { is_marked_otherwise, is_admitted } => {
            2 | u8::from(is_marked_otherwise) << 2 | u8::from(is_admitted) << 3
        }
    }
}

const fn unpack(byte: u8) -> Standing {
    match byte {
        0 => Standing::Absent,
        1 => Standing::Marked,
        bits => {
            Standing::Unmarked { is_marked_otherwise: bits & 4 != 0, is_admitted: bits & 8 != 0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_read_as_it_was_written() {
        let (hash, at) = (KeyHash(u128::MAX - 7), Location { chunk: 3, row: u32::MAX });
        let unmarked = |is_marked_otherwise, is_admitted| Standing::Unmarked {
            is_marked_otherwise,
            is_admitted,
        };
        let mut facts = vec![
            Fact::Item { item: hash, entity: None, at },
            Fact::Item { item: hash, entity: Some(EntityId(4)), at },
            Fact::AlsoIs { item: hash, entity: EntityId(0) },
            Fact::Refers { target: hash, rule: ReferenceId(300), at },
            Fact::OrRefers { target: hash, first: KeyHash(8), rule: ReferenceId(301), at },
            Fact::Malformed { rule: ReferenceId(1), at },
            Fact::Unknown { at },
            Fact::Expired { item: hash },
        ];
        let (mirror, content, rule) = (hash, ContentHash(9), MirrorId(2));
        for has_expired in [false, true] {
            facts.push(Fact::Requires { mirror, content, rule, at, has_expired });
        }
        for standing in [
            Standing::Absent,
            Standing::Marked,
            unmarked(false, false),
            unmarked(true, false),
            unmarked(false, true),
            unmarked(true, true),
        ] {
            facts.push(Fact::IsMirror { mirror, content, standing, rule, at });
        }
        let mut block = Vec::new();
        for fact in &facts {
            fact.encode(&mut block);
        }
        let mut bytes = block.as_slice();
        let read: Vec<_> = std::iter::from_fn(|| Fact::decode(&mut bytes)).collect();
        assert_eq!(read, facts);
        let is_given = |fact: &Fact| {
            matches!(
                fact,
                Fact::Item { .. }
                    | Fact::AlsoIs { .. }
                    | Fact::Expired { .. }
                    | Fact::Requires { .. }
            )
        };
        let (given, judged): (Vec<Fact>, Vec<Fact>) = facts.iter().partition(|it| is_given(it));
        for (side, facts) in [(Side::Given, given), (Side::Judged, judged)] {
            let mut bytes = block.as_slice();
            let read = std::iter::from_fn(|| Fact::decode_next(&mut bytes, side));
            assert_eq!(read.collect::<Vec<_>>(), facts);
        }
    }
}
