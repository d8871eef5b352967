//! Stores progress in a DynamoDB table, for one watcher at a time.
//!
//! The table's partition key is `table`, its sort key `shard`, both strings. For each watched table
//! there is an item for each shard, and one for the lease. The lease names the watcher that follows
//! the table's streams, and its expiry time. While a lease is valid, other watchers are refused.
//! Once it has expired, another watcher may take it. Each checkpoint is saved in one transaction
//! with a check of the lease, so that a watcher that lost its lease cannot overwrite its
//! successor's progress.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::lock::Mutex;

use super::keeper::{KeepError, Keeper, Known, table_of};
use super::progress::{Checkpoint, Progress};
use crate::data::{Item, KeyAttribute, KeyKind, KeySchema, Number, Path, SequenceNumber, Value};
use crate::runtime::clock::Clock;
use crate::store::schema::TableSchema;
use crate::store::{
    Action, CancellationReason, Condition, Operand, Query, Store, StoreError, Transacted, Write,
    Written,
};
use crate::streams::Stream;

/// How long a lease lasts unless it is renewed.
pub const LEASE_MS: i64 = 30_000;

const TABLE: &str = "table";
const SHARD: &str = "shard";
const OWNER: &str = "owner";
const EXPIRES: &str = "expires";
/// The sort key of a lease. A shard's sort key begins with the stream's label, which is a time.
const LEASE: &str = "lease";

/// A progress table.
#[derive(Debug)]
pub struct CheckpointTable<'t, S, C> {
    store: &'t S,
    clock: &'t C,
    name: String,
    /// The identity of this watcher.
    owner: String,
    /// The tables whose streams are followed.
    leased: RefCell<Vec<String>>,
    /// Serializes this watcher's transactions, which would conflict because all check the lease.
    turn: Mutex<()>,
}

/// The schema of a progress table with this name.
#[must_use]
pub fn checkpoint_schema(name: &str) -> TableSchema {
    let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
    let key = KeySchema { partition: attribute(TABLE), sort: Some(attribute(SHARD)) };
    TableSchema { name: name.to_owned(), key, indexes: Vec::new() }
}

impl<'t, S: Store, C: Clock> CheckpointTable<'t, S, C> {
    /// The progress table with this name, used by this watcher.
    #[must_use]
    pub fn new(store: &'t S, clock: &'t C, name: &str, owner: String) -> Self {
        let name = name.to_owned();
        let leased = RefCell::default();
        Self { store, clock, name, owner, leased, turn: Mutex::new(()) }
    }

    /// Acquires or renews the lease of a table.
    async fn lease(&self, table: &str) -> Result<(), KeepError> {
        let now_ms = self.clock.now_ms();
        let mut item = key(table, LEASE);
        item.insert(OWNER.into(), text(&self.owner));
        item.insert(EXPIRES.into(), number(now_ms + LEASE_MS));
        let write = Write {
            table: self.name.clone(),
            action: Action::Put(item),
            condition: Some(Condition::Any(vec![
                Condition::NotExists(path(SHARD)),
                self.is_ours(),
                Condition::Compare(path(EXPIRES), Operand::Less, number(now_ms)),
            ])),
        };
        match self.store.write(write).await.map_err(keep_error)?.value {
            Written::Applied => Ok(()),
            Written::ConditionFailed(found) => Err(leased_by(table, found.as_ref(), now_ms)),
        }
    }

    fn is_ours(&self) -> Condition {
        Condition::Compare(path(OWNER), Operand::Equal, text(&self.owner))
    }

    /// Carries out a write if this watcher still has the lease.
    async fn write(&self, table: &str, action: Action) -> Result<(), KeepError> {
        let write = |action, condition| Write { table: self.name.clone(), action, condition };
        let actions = vec![
            write(Action::Check(key(table, LEASE)), Some(self.is_ours())),
            write(action, None),
        ];
        let _turn = self.turn.lock().await;
        match self.store.transact(actions).await.map_err(keep_error)?.value {
            Transacted::Applied => Ok(()),
            Transacted::Canceled(reasons) => Err(self.canceled(table, reasons)),
        }
    }

    fn canceled(&self, table: &str, reasons: Vec<CancellationReason>) -> KeepError {
        for reason in reasons {
            match reason {
                CancellationReason::ConditionFailed(found) => {
                    return leased_by(table, found.as_ref(), self.clock.now_ms());
                }
                CancellationReason::Invalid(what) => {
                    return KeepError::Fatal(format!("the checkpoint cannot be saved: {what}"));
                }
                CancellationReason::None
                | CancellationReason::Conflict
                | CancellationReason::Throttled => {}
            }
        }
        KeepError::Retry("the checkpoint could not be saved yet".to_owned())
    }

    /// Reads the saved progress of all of a table's streams, by ARN.
    async fn all(&self, table: &str) -> Result<BTreeMap<String, Progress>, KeepError> {
        let mut streams: BTreeMap<String, Progress> = BTreeMap::new();
        let mut start = None;
        loop {
            let query = Query {
                table: self.name.clone(),
                index: None,
                partition: (TABLE.to_owned(), text(table)),
                sort: None,
                attributes: None,
                limit: None,
                start,
            };
            let page = self.store.query(query).await.map_err(keep_error)?.value;
            for item in &page.items {
                let Some((label, shard)) = string(item, SHARD).and_then(|it| it.split_once('/'))
                else {
                    continue;
                };
                let progress = streams.entry(format!("{table}/stream/{label}")).or_default();
                progress.insert(shard.to_owned(), checkpoint_of(item)?);
            }
            start = page.next;
            if start.is_none() {
                return Ok(streams);
            }
        }
    }
}

