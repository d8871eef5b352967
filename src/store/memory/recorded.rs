//! Changes that were made elsewhere: those that a stream record tells of.

use std::collections::BTreeMap;

use super::check::{self, Invalid};
use super::{Memory, State};
use crate::data::{Item, Key, SequenceNumber};
use crate::store::StoreError;

/// What became of an item: what orders the next change of it.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The number of the last change, whoever made it.
    last: SequenceNumber<'static>,
    /// The numbers of the recorded changes, and the ones they were given here.
    recorded: BTreeMap<SequenceNumber<'static>, SequenceNumber<'static>>,
}

/// What became of a recorded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It was made, and this is its number here.
    Applied(SequenceNumber<'static>),
    /// It had been made before, with this number here, and changes nothing any more.
    Redelivered(SequenceNumber<'static>),
    /// A later recorded change of the item had been made without it; it changes nothing.
    Stale,
}

impl Committed {
    /// The change's number here, unless it is stale.
    #[must_use]
    pub fn sequence(&self) -> Option<&SequenceNumber<'static>> {
        match self {
            Self::Applied(sequence) | Self::Redelivered(sequence) => Some(sequence),
            Self::Stale => None,
        }
    }
}

impl Memory {
    /// Makes a change that a stream record tells of, as its table had already made it: whatever
    /// the item is now, at no cost, and without a stream record of its own.
    ///
    /// `image` is the item after the change; without one, it is deleted. The store's own writes
    /// are numbered above every record it has seen.
    ///
    /// Records come from a history in which the store's own writes had no part, so that a record
    /// may be numbered below a write the store has already made to the same item. Such a record
    /// tells of a change that comes next all the same, and is given the number above the item's
    /// last one: [`Committed::sequence`], by which it must be known from here on. Delivered again,
    /// it has the same number again.
    pub fn commit(
        &self,
        table: &str,
        key: &Key<'_>,
        image: Option<Item<'static>>,
        sequence: &SequenceNumber<'static>,
    ) -> Result<Committed, StoreError> {
        self.state.borrow_mut().commit(table, key, image, sequence)
    }
}

impl State {
    fn commit(
        &mut self,
        name: &str,
        key: &Key<'_>,
        image: Option<Item<'static>>,
        sequence: &SequenceNumber<'static>,
    ) -> Result<Committed, StoreError> {
        let table = self.table_mut(name)?;
        let key = check::request_key(&table.key, &table.key.item_of(key))?;
        if let Some(image) = &image
            && check::item_key(&table.key, image)? != key
        {
            let message = "the image in the record has another key than the record";
            return Err(Invalid(message.to_owned()).into());
        }
        let committed = table.histories.entry(key.clone()).or_default().record(sequence);
        if let Committed::Applied(number) = &committed {
            table.replace(&key, image);
            self.raise(number);
        }
        Ok(committed)
    }
}

impl History {
    /// Takes note of a recorded change.
    fn record(&mut self, sequence: &SequenceNumber<'static>) -> Committed {
        if let Some(number) = self.recorded.get(sequence) {
            return Committed::Redelivered(number.clone());
        }
        if self.recorded.last_key_value().is_some_and(|(last, _)| sequence < last) {
            return Committed::Stale;
        }
        let number = if *sequence > self.last { sequence.clone() } else { self.last.successor() };
        self.recorded.insert(sequence.clone(), number.clone());
        self.last = number.clone();
        Committed::Applied(number)
    }

    /// Takes note of a write of the store's own.
    pub(super) fn write(&mut self, sequence: SequenceNumber<'static>) {
        self.last = sequence;
    }
}
