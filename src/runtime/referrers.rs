//! Leads: following a finder's query to the items that refer to its target.

use crate::data::{Item, Key};
use crate::integrity::index::Plan;
use crate::integrity::reference::Finder;
use crate::rules::model::Rules;
use crate::runtime::reads::{ReadSet, fetch};
use crate::store::{Query, Store, StoreError};

/// The items that refer to a finder's target.
#[derive(Debug, Default)]
pub(crate) struct Leads {
    /// Their keys.
    pub(crate) keys: Vec<Key<'static>>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// Whether a finder's query leads to any item that may refer to its target.
pub(crate) async fn leads_anywhere<S: Store>(
    rules: &Rules,
    store: &S,
    finder: &Finder,
) -> Result<bool, StoreError> {
    let mut start = None;
    loop {
        let page = store.query(Query { start, ..finder.query.clone() }).await?.value;
        let is_exact = finder.reads_referencing_items(rules);
        let may_refer = |item: &Item<'_>| {
            if is_exact { finder.refers(rules, item) } else { finder.lead(rules, item).is_some() }
        };
        if page.items.iter().any(may_refer) {
            return Ok(true);
        }
        start = page.next;
        if start.is_none() {
            return Ok(false);
        }
    }
}

/// The items that refer to a finder's target, page by page of its query.
pub(crate) struct Trail<'t> {
    rules: &'t Rules,
    plan: &'t Plan,
    finder: &'t Finder,
    /// How many items a page has at most, if not as many as a query gives.
    limit: Option<usize>,
    next: Next,
}

/// Where the next page begins.
enum Next {
    /// At the beginning, or at this key.
    Page(Option<Item<'static>>),
    /// There is none.
    End,
}

impl<'t> Trail<'t> {
    /// The trail from its beginning.
    pub(crate) const fn new(rules: &'t Rules, plan: &'t Plan, finder: &'t Finder) -> Self {
        Self { rules, plan, finder, limit: None, next: Next::Page(None) }
    }

    /// The same trail, in pages of no more items than this.
    pub(crate) fn in_pages_of(self, items: usize) -> Self {
        Self { limit: Some(items), ..self }
    }

    /// The next page's items that refer to the target, as they are; nothing after the last page.
    pub(crate) async fn next<S: Store>(
        &mut self,
        store: &S,
    ) -> Result<Option<Vec<Referring>>, StoreError> {
        let Next::Page(start) = &self.next else { return Ok(None) };
        let query = Query { start: start.clone(), limit: self.limit, ..self.finder.query.clone() };
        let page = store.query(query).await?.value;
        let referring = self.referring(store, page.items).await?;
        self.next = page.next.map_or(Next::End, |start| Next::Page(Some(start)));
        Ok(Some(referring))
    }

    /// Whether there may be more items.
    pub(crate) const fn has_more(&self) -> bool {
        matches!(self.next, Next::Page(_))
    }

    async fn referring<S: Store>(
        &self,
        store: &S,
        items: Vec<Item<'static>>,
    ) -> Result<Vec<Referring>, StoreError> {
        let (rules, finder) = (self.rules, self.finder);
        if finder.reads_referencing_items(rules) {
            let refers = items.into_iter().filter(|item| finder.refers(rules, item));
            return Ok(refers
                .filter_map(|item| Some((finder.lead(rules, &item)?, item)))
                .collect());
        }
        let keys = items.iter().filter_map(|item| finder.lead(rules, item)).collect();
        only_referring(rules, self.plan, store, finder, keys).await
    }
}

/// An item that refers to a target, and its key.
pub(crate) type Referring = (Key<'static>, Item<'static>);

/// Follows a trail until it has led to enough items.
pub(crate) async fn referring<S: Store>(
    store: &S,
    mut trail: Trail<'_>,
    enough: usize,
) -> Result<Leads, StoreError> {
    let mut found = Leads::default();
    while let Some(items) = trail.next(store).await? {
        let room = enough - found.keys.len();
        found.more = items.len() > room;
        found.keys.extend(items.into_iter().map(|(key, _)| key).take(room));
        if found.more {
            break;
        }
    }
    Ok(found)
}

/// Of these keys, the ones whose items refer to the target: an index or a mirror only hints.
async fn only_referring<S: Store>(
    rules: &Rules,
    plan: &Plan,
    store: &S,
    finder: &Finder,
    keys: Vec<Key<'static>>,
) -> Result<Vec<Referring>, StoreError> {
    let from = &rules[rules[finder.rule].from];
    let mut reads = ReadSet::default();
    for key in &keys {
        reads.want(from.table, key, plan.referencing(finder.rule));
    }
    let snapshot = fetch(rules, store, reads).await;
    let mut referring = Vec::new();
    for key in keys {
        let item = snapshot.item(from.table, &key)?.filter(|item| finder.refers(rules, item));
        if let Some(item) = item.cloned() {
            referring.push((key, item));
        }
    }
    Ok(referring)
}