impl<S: Store, C: Clock> Keeper for CheckpointTable<'_, S, C> {
    async fn load(&self, stream: &Stream) -> Result<Known, KeepError> {
        let table = table_of(&stream.arn);
        self.lease(table).await?;
        self.leased.borrow_mut().push(table.to_owned());
        let streams = self.all(table).await?;
        for (arn, progress) in streams.iter().filter(|(arn, _)| **arn != stream.arn) {
            let old = Stream { arn: arn.clone(), table: stream.table.clone() };
            for shard in progress.keys() {
                self.save(&old, shard, None).await?;
            }
        }
        Ok(Known::of(stream, streams.into_iter().collect()))
    }

    async fn save(
        &self,
        stream: &Stream,
        shard: &str,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), KeepError> {
        let table = table_of(&stream.arn);
        let label = stream.arn.strip_prefix(table).unwrap_or_default();
        let label = label.trim_start_matches("/stream/");
        let mut item = key(table, &format!("{label}/{shard}"));
        let action = match checkpoint {
            None => Action::Delete(item),
            Some(checkpoint) => {
                let (name, value) = attribute_of(checkpoint);
                item.insert(name.into(), value);
                Action::Put(item)
            }
        };
        self.write(table, action).await
    }

    async fn renew(&self) -> Result<(), KeepError> {
        let leased = self.leased.borrow().clone();
        for table in leased {
            let _turn = self.turn.lock().await;
            self.lease(&table).await?;
        }
        Ok(())
    }

    async fn release(&self) {
        for table in self.leased.take() {
            let write = Write {
                table: self.name.clone(),
                action: Action::Delete(key(&table, LEASE)),
                condition: Some(self.is_ours()),
            };
            // A lease that cannot be released expires by itself.
            let _ = self.store.write(write).await;
        }
    }
}

const SINCE: &str = "since";
const AFTER: &str = "after";
const DRAINED: &str = "drained";

fn attribute_of(checkpoint: &Checkpoint) -> (&'static str, Value<'static>) {
    match checkpoint {
        Checkpoint::Since(time_ms) => (SINCE, number(*time_ms)),
        Checkpoint::After(sequence) => (AFTER, text(sequence.as_str())),
        Checkpoint::Drained => (DRAINED, Value::Bool(true)),
    }
}

fn checkpoint_of(item: &Item<'static>) -> Result<Checkpoint, KeepError> {
    let after = string(item, AFTER).and_then(|text| SequenceNumber::parse(text.to_owned()).ok());
    let since = match item.get(SINCE) {
        Some(Value::N(number)) => number.as_str().parse().ok(),
        _ => None,
    };
    match (after, since, item.get(DRAINED)) {
        (Some(sequence), None, None) => Ok(Checkpoint::After(sequence)),
        (None, Some(time_ms), None) => Ok(Checkpoint::Since(time_ms)),
        (None, None, Some(_)) => Ok(Checkpoint::Drained),
        _ => {
            let shard = string(item, SHARD).unwrap_or_default();
            let what =
                format!("the checkpoint table's item for shard `{shard}` is not a checkpoint");
            Err(KeepError::Fatal(format!("{what}\nhelp: use a table without any other items")))
        }
    }
}

/// The error for a table whose lease belongs to another watcher.
fn leased_by(table: &str, found: Option<&Item<'static>>, now_ms: i64) -> KeepError {
    let owner = found.and_then(|item| string(item, OWNER)).unwrap_or("unknown owner");
    let expires_ms = found.and_then(|item| match item.get(EXPIRES) {
        Some(Value::N(number)) => number.as_str().parse::<i64>().ok(),
        _ => None,
    });
    let left_s = expires_ms.map_or(0, |time_ms| ((time_ms - now_ms).max(0) + 999) / 1000);
    KeepError::Fatal(format!(
        "another `referee watch` follows the streams of `{table}`: {owner}\n\
         help: stop it; if it was killed, wait {left_s} s until its lease expires"
    ))
}

fn keep_error(error: StoreError) -> KeepError {
    match error {
        StoreError::Retry(what) | StoreError::Throttled(what) => KeepError::Retry(what),
        StoreError::Rejected(what) => KeepError::Fatal(format!(
            "{what}\nhelp: the checkpoint table must have the partition key `{TABLE}` and the sort \
             key `{SHARD}`, both strings"
        )),
        StoreError::Fatal(what) => KeepError::Fatal(what),
    }
}

fn key(table: &str, shard: &str) -> Item<'static> {
    Item::from([(TABLE.into(), text(table)), (SHARD.into(), text(shard))])
}

fn text(text: &str) -> Value<'static> {
    text.into()
}

fn number(integer: i64) -> Value<'static> {
    Number::parse(integer.to_string()).map_or(Value::Null, Value::N)
}

fn path(name: &str) -> Path {
    Path::attribute(name)
}

fn string<'i>(item: &'i Item<'static>, name: &str) -> Option<&'i str> {
    match item.get(name) {
        Some(Value::S(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
