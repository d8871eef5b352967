//! In-memory tables, while applications write and DynamoDB replicates.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use fastrand::Rng;
use futures_util::FutureExt as _;
use serde_json::{Value as Json, json};

use super::{Found, Items, Place, item, planted, rules, shown};
use crate::audit::Options;
use crate::audit::live::Interrupted;
use crate::audit::live::rate::Limiter;
use crate::audit::live::run::Session;
use crate::audit::replica::live::{Comparison, Confirmed, Grace, Scope};
use crate::audit::replica::{Side, Sides};
use crate::data::{Item, JsonItem, into_owned};
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::memory::Fault;
use crate::store::{Action, Memory, Store as _, StoreError, Write};

const GRACE_MS: i64 = 5_000;

/// A clock that jumps to the end of each wait.
#[derive(Debug, Clone, Default)]
struct Jumping(Rc<Cell<i64>>);

impl Clock for Jumping {
    fn now_ms(&self) -> i64 {
        self.0.get()
    }

    async fn sleep_until_ms(&self, time_ms: i64) {
        self.0.set(self.0.get().max(time_ms));
    }
}

/// Both sides, and the writes that have not arrived.
struct World {
    clock: Jumping,
    memory: Sides<Rc<Memory>>,
    in_flight: RefCell<Vec<(i64, Side, Write)>>,
    /// Whether this code is using the tables itself.
    is_busy: Cell<bool>,
}

fn decoded(json: &Json) -> Item<'static> {
    into_owned(serde_json::from_str::<JsonItem<'_>>(&json.to_string()).unwrap().0)
}

const fn other(side: Side) -> Side {
    match side {
        Side::Original => Side::Replica,
        Side::Replica => Side::Original,
    }
}

impl World {
    fn new(original: &Items, replica: &Items) -> Rc<Self> {
        let filled = |items: &Items| {
            let memory = Memory::new(crate::replay::schemas(rules()));
            for ((table, _), item) in items {
                memory.seed(&rules().tables[*table].name, decoded(item)).unwrap();
            }
            Rc::new(memory)
        };
        let memory = Sides { original: filled(original), replica: filled(replica) };
        let (clock, in_flight) = (Jumping::default(), RefCell::default());
        Rc::new(Self { clock, memory, in_flight, is_busy: Cell::new(false) })
    }

    /// Does this before each request to one of the sides.
    fn before_requests(self: &Rc<Self>, mut act: impl FnMut(&Self, Side, u64) -> Fault + 'static) {
        let act = Rc::new(RefCell::new(move |world: &Self, side, number| act(world, side, number)));
        for side in [Side::Original, Side::Replica] {
            let (world, act) = (Rc::clone(self), Rc::clone(&act));
            self.memory.of(side).set_faults(Box::new(move |call| {
                if world.is_busy.replace(true) {
                    return Fault::None;
                }
                world.clock.0.set(world.clock.0.get() + 20);
                world.replicate();
                let fault = (act.borrow_mut())(&world, side, call.number);
                world.is_busy.set(false);
                fault
            }));
        }
    }

    /// Lets the writes arrive that are due.
    fn replicate(&self) {
        let now_ms = self.clock.now_ms();
        let is_due = |(due_ms, ..): &mut (i64, Side, Write)| *due_ms <= now_ms;
        let due: Vec<_> = self.in_flight.borrow_mut().extract_if(.., is_due).collect();
        for (_, side, write) in due {
            self.memory.of(side).write(write).now_or_never().unwrap().unwrap();
        }
    }

    /// Writes an item on one side, or deletes it. The write arrives on the other side later.
    fn write(&self, side: Side, place: Place, value: Option<&str>, lag_ms: i64) {
        let item = decoded(&item(place, &json!({ "S": value.unwrap_or_default() })));
        let action = if value.is_some() {
            Action::Put(item)
        } else {
            let schema = &rules().tables[place.0].key;
            Action::Delete(schema.item_of(&schema.key_of(&item).unwrap()))
        };
        let write = Write { table: rules().tables[place.0].name.clone(), action, condition: None };
        self.memory.of(side).write(write.clone()).now_or_never().unwrap().unwrap();
        self.in_flight.borrow_mut().push((self.clock.now_ms() + lag_ms, other(side), write));
    }

