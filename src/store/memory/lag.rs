//! Indexes that lag behind their tables, as global secondary indexes may. The lag has no upper
//! bound.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html>

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use super::table::{Entries, Entry, Index, Table};
use super::{Memory, State};
use crate::data::{Item, Key};

/// A change that is not in the indexes yet.
pub(super) struct Unseen {
    table: String,
    key: Key<'static>,
    /// The item before the change, which the indexes still contain.
    before: Option<Item<'static>>,
}

impl Memory {
    /// Stops updating the indexes of every table until [`Memory::advance_indexes`] or
    /// [`Memory::release_indexes`].
    pub fn hold_indexes(&self) {
        self.state.borrow_mut().unseen.get_or_insert_default();
    }

    /// The number of changes that are not in the indexes yet. Writes that change nothing do not
    /// count.
    #[must_use]
    pub fn unseen(&self) -> usize {
        self.state.borrow().unseen.as_ref().map_or(0, VecDeque::len)
    }

    /// Applies this many changes to the indexes, the oldest first. The others remain pending.
    pub fn advance_indexes(&self, changes: usize) {
        if let Some(unseen) = &mut self.state.borrow_mut().unseen {
            unseen.drain(..changes.min(unseen.len()));
        }
    }

    /// Applies every change to the indexes, and keeps them up to date from now on.
    pub fn release_indexes(&self) {
        self.state.borrow_mut().unseen = None;
    }
}

/// The earlier versions of items in a table's indexes, by primary key; `None` for an item that is
/// not in the indexes yet.
pub(super) type Past<'t> = BTreeMap<&'t Key<'static>, Option<&'t Item<'static>>>;

impl State {
    /// Records a change as pending, if the indexes lag.
    pub(super) fn hide(&mut self, table: &str, key: &Key<'static>, before: Option<&Item<'static>>) {
        if let Some(unseen) = &mut self.unseen {
            let (table, key) = (table.to_owned(), key.clone());
            unseen.push_back(Unseen { table, key, before: before.cloned() });
        }
    }

    /// The earlier versions, in a table's indexes, of the items with pending changes.
    pub(super) fn past(&self, table: &str) -> Past<'_> {
        let mut past = Past::new();
        for change in self.unseen.iter().flatten().filter(|change| change.table == table) {
            past.entry(&change.key).or_insert(change.before.as_ref());
        }
        past
    }
}

/// The items in an index, in index order, beginning at this key.
pub(super) fn entries<'t>(
    table: &'t Table,
    index: &'t Index,
    past: &Past<'t>,
    lowest: &Key<'static>,
) -> Entries<'t> {
    let unchanged = table.index_from(index, lowest);
    if past.is_empty() {
        return unchanged;
    }
    let of_past = past.iter().filter_map(|(key, item)| {
        let at = index.schema.entry_of(*item).filter(|at| at >= lowest)?;
        Some(Entry { at: Cow::Owned(at), key, item: (*item)? })
    });
    let unchanged = unchanged.filter(|entry| !past.contains_key(entry.key));
    let mut entries: Vec<_> = unchanged.chain(of_past).collect();
    entries.sort_by(|one, other| (&one.at, one.key).cmp(&(&other.at, other.key)));
    Box::new(entries.into_iter())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{item, memory};
    use super::*;
    use crate::data::SequenceNumber;
    use crate::store::{Action, Page, Query, Read, Store as _, Write};
    use futures_util::FutureExt as _;

    fn in_city(sk: &str, city: &str) -> Item<'static> {
        item(&format!(
            r#"{{"pk": {{"S": "p"}}, "sk": {{"S": "{sk}"}}, "city": {{"S": "{city}"}}}}"#
        ))
    }

    fn key(sk: &str) -> Item<'static> {
        item(&format!(r#"{{"pk": {{"S": "p"}}, "sk": {{"S": "{sk}"}}}}"#))
    }

    fn write(memory: &Memory, action: Action) {
        let write = Write { table: "app".to_owned(), action, condition: None };
        memory.write(write).now_or_never().unwrap().unwrap();
    }

    fn page(memory: &Memory, city: &str, limit: usize, start: Option<Item<'static>>) -> Page {
        let query = Query {
            table: "app".to_owned(),
            index: Some("by_city".to_owned()),
            partition: ("city".to_owned(), city.into()),
            sort: None,
            attributes: None,
            limit: Some(limit),
            start,
        };
        memory.query(query).now_or_never().unwrap().unwrap().value
    }

    /// The items in the index with the cities Rome and Oslo.
    fn seen(memory: &Memory) -> [Vec<Item<'static>>; 2] {
        ["Rome", "Oslo"].map(|city| page(memory, city, 9, None).items)
    }

    #[test]
    fn a_held_index_shows_earlier_versions_until_it_is_advanced() {
        let memory = memory();
        memory.seed("app", in_city("1", "Rome")).unwrap();
        memory.hold_indexes();
        write(&memory, Action::Put(in_city("1", "Oslo")));
        write(&memory, Action::Put(in_city("1", "Oslo")));
        write(&memory, Action::Put(in_city("2", "Oslo")));
        write(&memory, Action::Delete(key("1")));
        assert_eq!(memory.unseen(), 3);
        let read = Read { table: "app".to_owned(), key: key("1"), attributes: None };
        let read = memory.batch_get(vec![read]).now_or_never().unwrap().unwrap();
        assert_eq!(read.value, [None]);

        assert_eq!(seen(&memory), [vec![in_city("1", "Rome")], vec![]]);
        memory.advance_indexes(1);
        assert_eq!(seen(&memory), [vec![], vec![in_city("1", "Oslo")]]);
        memory.advance_indexes(1);
        assert_eq!(seen(&memory), [vec![], vec![in_city("1", "Oslo"), in_city("2", "Oslo")]]);
        memory.advance_indexes(9);
        assert_eq!(seen(&memory), [vec![], vec![in_city("2", "Oslo")]]);
        write(&memory, Action::Delete(key("2")));
        assert_eq!(memory.unseen(), 1);
        memory.release_indexes();
        write(&memory, Action::Put(in_city("3", "Rome")));
        assert_eq!(seen(&memory), [vec![in_city("3", "Rome")], vec![]]);
        assert_eq!(memory.unseen(), 0);
    }

    #[test]
    fn pages_of_a_held_index_continue_in_its_earlier_versions() {
        let memory = memory();
        for sk in ["1", "2", "3"] {
            memory.seed("app", in_city(sk, "Rome")).unwrap();
        }
        memory.hold_indexes();
        write(&memory, Action::Delete(key("2")));
        let first = page(&memory, "Rome", 1, None);
        let second = page(&memory, "Rome", 1, first.next);
        assert_eq!(second.items, [in_city("2", "Rome")]);
        assert_eq!(page(&memory, "Rome", 1, second.next).items, [in_city("3", "Rome")]);
    }

    #[test]
    fn committed_records_are_pending_too() {
        let memory = memory();
        memory.hold_indexes();
        let state = memory.state.borrow();
        let key = state.tables["app"].key.key_of(&key("1")).unwrap().into_owned();
        drop(state);
        let sequence = SequenceNumber::parse("1").unwrap();
        memory.commit("app", &key, Some(in_city("1", "Rome")), &sequence).unwrap();
        assert_eq!(seen(&memory), [vec![], vec![]]);
        memory.advance_indexes(1);
        assert_eq!(seen(&memory), [vec![in_city("1", "Rome")], vec![]]);
    }
}
