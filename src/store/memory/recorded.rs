//! Recorded changes: changes made elsewhere that a stream record describes.

use std::collections::BTreeMap;

use super::invalid::{self, Invalid};
use super::{Memory, State};
use crate::data::{Item, Key, SequenceNumber};
use crate::store::StoreError;

/// The sequence numbers of an item's changes so far. They determine the number of its next recorded
/// change.
#[derive(Debug, Default)]
pub(super) struct History {
    /// The number of the last change, recorded or the store's own.
    last: SequenceNumber<'static>,
    /// The number in this store of each recorded change, by its number in the record.
    recorded: BTreeMap<SequenceNumber<'static>, SequenceNumber<'static>>,
}

/// The result of committing a recorded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// The change was applied, with this number in this store.
    Applied(SequenceNumber<'static>),
    /// The change was applied earlier, with this number in this store, and changes nothing now.
    Redelivered(SequenceNumber<'static>),
    /// A later recorded change of the item was applied before; this one changes nothing.
    Stale,
}

impl Committed {
    /// The change's number in this store, unless the change is stale.
    #[must_use]
    pub fn sequence(&self) -> Option<&SequenceNumber<'static>> {
        match self {
            Self::Applied(sequence) | Self::Redelivered(sequence) => Some(sequence),
            Self::Stale => None,
        }
    }
}

impl Memory {
    /// Applies a change that a stream record describes. The change has already happened in the
    /// original table, so it is applied unconditionally, at no cost, and without a new stream
    /// record.
    ///
    /// `image` is the item after the change; `None` deletes it. The store numbers its own writes
    /// higher than every record it has seen.
    ///
    /// Records come from a history that does not contain the store's own writes. A record may
    /// therefore have a lower number than a write that the store has already made to the same item.
    /// The record's change still counts as the item's next change: it gets the number after that of
    /// the item's last change. [`Committed::sequence`] returns this number, and callers must use it
    /// from then on. A redelivered record gets the same number again.
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
        let key = invalid::request_key(&table.key, &table.key.item_of(key))?;
        if let Some(image) = &image
            && invalid::item_key(&table.key, image)? != key
        {
            let message = "the key in the record's image differs from the record's key";
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
    /// Adds a recorded change.
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

    /// Adds one of the store's own writes.
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
    fn own_writes_have_higher_numbers_than_every_record() {
        let memory = memory();
        let high = "9".repeat(39);
        assert_eq!(commit(&memory, "a", &high), Committed::Applied(number(&high)));
        assert!(memory.take_stream().is_empty());
        assert_eq!(write(&memory, "b").as_str(), format!("1{}", "0".repeat(39)));
    }

    #[test]
    fn a_record_is_applied_whatever_the_current_item_is() {
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

    /// The store's own write used a number that also occurs in the recorded history.
    #[test]
    fn a_record_numbered_below_an_own_write_gets_a_higher_number() {
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
    fn a_record_older_than_the_last_one_is_stale() {
        let memory = memory();
        commit(&memory, "b", "200");
        assert_eq!(commit(&memory, "a", "100"), Committed::Stale);
        assert_eq!(content(&memory), Some(item_with("b")));
        assert_eq!(Committed::Stale.sequence(), None);
    }

    #[test]
    fn each_item_has_its_own_history() {
        let memory = memory();
        commit(&memory, "a", "200");
        let other = Key { partition: KeyValue::S("q".into()), sort: key().sort };
        let committed = memory.commit("app", &other, None, &number("100")).unwrap();
        assert_eq!(committed, Committed::Applied(number("100")));
    }

    #[test]
    fn impossible_records_are_rejected() {
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
