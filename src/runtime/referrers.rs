//! The items that refer to a finder's target, found by its query.

use super::clock::Clock;
use super::pass::Pass;
use super::reads::ReadSet;
use crate::data::{Item, Key};
use crate::integrity::reference::Finder;
use crate::store::{Query, Store, StoreError};

/// An item that refers to a target, and its key.
pub(crate) type Referring = (Key<'static>, Item<'static>);

/// The referencing items of a target, or the first of them.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Their keys.
    pub(crate) keys: Vec<Key<'static>>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// Whether a finder's query leads to any item that may refer to its target.
pub(crate) async fn may_exist(
    pass: Pass<'_, impl Store, impl Clock>,
    finder: &Finder,
) -> Result<bool, StoreError> {
    let is_exact = finder.reads_referencing_items(pass.rules);
    let may_refer = |item: &Item<'_>| {
        if is_exact {
            finder.refers(pass.rules, item)
        } else {
            finder.referencing_key(pass.rules, item).is_some()
        }
    };
    let mut start = None;
    loop {
        let page = pass.store.query(Query { start, ..finder.query.clone() }).await?.value;
        if page.items.iter().any(may_refer) {
            return Ok(true);
        }
        start = page.next;
        if start.is_none() {
            return Ok(false);
        }
    }
}

/// The items that refer to a finder's target, page by page of its query or of a list of keys.
pub(crate) struct Referrers<'t, S, C> {
    pass: Pass<'t, S, C>,
    finder: &'t Finder,
    /// The maximum number of items in a page; `None` for as many as a query returns.
    limit: Option<usize>,
    next: Next,
}

/// Where the next page begins.
enum Next {
    /// After this key; `None` for the beginning.
    Page(Option<Item<'static>>),
    /// The items at these keys.
    Keys(Vec<Key<'static>>),
    /// There is no next page.
    End,
}

impl<'t, S: Store, C: Clock> Referrers<'t, S, C> {
    /// Starts with the first page of the finder's query or, if these keys are known to be all that
    /// matter, of the items at these keys.
    pub(crate) fn new(
        pass: Pass<'t, S, C>,
        finder: &'t Finder,
        known: Option<Vec<Key<'static>>>,
    ) -> Self {
        let next = known.map_or(Next::Page(None), Next::Keys);
        Self { pass, finder, limit: None, next }
    }

    /// Limits each page to this many items.
    pub(crate) fn in_pages_of(self, items: usize) -> Self {
        Self { limit: Some(items), ..self }
    }

    /// Reads the next page, and returns the current images of its items that refer to the target;
    /// `None` after the last page.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<Referring>>, StoreError> {
        let start = match &mut self.next {
            Next::Page(start) => start,
            Next::Keys(keys) => {
                let rest = keys.split_off(self.limit.unwrap_or(usize::MAX).min(keys.len()));
                let keys = std::mem::replace(keys, rest);
                let referring = self.read_referring(keys).await?;
                if matches!(&self.next, Next::Keys(rest) if rest.is_empty()) {
                    self.next = Next::End;
                }
                return Ok(Some(referring));
            }
            Next::End => return Ok(None),
        };
        let query = Query { start: start.clone(), limit: self.limit, ..self.finder.query.clone() };
        let page = self.pass.store.query(query).await?.value;
        let referring = self.referring(page.items).await?;
        self.next = page.next.map_or(Next::End, |start| Next::Page(Some(start)));
        Ok(Some(referring))
    }

    /// Whether there may be more items.
    pub(crate) const fn has_more(&self) -> bool {
        matches!(self.next, Next::Page(_) | Next::Keys(_))
    }

    /// Returns the keys of the first referring items, at most this many.
    pub(crate) async fn first(mut self, count: usize) -> Result<Found, StoreError> {
        let mut found = Found::default();
        while let Some(items) = self.next_page().await? {
            let room = count - found.keys.len();
            found.more = items.len() > room;
            found.keys.extend(items.into_iter().map(|(key, _)| key).take(room));
            if found.more {
                break;
            }
        }
        Ok(found)
    }

    async fn referring(&self, items: Vec<Item<'static>>) -> Result<Vec<Referring>, StoreError> {
        let (rules, finder) = (self.pass.rules, self.finder);
        if finder.reads_referencing_items(rules) {
            let referring = items.into_iter().filter(|item| finder.refers(rules, item));
            let keyed =
                referring.filter_map(|item| Some((finder.referencing_key(rules, &item)?, item)));
            return Ok(keyed.collect());
        }
        let keys = items.iter().filter_map(|item| finder.referencing_key(rules, item)).collect();
        self.read_referring(keys).await
    }

    /// Reads the items at these keys, and returns those that refer to the target. An index or a
    /// mirror may be out of date.
    async fn read_referring(&self, keys: Vec<Key<'static>>) -> Result<Vec<Referring>, StoreError> {
        let Pass { rules, index, .. } = self.pass;
        let rule = self.finder.rule;
        let table = rules.referencing(rule).table;
        let mut reads = ReadSet::default();
        let asked: Vec<_> = keys
            .into_iter()
            .map(|key| (reads.want(table, &key, index.referencing(rule)), key))
            .collect();
        let snapshot = reads.fetch(self.pass).await;
        let mut referring = Vec::new();
        for (slot, key) in asked {
            let item = snapshot.item(slot)?.filter(|item| self.finder.refers(rules, item));
            if let Some(item) = item.cloned() {
                referring.push((key, item));
            }
        }
        Ok(referring)
    }
}
