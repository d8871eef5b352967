//! The world that the laws describe: a table, and its stream records.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt as _;
use referee::data::{Item, Key, Value};
use referee::engine::{Engine, Outcome, Services, Violation};
use referee::integrity::mark::MARK;
use referee::replay;
use referee::rules::model::Find;
use referee::store::memory::StreamRecord;
use referee::store::{Action, Memory, Store as _, Write};
use serde_json::value::RawValue;

use kit::clocks::{Early, Late};
use kit::history::{item, load};
use kit::marks::forget_records;
use kit::oracle::{Defect, DeletedBy, Deletes, Kind, Oracle, Report};
use kit::queue::Shelf;

/// A write by the application, or tampering with a mirror.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Puts a task. Contains its number, and the values of `open`, `by` and `with`.
    Task(u8, bool, Option<u8>, Vec<u8>),
    /// Puts or deletes a company or a user.
    Target(&'static str, u8, bool),
    /// Puts a member with this role, or deletes it.
    Member(u8, u8, Option<&'static str>),
    /// Tampers with a mirror.
    Tamper(u8, u8, Tampering),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Tampering {
    /// Changes an attribute, if the mirror exists.
    Edit,
    /// Deletes the mirror.
    Delete,
    /// Puts an item of the application at the mirror's key.
    Replace,
}

/// A table and its stream records.
pub(crate) struct World {
    engine: Engine,
    store: Memory,
    pub(crate) log: Vec<StreamRecord>,
    /// How many records have been delivered.
    done: usize,
    found: Vec<Violation>,
    /// The queue on which suspects wait, if there is one.
    queue: Option<Shelf>,
    /// The items last written by the application, without a mark.
    own: Items,
}

/// Items by key: the values of the partition key and the sort key.
pub(crate) type Items = BTreeMap<(String, String), Item<'static>>;

impl World {
    pub(crate) fn new(rules: &str) -> Self {
        let engine = Engine::new(load(rules));
        let store = replay::store(engine.rules());
        let (log, found, own) = (Vec::new(), Vec::new(), Items::new());
        Self { engine, store, log, done: 0, found, queue: None, own }
    }

    /// Lets suspects wait on a queue.
    pub(crate) fn use_queue(&mut self) {
        self.queue = Some(Shelf::default());
    }

    pub(crate) fn act(&mut self, act: &Act) {
        let (key, attributes) = match act {
            Act::Target(kind, number, is_there) => {
                (format!("pk: {kind}#{number}, sk: '-'"), is_there.then(String::new))
            }
            Act::Member(company, user, role) => (
                format!("pk: company#{company}, sk: user#{user}"),
                role.map(|role| format!(", role: {role}, notes: text")),
            ),
            Act::Task(task, is_open, by, with) => {
                let by = by.map_or(String::new(), |by| format!(", by: '{by}'"));
                let with: Vec<_> = with.iter().map(|user| format!("'{user}'")).collect();
                let attributes = format!("{by}, open: {is_open}, with: [{}]", with.join(", "));
                (format!("pk: task#{task}, sk: '-'"), Some(attributes))
            }
            Act::Tamper(company, user, tampering) => {
                let key = format!("pk: user#{user}, sk: company#{company}");
                match tampering {
                    Tampering::Edit => return self.edit(&item(&key)),
                    Tampering::Delete => (key, None),
                    Tampering::Replace => (key, Some(", mine: true".to_owned())),
                }
            }
        };
        self.write(match attributes {
            Some(attributes) => Action::Put(item(&format!("{key}{attributes}"))),
            None => Action::Delete(item(&key)),
        });
    }

    /// Changes the role of the item with this key, if it exists.
    fn edit(&mut self, key: &Item<'static>) {
        if let Some(mut item) = self.items().remove(&name(key)) {
            item.insert("role".into(), "forged".into());
            self.write(Action::Put(item));
        }
    }

    fn write(&mut self, action: Action) {
        match &action {
            Action::Put(item) if !item.contains_key(MARK) => {
                self.own.insert(name(item), item.clone());
            }
            Action::Put(key) | Action::Delete(key) => {
                self.own.remove(&name(key));
            }
            Action::Update { .. } | Action::Check(_) => {}
        }
        let write = Write { table: "app".to_owned(), action, condition: None };
        self.store.write(write).now_or_never().unwrap().unwrap();
        self.log.extend(self.store.take_stream());
    }

    /// Delivers the next records as a batch.
    pub(crate) fn deliver(&mut self, records: usize) {
        let until = (self.done + records).min(self.log.len());
        self.deliver_these(self.done, until);
        self.done = until;
    }

    pub(crate) fn deliver_these(&mut self, from: usize, until: usize) {
        let records: Vec<Box<RawValue>> = self.log[from..until]
            .iter()
            .map(|record| serde_json::value::to_raw_value(record).unwrap())
            .collect();
        let records: Vec<&RawValue> = records.iter().map(|record| &**record).collect();
        // Every grace period is over, unless suspects are to wait on the queue.
        let outcome = match &self.queue {
            None => self.engine.process(&records, &self.store, &Late).now_or_never(),
            Some(queue) => {
                let batch = self.engine.decode_records(&records);
                let services = Services::new(&self.store, &Early).with_queue(Some(queue));
                self.engine.process_with(batch, services).now_or_never()
            }
        };
        self.note(outcome.unwrap().unwrap());
        self.recheck();
    }

    /// Delivers each message of the queue twice, in the reverse order.
    fn recheck(&mut self) {
        let messages = self.queue.iter().flat_map(Shelf::take).collect::<Vec<_>>();
        for (message, _) in messages.iter().chain(&messages).rev() {
            let services = Services::new(&self.store, &Late).with_queue(self.queue.as_ref());
            let judging = self.engine.recheck(message, services);
            let judged = judging.now_or_never().unwrap().unwrap();
            assert!(judged.dropped.is_empty() && !judged.is_forwarded, "{judged:?}");
            self.note(judged.outcome);
        }
    }

    fn note(&mut self, outcome: Outcome) {
        assert!(outcome.rejected.is_empty() && outcome.handed_back.is_empty(), "{outcome:?}");
        self.found.extend(outcome.violations);
        self.log.extend(self.store.take_stream());
    }

    /// Delivers all remaining records, in batches of these lengths.
    pub(crate) fn drain(&mut self, lengths: &[usize]) {
        for place in 0.. {
            if self.done == self.log.len() {
                return;
            }
            assert!(place < 1_000, "it never reaches rest");
            self.deliver(lengths[place % lengths.len()]);
        }
    }

    fn items(&self) -> Items {
        let items = self.store.dump().remove("app").unwrap();
        items.into_iter().map(|item| (name(&item), item)).collect()
    }

    /// Returns the items without the fences of mirrors. Fences may differ between deliveries: a
    /// deleted mirror is restored with the lowest fence, or written with the fence of its source's
    /// record.
    pub(crate) fn content(&self) -> Items {
        let mut items = self.items();
        items.values_mut().for_each(forget_records);
        items
    }

    /// Returns the references that were reported as dangling, whether on the write of the
    /// referencing item or on the delete of its target.
    pub(crate) fn dangling(&self) -> BTreeSet<(&str, &Key<'static>, &Key<'static>)> {
        let mut dangling = BTreeSet::new();
        for found in self.found.iter().filter(|found| found.finding.rule != "membership") {
            let referenced = &found.finding.referenced.as_ref().unwrap().key;
            for referencing in referencing(found) {
                dangling.insert((&*found.finding.rule, referencing, referenced));
            }
        }
        dangling
    }

    /// Asserts that every defect was reported, and that a mirror is wrong only if an item of the
    /// application is at its key.
    pub(crate) fn assert_reported(&self) {
        let mut deletes = Deletes::default();
        for record in &self.log {
            let by = record.after.is_none().then_some(DeletedBy::Client);
            deletes.note(&record.table, &record.key, by);
        }
        let oracle = self.oracle();
        let reports: Vec<Report> = self.found.iter().map(Report::of).collect();
        assert_eq!(oracle.unreported(&deletes, &reports), []);
        let of_mirrors = oracle.defects().into_iter().filter(|defect| defect.kind.is_of_mirror());
        let not_blocked =
            |defect: &Defect| !matches!(defect.kind, Kind::MirrorBlocked | Kind::Unowned);
        assert_eq!(of_mirrors.filter(not_blocked).collect::<Vec<_>>(), []);
    }

    /// Asserts that no reference dangles if its rule can find referencing items.
    pub(crate) fn assert_whole(&self) {
        let found = |defect: &Defect| {
            let mut references = self.engine.rules().references.iter();
            references.any(|it| it.name == defect.rule && it.find != Find::None)
        };
        let defects = self.oracle().defects();
        assert_eq!(defects.into_iter().filter(found).collect::<Vec<_>>(), []);
    }

    /// Asserts that the application's items are unchanged, except for sources that a rule deletes.
    pub(crate) fn assert_own(&self, deletes_sources: bool) {
        let mut items = self.items();
        items.retain(|_, item| !item.contains_key(MARK));
        let mut own = self.own.clone();
        if deletes_sources {
            let is_member =
                |(pk, sk): &(String, String)| pk.starts_with("company#") && sk.starts_with("user#");
            own.retain(|name, _| items.contains_key(name) || !is_member(name));
        }
        assert_eq!(items, own);
    }

    fn oracle(&self) -> Oracle<'_> {
        Oracle::new(self.engine.rules(), self.store.dump())
    }

    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.found.iter().map(|found| found.id(self.engine.rules())).collect()
    }
}

/// Returns the referencing items of a violation.
fn referencing(found: &Violation) -> Vec<&Key<'static>> {
    match found.finding.orphans() {
        Some(orphans) => orphans.keys.iter().collect(),
        None => found.finding.referencing.iter().map(|item| &item.key).collect(),
    }
}

/// Returns an item's attribute if it is a string.
fn text<'i>(item: &'i Item<'_>, name: &str) -> Option<&'i str> {
    match item.get(name) {
        Some(Value::S(text)) => Some(text),
        _ => None,
    }
}

fn name(item: &Item<'_>) -> (String, String) {
    (text(item, "pk").unwrap().to_owned(), text(item, "sk").unwrap().to_owned())
}
