//! The real engine and store, with an application that writes and a delivery that goes wrong.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use futures_util::FutureExt as _;
use referee::data::{Item, Key, KeyValue, Value};
use referee::engine::{Clock, Engine, Kind, Violation};
use referee::replay;
use referee::store::memory::{Fault, StreamRecord};
use referee::store::{Action, Memory, Store as _, StoreError, Write};
use serde_json::value::RawValue;

use crate::model::{Act, Name, State, Thing, Val, is_called_for, name, targets};
use crate::schema::{IDS, Place, Schema};

/// How many deliveries in a row may go wrong.
const BAD_MAX: usize = 4;
/// How many deliveries it may take until there is nothing to deliver.
const DELIVERIES_MAX: usize = 2_000;

/// Every record is old enough.
struct Late;

impl Clock for Late {
    fn now_ms(&self) -> i64 {
        1_000_000
    }

    async fn sleep_until_ms(&self, _: i64) {
        panic!("an old record needs no waiting");
    }
}

/// A record, and whether time to live made it.
#[derive(Clone)]
struct Delivery {
    record: Rc<StreamRecord>,
    expired: bool,
}

/// What happened, in the order in which it happened.
pub(crate) struct Step {
    name: Name,
    before: Option<Thing>,
    after: Option<Thing>,
    by_engine: bool,
    expired: bool,
}

pub(crate) struct World {
    pub(crate) schema: Schema,
    engine: Engine,
    store: Rc<Memory>,
    rng: Rng,
    log: Vec<Delivery>,
    done: usize,
    history: Vec<Step>,
    /// Each violation, and how much had happened when it was found.
    found: Vec<(Violation, usize)>,
    /// The application's writes that are still to be made between requests of the engine.
    meanwhile: Rc<RefCell<Vec<Act>>>,
    /// What the store's stream gave between requests.
    between: Rc<RefCell<Vec<(StreamRecord, bool, bool)>>>,
}

impl World {
    pub(crate) fn new(schema: Schema, rng: Rng) -> Option<Self> {
        let source = referee::rules::RuleSource { name: "rules".to_owned(), text: schema.text() };
        let engine = Engine::new(referee::rules::load(&source, &|_| None).rules?);
        let store = Rc::new(replay::store(engine.rules()));
        Some(Self {
            schema,
            engine,
            store,
            rng,
            log: Vec::new(),
            done: 0,
            history: Vec::new(),
            found: Vec::new(),
            meanwhile: Rc::default(),
            between: Rc::default(),
        })
    }

    /// Something that the application may do.
    pub(crate) fn draw(&mut self) -> Act {
        draw(&self.schema, &mut self.rng)
    }

    /// The application does something.
    pub(crate) fn act(&mut self, act: &Act) {
        self.collect(true);
        write(&self.store, act);
        let expired = matches!(act, Act::Expire(_));
        let records = self.store.take_stream();
        self.append(records.into_iter().map(|record| (record, false, expired)).collect());
    }

    /// These are done between the engine's next requests.
    pub(crate) fn meanwhile(&mut self, acts: Vec<Act>) {
        self.meanwhile.borrow_mut().extend(acts);
    }

    /// Takes in what the engine wrote.
    fn collect(&mut self, by_engine: bool) {
        let mut records = self.between.take();
        records.extend(self.store.take_stream().into_iter().map(|it| (it, by_engine, false)));
        self.append(records);
    }

    /// Notes what happened, and puts the records where a stream could deliver them.
    fn append(&mut self, records: Vec<(StreamRecord, bool, bool)>) {
        for (record, by_engine, expired) in records {
            let image = |image: &Option<Item<'static>>| image.as_ref().map(thing);
            self.history.push(Step {
                name: of_key(&record.key),
                before: image(&record.before),
                after: image(&record.after),
                by_engine,
                expired,
            });
            let waiting = &self.log[self.done..];
            let earlier = waiting.iter().rposition(|known| known.record.key == record.key);
            let earlier = earlier.map_or(0, |place| place + 1);
            let place = self.done + earlier + self.rng.usize(..=waiting.len() - earlier);
            self.log.insert(place, Delivery { record: Rc::new(record), expired });
        }
    }

