//! The names of attributes, and which of them usually follow each other.
//!
//! The items of an entity have the same attributes, mostly in the same order. So the name of an
//! attribute is first compared with those that have followed the name before it, and is searched
//! for only if it is another one.

use std::collections::HashMap;

use crate::data::ends::{past, plain_end};

/// The maximum number of names. Items with further ones are unusual, so that memory is bounded.
const NAMES_MAX: usize = 16 * 1024;

/// How many names that have followed another one are remembered.
const FOLLOWERS: usize = 4;

/// The bytes of a name that are compared at once.
const START_BYTES: usize = 16;

/// The number of a name, which never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameId(usize);

impl NameId {
    /// The number of the beginning of an item, before its first name.
    pub(super) const NONE: Self = Self(0);

    /// The number as an index.
    pub(super) const fn index(self) -> usize {
        self.0
    }
}

/// The names that were seen.
#[derive(Debug)]
pub(super) struct Names {
    known: Vec<Name>,
    ids: HashMap<Box<[u8]>, NameId>,
}

#[derive(Debug)]
struct Name {
    /// The first bytes of the name in quotes.
    start: u128,
    /// Has the bits of the bytes that the name has.
    mask: u128,
    /// The name in quotes.
    quoted: Box<[u8]>,
    followers: [NameId; FOLLOWERS],
    /// The follower that the next new one replaces.
    oldest: usize,
}

impl Name {
    fn new(name: &[u8]) -> Self {
        let quoted: Box<[u8]> = [b"\"", name, b"\""].concat().into();
        let (mut start, mut mask) = ([0; START_BYTES], [0; START_BYTES]);
        for ((start, mask), byte) in start.iter_mut().zip(&mut mask).zip(&quoted) {
            (*start, *mask) = (*byte, u8::MAX);
        }
        let (start, mask) = (u128::from_le_bytes(start), u128::from_le_bytes(mask));
        Self { start, mask, quoted, followers: [NameId::NONE; FOLLOWERS], oldest: 0 }
    }

    /// Whether a text that begins with these bytes begins with the name in quotes.
    #[inline]
    fn begins(&self, first: u128, text: &[u8]) -> bool {
        (first ^ self.start) & self.mask == 0
            && (self.quoted.len() <= START_BYTES || text.starts_with(&self.quoted))
    }
}

impl Default for Names {
    fn default() -> Self {
        Self { known: vec![Name::new(b"")], ids: HashMap::new() }
    }
}

impl Names {
    /// One more than the highest number.
    pub(super) const fn len(&self) -> usize {
        self.known.len()
    }

    /// The number of a name.
    pub(super) fn add(&mut self, name: &[u8]) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = NameId(self.known.len());
        self.known.push(Name::new(name));
        self.ids.insert(name.into(), id);
        id
    }

    /// The name whose opening quote is at this position, after another name, and the position of
    /// its closing quote. `None` if it has escapes, or if there are too many names.
    #[inline]
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        at: usize,
        before: NameId,
    ) -> Option<(NameId, usize)> {
        let text = bytes.get(at..)?;
        if let Some(first) = text.first_chunk() {
            let first = u128::from_le_bytes(*first);
            let followers = &self.known.get(before.0)?.followers;
            for id in followers.iter().take_while(|id| **id != NameId::NONE) {
                let name = self.known.get(id.0)?;
                if name.begins(first, text) {
                    return Some((*id, at + name.quoted.len() - 1));
                }
            }
        }
        self.search(bytes, at, before)
    }

    #[cold]
    fn search(&mut self, bytes: &[u8], at: usize, before: NameId) -> Option<(NameId, usize)> {
        let start = past(bytes, at, b'"')?;
        let end = plain_end(bytes, start)?;
        if self.known.len() == NAMES_MAX {
            return None;
        }
        let id = self.add(bytes.get(start..end)?);
        let before = self.known.get_mut(before.0)?;
        if !before.followers.contains(&id) {
            *before.followers.get_mut(before.oldest)? = id;
            before.oldest = (before.oldest + 1) % FOLLOWERS;
        }
        Some((id, end))
    }
}
