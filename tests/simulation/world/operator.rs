//! A person who audits the tables, plans repairs and backfills, makes them, and takes some of them
//! back, while everything else happens. The process may be killed at any request, and any part of
//! the journal that was not synced may be lost; then it is started again.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use kit::clocks::{Patient, Standing};
use kit::repairs::{Plan, RULES, SharedLog};
use referee::engine::{Engine, Part as AuditPart, Services, Violation};
use referee::preflight::audited as audited_tables;
use referee::repair::{self, Claim, Journal, Options, Pace, PlanEntries, Stopped};
use referee::rules::model::Mode;
use referee::runtime::clock::Clock as _;
use referee::runtime::stop::Stop;

use super::World;
use crate::items::{step, write};
use crate::model::Act;
use crate::past::{By, Past, Reported};
use crate::scenario::FaultRates;
use crate::sky::{Remote, Watch};

/// A deadline that no audit reaches.
const NO_DEADLINE_MS: i64 = i64::MAX / 2;
/// How many repairs, one after the other, leave nothing to repair.
const ROUNDS_MAX: usize = 30;
/// How often an audit of a part is repeated, if requests fail.
const TRIES_MAX: usize = 1_000;

/// A plan, and the journal of its writes.
struct Paper {
    plan: Plan,
    log: SharedLog,
}

/// What happens next.
#[derive(Clone)]
enum Stage {
    /// An audit and a plan.
    Plan,
    /// The writes of a plan.
    Apply(Rc<Paper>),
    /// The writes of a plan are taken back.
    Undo(Rc<Paper>),
}

/// The result of a process.
enum Ended {
    Planned(Vec<Violation>, Result<Plan, Stopped>),
    Applied(Result<repair::Applied, Stopped>),
    Undone(Result<repair::Undone, Stopped>),
}

struct Process {
    work: Pin<Box<dyn Future<Output = Ended>>>,
    by: By,
    /// How many steps had happened when it began.
    begun: usize,
    until_ms: Rc<Cell<i64>>,
}

/// A person who repairs the tables.
pub(super) struct Operator {
    /// The rules, for audits, which write nothing.
    observing: Rc<Engine>,
    runs_left: u32,
    /// Whether everything is to be repaired, and nothing taken back.
    is_final: bool,
    stage: Stage,
    process: Option<Process>,
    /// The number of writes in the last plan.
    planned: usize,
}

impl Operator {
    fn new(engine: &Engine, runs_left: u32) -> Self {
        let observing = Rc::new(Engine::new(engine.rules().clone().in_mode(Mode::Observe)));
        let (stage, process) = (Stage::Plan, None);
        Self { observing, runs_left, is_final: false, stage, process, planned: 0 }
    }

    /// Whether nothing is left to do.
    pub(super) fn is_idle(&self) -> bool {
        self.runs_left == 0 && self.process.is_none() && matches!(self.stage, Stage::Plan)
    }

    /// The time until which the process sleeps.
    pub(super) fn waits_until_ms(&self) -> Option<i64> {
        self.process.as_ref().map(|process| process.until_ms.get())
    }
}