    /// Delivers what there is, badly, until all is done. Deliveries begin again at this record at
    /// the earliest.
    pub(crate) fn drain(&mut self, floor: usize) {
        let mut bad = 0;
        for _ in 0..DELIVERIES_MAX {
            if self.done == self.log.len() {
                let acts: Vec<Act> = self.meanwhile.borrow_mut().drain(..).collect();
                for act in &acts {
                    self.act(act);
                }
                self.store.land_all();
                self.collect(true);
                if self.done == self.log.len() {
                    return;
                }
            }
            bad = if self.deliver(bad < BAD_MAX) { 0 } else { bad + 1 };
            if self.rng.u8(..6) == 0 {
                let most = self.done - floor.min(self.done);
                self.done -= self.rng.usize(..=most);
            }
        }
        panic!("it never comes to rest: {}", self.schema.text());
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> usize {
        self.log.len()
    }

    fn deliver(&mut self, may_fail: bool) -> bool {
        let length = 1 + self.rng.usize(..(self.log.len() - self.done).min(8));
        let batch = &self.log[self.done..self.done + length];
        let records: Vec<Box<RawValue>> = batch.iter().map(Delivery::json).collect();
        let records: Vec<&RawValue> = records.iter().map(|record| &**record).collect();
        self.interfere(may_fail);
        let outcome = self.engine.process(&records, &*self.store, &Late).now_or_never();
        self.store.clear_faults();
        if self.rng.u8(..3) == 0 {
            self.store.land_one(self.rng.usize(..self.store.late().max(1)));
        }
        let mut is_done = false;
        if let Some(outcome) = outcome {
            let outcome = outcome.unwrap();
            assert!(outcome.rejected.is_empty(), "{outcome:?}");
            let done = outcome.checkpoint().map_or(length, |from| from.position);
            is_done = done == length;
            self.done += done;
            let happened = self.history.len() + self.between.borrow().len();
            self.found.extend(outcome.violations.into_iter().map(|found| (found, happened)));
        }
        self.collect(true);
        is_done
    }

    /// Lets requests go wrong, and the application write between them.
    fn interfere(&mut self, may_fail: bool) {
        let mut rng = self.rng.fork();
        let (meanwhile, between) = (Rc::clone(&self.meanwhile), Rc::clone(&self.between));
        let store = Rc::clone(&self.store);
        self.store.set_faults(Box::new(move |call| {
            while rng.u8(..3) == 0 {
                let Some(act) = meanwhile.borrow_mut().pop() else { break };
                let mut between = between.borrow_mut();
                between.extend(store.take_stream().into_iter().map(|it| (it, true, false)));
                write(&store, &act);
                let expired = matches!(act, Act::Expire(_));
                between.extend(store.take_stream().into_iter().map(|it| (it, false, expired)));
            }
            store.advance_indexes(rng.usize(..3));
            let timeout = || StoreError::Retry("the request timed out".to_owned());
            let is_write = call.kind.is_write();
            match rng.u8(..if may_fail { 40 } else { 1 }) {
                1 => Fault::Crash { applied: rng.bool() },
                2 | 3 => Fault::Fail(timeout()),
                4 if is_write => Fault::Lost(timeout()),
                5 | 6 if is_write => Fault::Late(timeout()),
                _ => Fault::None,
            }
        }));
    }

    /// Lets the indexes lag behind the table from now on.
    pub(crate) fn let_indexes_lag(&self) {
        self.store.hold_indexes();
    }

    /// What the table holds.
    pub(crate) fn state(&self) -> State {
        let items = self.store.dump().remove("app").unwrap();
        items.iter().map(|item| (name_of(item), thing(item))).collect()
    }

    /// No item is left that is marked to be deleted.
    pub(crate) fn assert_unmarked(&self) {
        for item in self.store.dump().remove("app").unwrap() {
            assert!(!item.contains_key("_referee"), "a mark is left: {item:?}");
        }
    }

    /// Everything that the engine did was called for when it did it.
    pub(crate) fn assert_sound(&self) {
        let mut state = State::new();
        let mut earlier: BTreeMap<Name, Vec<Option<Thing>>> = BTreeMap::new();
        let marks = self.schema.references.iter().any(|it| it.from == it.to);
        for step in &self.history {
            assert_eq!(state.get(&step.name), step.before.as_ref());
            let known = earlier.entry(step.name.clone()).or_default();
            let is_mark = marks && step.before == step.after;
            if step.by_engine && !is_mark {
                let after = step.after.as_ref();
                assert!(
                    is_called_for(&self.schema, &state, &step.name, after, known),
                    "{:?} from {:?} to {after:?} was not called for:\n{}\n{state:#?}",
                    step.name,
                    step.before,
                    self.schema.text()
                );
            }
            known.push(step.after.clone());
            match &step.after {
                Some(after) => state.insert(step.name.clone(), after.clone()),
                None => state.remove(&step.name),
            };
        }
    }

    /// Whatever refers in vain was reported since it does.
    pub(crate) fn assert_reported(&self) {
        let state = self.state();
        for (of, thing) in &state {
            for reference in &self.schema.references {
                for target in targets(reference, of, thing) {
                    if state.contains_key(&target) {
                        continue;
                    }
                    let refers = |it: &Thing| targets(reference, of, it).contains(&target);
                    let said = self.since(of, |after| after.is_some_and(refers));
                    let gone = self.since(&target, |after| after.is_none());
                    let was_deleted = gone > said;
                    let expired = gone > 0 && self.history[gone - 1].expired;
                    let on_delete =
                        if expired { reference.on_ttl_delete } else { reference.on_delete };
                    if was_deleted && (on_delete == "ignore" || !reference.is_found) {
                        continue;
                    }
                    let is_reported = self.found.iter().any(|(found, happened)| {
                        *happened >= said.max(gone)
                            && found.rule == reference.name
                            && names(found, of, &target)
                    });
                    assert!(
                        is_reported,
                        "{of:?} refers to {target:?} by {} in vain, unreported since {said}, \
                         {gone}:\n{}",
                        reference.name,
                        self.schema.text()
                    );
                }
            }
        }
    }

    /// Since how many steps something has held of an item.
    fn since(&self, of: &Name, holds: impl Fn(Option<&Thing>) -> bool) -> usize {
        let mut steps = self.history.iter().enumerate().filter(|(_, step)| step.name == *of);
        let broken = steps.rfind(|(_, step)| !holds(step.after.as_ref()));
        let from = broken.map_or(0, |(place, _)| place + 1);
        let mut rest = self.history.iter().enumerate().skip(from);
        rest.find(|(_, step)| step.name == *of).map_or(0, |(place, _)| place + 1)
    }
}

/// Whether a violation says that an item refers to a target in vain.
fn names(found: &Violation, of: &Name, target: &Name) -> bool {
    let is = |key: &Key<'_>, name: &Name| of_key(key) == *name;
    let referenced = found.referenced.as_ref().is_some_and(|it| is(&it.key, target));
    let referring = match (&found.orphans, found.kind) {
        (Some(orphans), Kind::Orphaned | Kind::DepthExceeded) => {
            orphans.keys.iter().any(|key| is(key, of))
        }
        _ => found.referencing.as_ref().is_some_and(|it| is(&it.key, of)),
    };
    referenced && referring
}

impl Delivery {
    fn json(&self) -> Box<RawValue> {
        let mut json = serde_json::to_value(&*self.record).unwrap();
        if self.expired {
            json["userIdentity"] = serde_json::json!({
                "type": "Service", "principalId": "dynamodb.amazonaws.com",
            });
        }
        serde_json::value::to_raw_value(&json).unwrap()
    }
}

fn draw(schema: &Schema, rng: &mut Rng) -> Act {
    let kind = rng.usize(..schema.parents.len());
    let of = name(schema, kind, rng.usize(..IDS), rng.usize(..IDS));
    match rng.u8(..10) {
        0..2 => return Act::Delete(of),
        2 => return Act::Expire(of),
        _ => {}
    }
    let mut thing = Thing::new();
    for reference in schema.references.iter().filter(|it| it.from == kind) {
        if rng.u8(..4) == 0 {
            continue;
        }
        let id = |rng: &mut Rng| rng.usize(..IDS).to_string();
        let many = |rng: &mut Rng| (0..rng.usize(1..4)).map(|_| id(rng)).collect::<Vec<_>>();
        let (attribute, val) = match &reference.place {
            Place::Key => continue,
            Place::Text(name) => (name, Val::Text(id(rng))),
            Place::Nested(name) => (name, Val::Nested(id(rng))),
            Place::Set(name) => (name, Val::Set(many(rng).into_iter().collect())),
            Place::List(name) => (name, Val::List(many(rng))),
        };
        thing.insert(attribute.clone(), val);
    }
    Act::Put(of, thing)
}

fn write(store: &Memory, act: &Act) {
    let action = match act {
        Act::Put(name, thing) => Action::Put(item(name, thing)),
        Act::Delete(name) | Act::Expire(name) => Action::Delete(item(name, &Thing::new())),
    };
    let write = Write { table: "app".to_owned(), action, condition: None };
    store.write(write).now_or_never().unwrap().unwrap();
}

fn item((pk, sk): &Name, thing: &Thing) -> Item<'static> {
    let text = |text: &str| Value::S(text.to_owned().into());
    let key = [("pk".into(), text(pk)), ("sk".into(), text(sk))];
    let values = thing.iter().map(|(name, val)| {
        let value = match val {
            Val::Text(id) => text(id),
            Val::Nested(id) if id.is_empty() => Value::M(Item::new()),
            Val::Nested(id) => Value::M(Item::from([("x".into(), text(id))])),
            Val::Set(ids) => Value::Ss(ids.iter().map(|id| id.clone().into()).collect()),
            Val::List(ids) => Value::L(ids.iter().map(|id| text(id)).collect()),
        };
        (name.clone().into(), value)
    });
    key.into_iter().chain(values).collect()
}

fn thing(item: &Item<'_>) -> Thing {
    let attributes = item.iter().filter(|(name, _)| !["pk", "sk", "_referee"].contains(&&***name));
    attributes.map(|(name, value)| (name.to_string(), val(value))).collect()
}

fn val(value: &Value<'_>) -> Val {
    match value {
        Value::M(map) => Val::Nested(map.get("x").map(text).unwrap_or_default()),
        Value::Ss(ids) => Val::Set(ids.iter().map(ToString::to_string).collect()),
        Value::L(ids) => Val::List(ids.iter().map(text).collect()),
        Value::S(_)
        | Value::N(_)
        | Value::B(_)
        | Value::Bool(_)
        | Value::Null
        | Value::Ns(_)
        | Value::Bs(_) => Val::Text(text(value)),
    }
}

fn text(value: &Value<'_>) -> String {
    let Value::S(text) = value else { panic!("{value:?}") };
    text.to_string()
}

fn name_of(item: &Item<'_>) -> Name {
    (text(&item["pk"]), text(&item["sk"]))
}

fn of_key(key: &Key<'_>) -> Name {
    let text = |value: &KeyValue<'_>| text(&value.to_value());
    (text(&key.partition), text(key.sort.as_ref().unwrap()))
}
