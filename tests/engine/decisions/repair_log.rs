//! Repairs are logged before they are made.

use std::cell::RefCell;

use futures_util::FutureExt as _;
use kit::clocks::Patient;
use kit::history::{History, load};
use referee::engine::{Engine, Services, Violation};
use referee::runtime::repair_log::{RepairLog, StartedRepair};
use referee::store::Memory;
use referee::store::memory::{CallKind, Fault};

const RULES: &str = r#"
version: 1
tables: { app: { key: [pk, sk] } }
entities:
  customer: { table: app, key: { pk: "customer#{customer}", sk: "customer#" } }
  order: { table: app, key: { pk: "customer#{customer}", sk: "order#{order}" } }
references:
  order_customer: { from: order, to: customer, on_delete: cascade }
"#;

/// The ids of the logged repairs, and how many items the table held when they were logged.
struct Log<'s> {
    store: &'s Memory,
    lines: RefCell<Vec<(String, usize)>>,
}

impl RepairLog for Log<'_> {
    fn started(&self, repairs: &[StartedRepair]) {
        let held = self.store.dump().values().map(Vec::len).sum();
        let ids = repairs.iter().map(|repair| repair.violation.id.clone());
        self.lines.borrow_mut().extend(ids.map(|id| (id, held)));
    }
}

/// Delivers the delete of a customer with 150 orders. Returns the violations, unless the worker
/// crashed.
fn deliver(history: &History, store: &Memory, log: &Log<'_>) -> Option<Vec<Violation>> {
    let engine = Engine::new(load(RULES));
    let batch = history.batches().pop().unwrap();
    let records: Vec<_> = batch.records.iter().map(|record| &**record).collect();
    let services = Services { repairs: log, ..Services::new(store, &Patient) };
    let outcome = engine.process_with(engine.decode_records(&records), services).now_or_never();
    outcome.map(|outcome| outcome.unwrap().violations)
}

#[test]
fn repairs_of_a_worker_that_crashed_are_in_the_log_under_the_id_of_the_next_report() {
    let orders = (0..150).map(|order| format!("pk: customer#1, sk: order#{order:03}"));
    let history = History::new().has_all(orders).remove("pk: customer#1, sk: customer#");
    let store = history.store(&load(RULES));
    let log = Log { store: &store, lines: RefCell::default() };
    let mut transactions = 0;
    store.set_faults(Box::new(move |call| {
        transactions += u32::from(call.kind == CallKind::Transact);
        if transactions == 2 { Fault::Crash { applied: true } } else { Fault::None }
    }));
    assert_eq!(deliver(&history, &store, &log), None);
    store.clear_faults();
    // All orders are deleted: 99 in a transaction, and the rest in the one without an answer. Each
    // was logged before its transaction, and nothing is left to report.
    let lines = log.lines.take();
    let held: Vec<usize> = lines.iter().map(|(_, held)| *held).collect();
    assert_eq!(held, [vec![150; 99], vec![51; 51]].concat());
    assert_eq!(deliver(&history, &store, &log), Some(Vec::new()));
    assert_eq!(log.lines.take(), []);

    let store = history.store(&load(RULES));
    let log = Log { store: &store, lines: RefCell::default() };
    let [violation] = &deliver(&history, &store, &log).unwrap()[..] else { panic!("another") };
    assert!(lines.iter().all(|(id, _)| *id == violation.id(&load(RULES))));
}
