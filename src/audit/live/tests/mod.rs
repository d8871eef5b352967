//! Live reading of in-memory tables, with faults and strange clocks.

mod confirm;
mod run;
mod scan;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::LazyLock;

use crate::data::{Item, JsonItem, Key, KeyValue, into_owned};
use crate::rules::{RuleSource, Rules, load};
use crate::runtime::clock::Clock;
use crate::store::{Memory, StoreError};

/// A clock that stands still until something waits: then it jumps to the end of the wait.
#[derive(Debug, Clone, Default)]
struct Jumping(Rc<Cell<i64>>);

impl Jumping {
    fn pass(&self, ms: i64) {
        self.0.set(self.0.get() + ms);
    }
}

impl Clock for Jumping {
    fn now_ms(&self) -> i64 {
        self.0.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.0.set(self.0.get().max(time_ms));
    }
}

/// A clock that someone sets back and forth at each wait.
#[derive(Debug, Default)]
struct Unsteady(Cell<i64>);

impl Clock for Unsteady {
    fn now_ms(&self) -> i64 {
        self.0.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        let is_forward = time_ms % 3 == 0;
        self.0.set(if is_forward { time_ms + 3_600_001 } else { time_ms - 7_200_001 });
    }
}

const RULES: &str = r#"version: 1
tables:
  app: { key: [pk, sk] }
  log: { key: [id] }
entities:
  user: { table: app, key: { pk: "user#{user}", sk: profile } }
  task:
    table: app
    key: { pk: "task#{task}", sk: task }
    attributes: { owner: S, watchers: L }
  entry: { table: log, key: { id: "{user}" } }
  member:
    table: app
    key: { pk: "company#{company}", sk: "user#{user}" }
    attributes: { role: S }
  member_of: { table: app, key: { pk: "user#{user}", sk: "company#{company}" } }
references:
  task_owner: { from: task, to: user, on: { user: "{owner}" }, find: none, grace: 5s }
  task_watchers: { from: task, to: user, on: { user: "{watchers[*]}" }, find: none }
  entry_user: { from: entry, to: user, find: none }
mirrors:
  membership: { source: member, mirror: member_of, copy: [role] }
"#;

/// The rules, parsed once for all tests.
fn rules() -> &'static Rules {
    static PARSED: LazyLock<Rules> = LazyLock::new(parse);
    &PARSED
}

fn parse() -> Rules {
    let source = RuleSource { name: "referee.yaml".to_owned(), text: RULES.to_owned() };
    let loaded = load(&source, &|_| None);
    loaded.rules.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn item(json: &str) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(json).unwrap().0)
}

/// Builds an item from a key `pk/sk` and strings `name=text`.
fn strings(key: &str, attributes: &[&str]) -> Item<'static> {
    let (pk, sk) = key.split_once('/').unwrap();
    let mut item = Item::from([("pk".into(), pk.into()), ("sk".into(), sk.into())]);
    for attribute in attributes {
        let (name, text) = attribute.split_once('=').unwrap();
        item.insert(name.to_owned().into(), text.into());
    }
    item
}

fn key(text: &str) -> Key<'static> {
    let (pk, sk) = text.split_once('/').unwrap();
    let value = |text: &str| KeyValue::S(text.to_owned().into());
    Key { partition: value(pk), sort: Some(value(sk)) }
}

fn retry() -> StoreError {
    StoreError::Retry("throttled".to_owned())
}

/// An in-memory store with these items in the table `app`.
fn store(items: impl IntoIterator<Item = Item<'static>>) -> Rc<Memory> {
    let memory = Memory::new(crate::replay::schemas(rules()));
    items.into_iter().for_each(|item| memory.seed("app", item).unwrap());
    Rc::new(memory)
}