impl World<'_> {
    /// Makes writes whose records the function never gets: it did not exist then, or was down for
    /// longer than a stream keeps its records.
    pub(crate) fn write_unseen(&mut self, acts: &[Act]) {
        for act in acts {
            if let Act::Transaction(parts) = act {
                self.write_unseen(parts);
                continue;
            }
            write(self.schema, &self.remote.store, act);
            let expires = matches!(act, Act::Expire(_));
            let records = self.remote.store.take_stream();
            self.past.steps.extend(records.iter().map(|it| step(it, By::People, expires)));
        }
    }

    /// Returns the record of everything that happened so far.
    pub(crate) const fn past(&self) -> &Past {
        &self.past
    }

    /// Somebody repairs the tables so often from now on.
    pub(crate) fn begin_repairs(&mut self, repairs: u32) {
        self.past.is_audited = true;
        self.operator = Some(Operator::new(&self.engine, repairs));
    }

    /// Repairs the tables until there is nothing to repair. The last audit's findings are in the
    /// reports.
    pub(crate) fn repair_all(&mut self) {
        self.rates = FaultRates { lag: self.rates.lag, ..FaultRates::default() };
        for _ in 0..ROUNDS_MAX {
            let operator = self.operator.as_mut().unwrap();
            (operator.runs_left, operator.is_final) = (1, true);
            self.run_to_rest(&[]);
            if self.operator.as_ref().unwrap().planned == 0 {
                return;
            }
        }
        panic!("there is always something to repair");
    }

    /// Starts the operator's next process, or runs it until it waits, ends or dies. Returns whether
    /// there was something to do.
    pub(super) fn operate(&mut self) -> bool {
        let Some(mut operator) = self.operator.take() else { return false };
        let is_busy = !operator.is_idle();
        match operator.process.take() {
            None if is_busy => operator.process = Some(self.start(&mut operator)),
            None => {}
            Some(process) => self.run(&mut operator, process),
        }
        self.operator = Some(operator);
        is_busy
    }

    fn start(&self, operator: &mut Operator) -> Process {
        let until_ms = Rc::new(Cell::new(self.environment.now_ms.get()));
        let remote = |by| Remote { by, ..self.remote.clone() };
        let begun = self.past.steps.len();
        if let Stage::Apply(paper) = &operator.stage
            && !operator.is_final
            && self.draw(6) == 0
        {
            self.environment.count_event("undone repairs");
            operator.stage = Stage::Undo(Rc::clone(paper));
        }
        let engine = Rc::clone(&self.engine);
        let (work, by): (Pin<Box<dyn Future<Output = Ended>>>, By) = match &operator.stage {
            Stage::Plan => {
                operator.runs_left = operator.runs_left.saturating_sub(1);
                let adopt = operator.is_final || self.draw(2) == 0;
                let only_missing = !operator.is_final && self.draw(2) == 0;
                let options = Options { adopt, only_missing };
                let environment = Rc::clone(&self.environment);
                let until_ms = Rc::clone(&until_ms);
                let watch = Watch { environment, deadline_ms: NO_DEADLINE_MS, until_ms };
                let segments = u32::try_from(1 + self.draw(3)).unwrap();
                let observing = Rc::clone(&operator.observing);
                let work = plan(observing, engine, remote(By::Repair), watch, segments, options);
                (Box::pin(work), By::Repair)
            }
            Stage::Apply(paper) => {
                let clock = Standing(self.environment.now_ms.get());
                let work = apply(engine, remote(By::Repair), clock, Rc::clone(paper));
                (Box::pin(work), By::Repair)
            }
            Stage::Undo(paper) => {
                (Box::pin(undo(engine, remote(By::Undo), Rc::clone(paper))), By::Undo)
            }
        };
        Process { work, by, begun, until_ms }
    }

    fn run(&mut self, operator: &mut Operator, mut process: Process) {
        let polled = process.work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.collect(process.by, false);
        let is_dead = self.environment.has_crashed.take();
        match polled {
            _ if is_dead => {
                drop(process);
                if let Stage::Apply(paper) | Stage::Undo(paper) = &operator.stage {
                    self.environment.count_event("killed repairs");
                    let mut log = paper.log.0.borrow_mut();
                    let unsynced = self.draw(log.bytes.len() - log.synced + 1);
                    *log = log.crashed(unsynced);
                }
            }
            Poll::Pending => operator.process = Some(process),
            Poll::Ready(Ended::Planned(violations, plan)) => {
                self.record_audit(process.begun, violations);
                if let Ok(plan) = plan {
                    let writes = plan.writes(self.engine.rules());
                    operator.planned = writes.len();
                    if !writes.is_empty() {
                        let log = SharedLog::default();
                        *log.0.borrow_mut() = plan.log();
                        operator.stage = Stage::Apply(Rc::new(Paper { plan, log }));
                    }
                }
            }
            Poll::Ready(Ended::Applied(applied)) => match (applied, &operator.stage) {
                (Ok(_), Stage::Apply(paper)) if !operator.is_final && self.draw(4) == 0 => {
                    self.environment.count_event("undone repairs");
                    operator.stage = Stage::Undo(Rc::clone(paper));
                }
                (Ok(_), _) => {
                    self.environment.count_event("repairs");
                    operator.stage = Stage::Plan;
                }
                (Err(Stopped::Store(_)), _) => {}
                (Err(error), _) => panic!("a repair stops: {error}"),
            },
            Poll::Ready(Ended::Undone(undone)) => match undone {
                Ok(_) => operator.stage = Stage::Plan,
                Err(Stopped::Store(_)) => {}
                Err(error) => panic!("an undo stops: {error}"),
            },
        }
    }

    fn record_audit(&mut self, begun: usize, violations: Vec<Violation>) {
        let happened = self.past.steps.len();
        let reported = violations.into_iter();
        let reported = reported.map(|violation| Reported { violation, begun, happened });
        self.past.reported.extend(reported);
    }
}

/// Audits all tables, and plans.
async fn plan(
    observing: Rc<Engine>,
    engine: Rc<Engine>,
    remote: Remote,
    watch: Watch,
    segments: u32,
    options: Options,
) -> Ended {
    let rules = engine.rules();
    let mut found = Vec::new();
    for table in audited_tables(rules) {
        for segment in 0..segments {
            let mut part =
                AuditPart { table, segment, segments, start: None, read_units_max: None };
            for attempt in 0.. {
                assert!(attempt < TRIES_MAX, "the audit makes no progress");
                let audited =
                    observing.audit(part.clone(), Services::new(&remote, &watch)).await.unwrap();
                found.extend(audited.outcome.violations);
                if audited.pages > 0 {
                    part.start = audited.next;
                    if part.start.is_none() {
                        break;
                    }
                }
            }
        }
    }
    let claims = found.iter().map(|violation| Claim::of(rules, &violation.finding)).collect();
    let plan = Plan::on(rules, (&remote, watch.now_ms()), claims, options).await;
    Ended::Planned(found, plan)
}

/// Makes the writes that are left of a plan.
async fn apply(engine: Rc<Engine>, remote: Remote, clock: Standing, paper: Rc<Paper>) -> Ended {
    let (rules, plan) = (engine.rules(), &paper.plan);
    let mut journal = Journal::resume(paper.log.clone(), RULES, &plan.checksum).unwrap();
    let entries = PlanEntries::new(rules, plan.text.as_slice());
    let report = |_: &_, _: &_| Ok(());
    let pace = Pace { write_units: None, stop: &Stop::default() };
    Ended::Applied(repair::apply(rules, &remote, &clock, entries, &mut journal, pace, report).await)
}

/// Takes the writes of a plan back.
async fn undo(engine: Rc<Engine>, remote: Remote, paper: Rc<Paper>) -> Ended {
    let mut journal = Journal::undo(paper.log.clone(), RULES).unwrap();
    let report = |_: &_, _: &_| Ok(());
    let pace = Pace { write_units: None, stop: &Stop::default() };
    Ended::Undone(repair::undo(engine.rules(), &remote, &Patient, &mut journal, pace, report).await)
}
