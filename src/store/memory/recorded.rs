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
            let before = table.replace(&key, image);
            self.hide(name, &key, before.as_ref());
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

#[cfg(test)]
mod tests {
    use super::super::tests::{ITEM_KEY, content, item, item_with, memory, put};
    use super::*;
    use crate::data::KeyValue;
    use crate::store::Store as _;
    use futures_util::FutureExt as _;

    fn key() -> Key<'static> {
        Key { partition: KeyValue::S("p".into()), sort: Some(KeyValue::S("1".into())) }
    }

    fn number(text: &str) -> SequenceNumber<'static> {
        SequenceNumber::parse(text).unwrap().into_owned()
    }

    fn commit(memory: &Memory, x: &str, sequence: &str) -> Committed {
        memory.commit("app", &key(), Some(item_with(x)), &number(sequence)).unwrap()
    }

    fn write(memory: &Memory, x: &str) -> SequenceNumber<'static> {
        memory.write(put(x)).now_or_never().unwrap().unwrap();
        memory.take_stream().pop().unwrap().sequence
    }

    #[test]
    fn own_writes_are_numbered_above_every_record() {
        let memory = memory();
        let high = "9".repeat(39);
        assert_eq!(commit(&memory, "a", &high), Committed::Applied(number(&high)));
        assert!(memory.take_stream().is_empty());
        assert_eq!(write(&memory, "b").as_str(), format!("1{}", "0".repeat(39)));
    }

    #[test]
    fn a_record_changes_the_item_whatever_it_is() {
        let memory = memory();
        commit(&memory, "a", "100");
        assert_eq!(content(&memory), Some(item_with("a")));
        memory.commit("app", &key(), None, &number("200")).unwrap();
        assert_eq!(content(&memory), None);
    }

    #[test]
    fn a_redelivered_record_changes_nothing() {
        let memory = memory();
        commit(&memory, "a", "100");
        commit(&memory, "b", "200");
        write(&memory, "c");
        for (x, sequence) in [("a", "100"), ("b", "200"), ("b", "000000000000000000000200")] {
            let redelivered = Committed::Redelivered(number(sequence));
            assert_eq!(commit(&memory, x, sequence), redelivered);
        }
        assert_eq!(content(&memory), Some(item_with("c")));
    }

    /// The store's own write took a number that the history of the records did not know of.
    #[test]
    fn a_record_below_an_own_write_is_numbered_above_it() {
        let memory = memory();
        commit(&memory, "a", "100");
        assert_eq!(write(&memory, "own"), number("101"));
        assert_eq!(commit(&memory, "b", "101"), Committed::Applied(number("102")));
        assert_eq!(commit(&memory, "c", "102"), Committed::Applied(number("103")));
        assert_eq!(content(&memory), Some(item_with("c")));
        assert_eq!(commit(&memory, "b", "101"), Committed::Redelivered(number("102")));
        assert_eq!(commit(&memory, "c", "102"), Committed::Redelivered(number("103")));
        assert_eq!(commit(&memory, "d", "500"), Committed::Applied(number("500")));
        assert_eq!(write(&memory, "own"), number("501"));
    }

    #[test]
    fn a_record_that_was_skipped_is_stale() {
        let memory = memory();
        commit(&memory, "b", "200");
        assert_eq!(commit(&memory, "a", "100"), Committed::Stale);
        assert_eq!(content(&memory), Some(item_with("b")));
        assert_eq!(Committed::Stale.sequence(), None);
    }

    #[test]
    fn items_have_histories_of_their_own() {
        let memory = memory();
        commit(&memory, "a", "200");
        let other = Key { partition: KeyValue::S("q".into()), sort: key().sort };
        let committed = memory.commit("app", &other, None, &number("100")).unwrap();
        assert_eq!(committed, Committed::Applied(number("100")));
    }

    #[test]
    fn what_no_table_could_have_recorded_is_refused() {
        let memory = memory();
        let sequence = number("1");
        let bare = Key { partition: KeyValue::S("p".into()), sort: None };
        let other = Key { partition: KeyValue::S("q".into()), sort: key().sort };
        let image = || Some(item(ITEM_KEY));
        assert!(matches!(
            memory.commit("app", &bare, None, &sequence),
            Err(StoreError::Rejected(_))
        ));
        assert!(matches!(
            memory.commit("app", &other, image(), &sequence),
            Err(StoreError::Rejected(_))
        ));
        assert!(matches!(
            memory.commit("none", &key(), image(), &sequence),
            Err(StoreError::Fatal(_))
        ));
        assert_eq!(content(&memory), None);
    }
}
