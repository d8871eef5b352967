//! The audit of random tables under random rules, judged by the independent oracle.

use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use fastrand::Rng;
use futures_util::FutureExt as _;
use referee::audit::live::rate::Limiter;
use referee::audit::live::run::{LiveAudit, Session};
use referee::audit::{self, Archives, Dump, Options, Progress};
use referee::engine::{Engine, Part, Services};
use referee::integrity::finding::Finding;
use referee::preflight::audited as audited_tables;
use referee::rules::model::{Mode, Rules};
use referee::runtime::clock::Clock as _;
use referee::runtime::stop::Stop;
use referee::store::memory::Fault;
use referee::store::schema::IndexSchema;
use referee::store::{Memory, StoreError};

use kit::clocks::Jumping;
use kit::oracle::{self, Audited, Oracle};
use kit::planted;

use crate::loaded::{self, Loaded, Planted};

/// The maximum number of items of an entity.
const PER_ENTITY: usize = 12;

/// The random rules of a seed, and random tables for them.
struct Drawn {
    seed: u64,
    /// The state after the draws.
    rng: Rng,
    loaded: Arc<Loaded>,
    planted: Arc<Planted>,
}

/// What was drawn for an audit.
#[derive(Debug)]
pub(crate) struct Tried {
    /// The number of findings.
    pub(crate) findings: usize,
    /// What the rules contain.
    pub(crate) features: Vec<&'static str>,
}

impl Drawn {
    /// `None` if the rules are refused.
    fn new(seed: u64) -> Option<Self> {
        let (loaded, mut rng) = loaded::rules(seed)?;
        let planted = loaded.planted.get_or_init(|| {
            let tables = planted::tables(&loaded.rules, PER_ENTITY, &mut rng);
            let expected = Oracle::new(&loaded.rules, tables.clone()).audited();
            Arc::new(Planted { tables, expected, rng })
        });
        let planted = Arc::clone(planted);
        Some(Self { seed, rng: planted.rng.clone(), loaded, planted })
    }

    /// Compares the findings with those of the oracle.
    fn judge(self, found: &[Audited]) -> Result<Tried, String> {
        let Self { seed, loaded, planted, .. } = self;
        let agreed = agree(found, &planted.expected);
        let findings = agreed.map_err(|words| format!("seed {seed}: {words}\n{}", loaded.text))?;
        Ok(Tried { findings, features: loaded.features.clone() })
    }
}

/// Audits the random table of a seed. Returns the number of findings, or how the audit and the
/// oracle disagree; `None` if the rules of the seed are refused.
pub(crate) fn audit(seed: u64, folder: &std::path::Path) -> Option<Result<Tried, String>> {
    let mut drawn = Drawn::new(seed)?;
    let Drawn { rng, loaded, planted, .. } = &mut drawn;
    let rules = &loaded.rules;
    let file = folder.join(format!("{seed}.json"));
    std::fs::write(&file, serde_json::to_string(&planted.tables).unwrap()).unwrap();
    let found = audited(rules, &file, rng.bool());
    std::fs::remove_file(&file).unwrap();
    Some(drawn.judge(&found))
}

/// Audits the random tables of a seed on the in-memory store, as if they were live: pages fail, and
/// the audit is stopped and resumed. The result is that of [`audit`].
pub(crate) fn audit_live(seed: u64, folder: &std::path::Path) -> Option<Result<Tried, String>> {
    let mut drawn = Drawn::new(seed)?;
    let Drawn { rng, loaded, planted, .. } = &mut drawn;
    let rules = &loaded.rules;
    let store = store(rules, &planted.tables);
    let found = audited_live(rules, &store, &folder.join(seed.to_string()), rng);
    Some(drawn.judge(&found))
}

/// Audits the random tables of a seed in parts, as the function does: segments, read units and
/// failing requests end an invocation early. The result is that of [`audit`].
pub(crate) fn audit_in_parts(seed: u64, _: &std::path::Path) -> Option<Result<Tried, String>> {
    let mut drawn = Drawn::new(seed)?;
    let Drawn { rng, loaded, planted, .. } = &mut drawn;
    let rules = &loaded.rules;
    let store = store(rules, &planted.tables);
    let mut faults = rng.fork();
    store.set_faults(Box::new(move |_| match faults.u8(..20) {
        0 => Fault::Fail(StoreError::Retry("throttled".to_owned())),
        _ => Fault::None,
    }));
    let engine = Engine::new(rules.clone().in_mode(Mode::Observe));
    let mut found = Vec::new();
    for table in audited_tables(rules) {
        let segments = rng.u32(1..4);
        for segment in 0..segments {
            let read_units_max = rng.bool().then(|| f64::from(rng.u8(1..30)));
            let part = Part { table, segment, segments, start: None, read_units_max };
            found.extend(audited_in_parts(&engine, &store, part));
        }
    }
    Some(drawn.judge(&found))
}