    /// Compares both sides.
    fn compare(
        &self,
        folder: &std::path::Path,
        is_resumed: bool,
        stop: &Stop,
    ) -> Result<(Found, Confirmed), (Side, Interrupted<String>)> {
        let scope = Scope { rules: rules(), concerns: &|_, _| true, identity: "a b" };
        let mut comparison = if is_resumed {
            Comparison::resume(scope, folder).unwrap()
        } else {
            Comparison::begin(scope, folder, 0, |_, _| 3).unwrap()
        };
        let limiters = [Limiter::new(Some(2.0), &self.clock), Limiter::new(None, &self.clock)];
        let [of_original, of_replica] = &limiters;
        let session = |side: Side, limiter| Session {
            store: &**self.memory.of(side),
            clock: &self.clock,
            limiter,
            stop,
        };
        let sessions = (session(Side::Original, of_original), session(Side::Replica, of_replica));
        let text = |(side, interrupted)| match interrupted {
            Interrupted::Stopped => (side, Interrupted::Stopped),
            Interrupted::Store(error) => (side, Interrupted::Store(error)),
            Interrupted::Sink(error) => {
                let error: crate::audit::live::error::LiveError = error;
                (side, Interrupted::Sink(error.to_string()))
            }
        };
        let scanned = comparison.scan(sessions, 3, &|_, _| {}).now_or_never().unwrap();
        scanned.map_err(text)?;
        let temporary = std::env::temp_dir();
        let options = Options {
            threads: 1,
            memory_bytes_max: 0,
            temporary,
            reports_unknown: false,
            now_ms: 0,
        };
        let (suspects, _) = comparison.compare(&options).unwrap();
        let mut found = Found::new();
        let each = |difference| {
            let (place, text) = shown(&difference);
            assert_eq!(found.insert(place, text), None, "reported twice");
            Ok(())
        };
        let grace = Grace { ms: GRACE_MS, scanned_ms: self.clock.now_ms() };
        let confirmed = comparison.confirm(sessions, grace, suspects, each);
        let (confirmed, _) = confirmed.now_or_never().unwrap().map_err(text)?;
        comparison.remove(folder).unwrap();
        Ok((found, confirmed))
    }
}

/// A folder, and the path of a folder in it that does not exist.
fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    (folder, state)
}

/// Both sides are written to, and each write arrives on the other side within the grace period.
#[test]
fn tables_that_are_written_meanwhile_cause_no_false_difference() {
    let (_folder, state) = folder();
    let mut cleared = 0;
    for seed in 0..50 {
        let mut random = Rng::with_seed(seed);
        let (mut original, mut replica, mut planted) = planted(&mut random, 60);
        // Those with the higher numbers are written, and do not differ otherwise.
        let is_written = |(_, number): &Place| *number >= 30;
        planted.retain(|place, _| !is_written(place));
        original.retain(|place, _| !is_written(place));
        replica.retain(|place, _| !is_written(place));
        let world = World::new(&original, &replica);
        world.before_requests(move |world, _, number| {
            for _ in 0..random.usize(..3) {
                let place = (random.usize(..2), random.u32(30..60));
                // Each item is written on one side only, because the writes of two could conflict.
                let side = if place.1.is_multiple_of(2) { Side::Original } else { Side::Replica };
                let value = format!("{number} {}", random.u32(..));
                let value = (random.u8(..4) > 0).then_some(value.as_str());
                // The writes of an item arrive in order.
                let lag_ms = 10 + i64::from(place.1) * 80;
                world.write(side, place, value, lag_ms);
            }
            Fault::None
        });
        let (found, confirmed) = world.compare(&state, false, &Stop::default()).unwrap();
        assert_eq!(found, planted, "seed {seed}");
        assert_eq!(confirmed.differences, planted.len() as u64);
        cleared += confirmed.cleared;
    }
    assert!(cleared > 50, "{cleared} suspects were cleared");
}