/// Audits a part until it is done.
fn audited_in_parts(engine: &Engine, store: &Memory, mut part: Part) -> Vec<Audited> {
    let clock = Jumping { now_ms: Rc::default(), deadline_ms: i64::MAX };
    let mut found = Vec::new();
    for _ in 0..1_000 {
        let audited = engine
            .audit(part.clone(), Services::new(store, &clock))
            .now_or_never()
            .unwrap()
            .unwrap();
        found.extend(audited.outcome.violations.iter().map(|it| Audited::of(&it.finding)));
        if audited.pages > 0 {
            part.start = audited.next;
            if part.start.is_none() {
                return found;
            }
        }
    }
    panic!("the audit makes no progress");
}

/// A store with these tables. It has only the indexes by which items are known, because the others
/// would refuse some of the items.
fn store(rules: &Rules, tables: &oracle::Dump) -> Memory {
    let is_known =
        |index: &IndexSchema| rules.views.iter().any(|it| it.index_name(rules) == index.name);
    let schemas = referee::replay::schemas(rules).map(|mut schema| {
        schema.indexes.retain(is_known);
        schema
    });
    let store = Memory::new(schemas);
    for (table, items) in tables {
        for item in items {
            store.seed(table, item.clone()).unwrap();
        }
    }
    store
}

/// Runs a live audit until it is complete.
fn audited_live(
    rules: &Rules,
    store: &Memory,
    folder: &std::path::Path,
    rng: &mut Rng,
) -> Vec<Audited> {
    let clock = Jumping { now_ms: Rc::default(), deadline_ms: i64::MAX };
    let segments = rng.u32(1..5);
    drop(LiveAudit::begin(rules, folder, 0, |_| segments).unwrap());
    for attempt in 0.. {
        assert!(attempt < 1_000, "the audit makes no progress");
        let stop = Rc::new(Stop::default());
        let (stopping, mut faults, ends) = (Rc::clone(&stop), rng.fork(), rng.bool());
        store.set_faults(Box::new(move |_| match faults.u8(..40) {
            0 | 1 => Fault::Fail(StoreError::Retry("throttled".to_owned())),
            2 if ends => Fault::Fail(StoreError::Fatal("expired".to_owned())),
            3 if ends => {
                stopping.set();
                Fault::None
            }
            _ => Fault::None,
        }));
        let live = LiveAudit::resume(rules, folder).unwrap();
        if let Some(found) = one_run(live, store, &clock, &stop) {
            assert!(!folder.exists(), "the state of a complete audit stays");
            return found;
        }
    }
    unreachable!("the loop ends only with a result");
}

/// Runs a live audit until it ends; `None` if it was interrupted.
fn one_run(
    mut live: LiveAudit<'_>,
    store: &Memory,
    clock: &Jumping,
    stop: &Stop,
) -> Option<Vec<Audited>> {
    let limiter = Limiter::new(Some(50.0), clock);
    let session = Session { store, clock, limiter: &limiter, stop };
    live.scan(session, (3, false), &mut |_| {}).now_or_never().unwrap().ok()?;
    let options = Options {
        threads: 1,
        memory_bytes_max: usize::MAX,
        temporary: std::env::temp_dir(),
        reports_unknown: false,
        now_ms: 0,
    };
    let suspects = live.join(&options).unwrap();
    let mut found = Vec::new();
    let each = |finding: Finding| {
        found.push(Audited::of(&finding));
        Ok(())
    };
    let confirmed = live.confirm(session, clock.now_ms(), suspects, each).now_or_never().unwrap();
    let (confirmed, _) = confirmed.ok()?;
    assert_eq!((confirmed.cleared, confirmed.unsettled), (0, 0), "the tables do not change");
    live.remove().unwrap();
    found.sort();
    Some(found)
}

fn audited(rules: &Rules, file: &std::path::Path, is_spilled: bool) -> Vec<Audited> {
    let archive = Archives(vec![Box::new(Dump::open(file, rules).unwrap())]);
    let options = Options {
        threads: 2,
        memory_bytes_max: if is_spilled { 0 } else { usize::MAX },
        temporary: std::env::temp_dir(),
        reports_unknown: false,
        now_ms: 0,
    };
    let mut found = Vec::new();
    let each = |finding: Finding| {
        found.push(Audited::of(&finding));
        Ok(())
    };
    let done = audit::audit(rules, &archive, &options, &Progress::default(), each).unwrap();
    assert_eq!(done.problems, []);
    found.sort();
    found
}

/// Compares findings; several findings with the same items count as one.
fn agree(found: &[Audited], expected: &[Audited]) -> Result<usize, String> {
    let mut words = String::new();
    for finding in found.iter().filter(|finding| !expected.contains(finding)) {
        let _ = writeln!(words, "the audit reports without a reason: {finding:?}");
    }
    for finding in expected.iter().filter(|finding| !found.contains(finding)) {
        let _ = writeln!(words, "the audit does not report {finding:?}");
    }
    if words.is_empty() { Ok(found.len()) } else { Err(words) }
}