#[test]
fn exactly_the_planted_differences_are_found() {
    let (_folder, state) = folder();
    for seed in 0..20 {
        let mut random = Rng::with_seed(seed);
        let size = random.u32(..200);
        let (original, replica, planted) = planted(&mut random, size);
        let world = World::new(&original, &replica);
        let (found, confirmed) = world.compare(&state, false, &Stop::default()).unwrap();
        let differences = planted.len() as u64;
        assert_eq!(found, planted, "seed {seed}");
        assert_eq!(confirmed, Confirmed { differences, cleared: 0, unsettled: 0 });
        assert!(!state.exists());
    }
}

/// The item changes before each look, and the writes never arrive.
#[test]
fn what_changes_at_each_look_is_unsettled() {
    let (_folder, state) = folder();
    let same = Items::from([((0, 1), item((0, 1), &json!({ "S": "" })))]);
    let world = World::new(&same, &Items::new());
    world.before_requests(|world, side, number| {
        if side == Side::Original {
            world.write(side, (0, 1), Some(&number.to_string()), i64::MAX / 2);
        }
        Fault::None
    });
    let (found, confirmed) = world.compare(&state, false, &Stop::default()).unwrap();
    assert_eq!(found, Found::new());
    assert_eq!(confirmed, Confirmed { differences: 0, cleared: 0, unsettled: 1 });
}

/// The item changes before each look, and what one side has at a look, the other one has at the
/// next.
#[test]
fn a_write_that_arrives_clears_an_item_that_changes_all_the_time() {
    let (_folder, state) = folder();
    let world = World::new(&Items::new(), &Items::new());
    let values = RefCell::new(BTreeMap::from([(Side::Replica, "0".to_owned())]));
    world.before_requests(move |world, side, number| {
        let mut values = values.borrow_mut();
        // Each look reads the original first.
        if side == Side::Original {
            let former = values.insert(side, number.to_string()).unwrap_or_default();
            values.insert(Side::Replica, former);
        }
        let value = values[&side].clone();
        world.write(side, (1, 1), Some(&value), i64::MAX / 2);
        Fault::None
    });
    let (found, confirmed) = world.compare(&state, false, &Stop::default()).unwrap();
    assert_eq!(found, Found::new());
    assert_eq!(confirmed, Confirmed { differences: 0, cleared: 1, unsettled: 0 });
}

#[test]
fn an_error_names_its_side() {
    let (_folder, state) = folder();
    let (original, replica, _) = planted(&mut Rng::with_seed(3), 100);
    for failing in [Side::Original, Side::Replica] {
        for first in [2, 8] {
            let world = World::new(&original, &replica);
            world.before_requests(move |_, side, number| {
                let fails = side == failing && number >= first;
                let error = StoreError::Fatal("denied".to_owned());
                if fails { Fault::Fail(error) } else { Fault::None }
            });
            let failed = world.compare(&state, false, &Stop::default()).unwrap_err();
            let error = StoreError::Fatal("denied".to_owned());
            assert_eq!(failed, (failing, Interrupted::Store(error)));
            std::fs::remove_dir_all(&state).unwrap();
        }
    }
}

#[test]
fn a_stopped_comparison_is_resumed() {
    let (_folder, state) = folder();
    let (original, replica, planted) = planted(&mut Rng::with_seed(4), 200);
    for requests in 1..12 {
        let world = World::new(&original, &replica);
        let stop = Rc::new(Stop::default());
        let (stopping, mut left) = (Rc::clone(&stop), requests);
        world.before_requests(move |_, _, _| {
            left -= 1;
            if left == 0 {
                stopping.set();
            }
            Fault::None
        });
        let stopped = world.compare(&state, false, &stop).unwrap_err();
        assert!(matches!(stopped, (_, Interrupted::Stopped)), "{requests}");
        let scope = Scope { rules: rules(), concerns: &|_, _| true, identity: "a c" };
        let refused = Comparison::resume(scope, &state).err().unwrap().to_string();
        assert!(refused.contains("another side"), "{refused}");
        let (found, _) = world.compare(&state, true, &Stop::default()).unwrap();
        assert_eq!(found, planted);
    }
}
