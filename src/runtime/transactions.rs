//! Enforcing: the repairs of the items that refer to one target, page by page, each page a
//! transaction that restates the violation.

use futures_util::stream::{self, StreamExt as _};

use crate::data::{Item, Key};
use crate::engine::report::outcome::Made;
use crate::integrity::finding::ItemName;
use crate::integrity::repair::{Case, NoRepair, Page, Repair, Role};
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::reads::CONCURRENCY;
use crate::store::{CancellationReason, Store, StoreError, Transacted};

/// How often one item may be in the way of its own repair before its record is handed back.
const TRIES_MAX: u32 = 4;

/// What became of an item that was to be repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was repaired, by this write.
    Repaired(Made),
    /// It needs no repair: it refers to the target no more, or the target exists.
    Whole,
    /// It refers to the target still, and no repair is possible; why, in words.
    Impossible(String),
    /// DynamoDB refuses the repair, and will every time.
    Failed(String),
}

/// What became of the items of a case.
#[derive(Debug, Default)]
pub(crate) struct Enforced {
    /// What became of each, in no order; the ones that were not reached are missing.
    pub(crate) fates: Vec<(Key<'static>, Fate)>,
    /// Whether the target turned out to exist.
    pub(crate) is_back: bool,
    /// Why items were not reached, if some were not.
    pub(crate) unfinished: Option<StoreError>,
}

/// A repair that is still to be made.
struct Pending {
    key: Key<'static>,
    repair: Repair,
    tries: u32,
}

/// Repairs the items of many cases, side by side.
pub(crate) async fn enforce_all<'c, S: Store, C: Clock, T: 'c>(
    rules: &Rules,
    store: &S,
    clock: &C,
    cases: &'c [(Case<'_>, Vec<T>)],
    item_of: impl Fn(&'c T) -> (Key<'static>, Item<'static>),
) -> Vec<Enforced> {
    let item_of = &item_of;
    stream::iter(cases)
        .map(|(case, of_case)| {
            let items = of_case.iter().map(item_of);
            enforce(rules, store, || has_time(clock), case, items)
        })
        .buffered(CONCURRENCY)
        .collect()
        .await
}

/// What another transaction was in the way of can be tried again.
pub(crate) fn busy() -> StoreError {
    StoreError::Retry("another transaction is under way on the item".to_owned())
}

/// Whether a request may still be begun.
pub(crate) fn has_time<C: Clock>(clock: &C) -> bool {
    clock.deadline_ms().is_none_or(|deadline_ms| clock.now_ms() < deadline_ms)
}

/// Repairs the items of a case, each as it was read.
pub(crate) async fn enforce<S: Store>(
    rules: &Rules,
    store: &S,
    has_time: impl Fn() -> bool,
    case: &Case<'_>,
    items: impl IntoIterator<Item = (Key<'static>, Item<'static>)>,
) -> Enforced {
    let mut run =
        Run { rules, case, pending: Vec::new(), enforced: Enforced::default(), is_over: false };
    for (key, item) in items {
        let repair = case.repair(rules, &key, &item);
        run.enter(key, repair, 0);
    }
    let guard = case.guard(rules);
    let mut room = usize::MAX;
    while !run.pending.is_empty() && !run.enforced.is_back && !run.is_over {
        if !has_time() {
            let why = "the deadline came before the repairs were done";
            run.hold_back(StoreError::Retry(why.to_owned()), true);
            break;
        }
        let page = Page::of(&guard, run.pending.iter().take(room).map(|pending| &pending.repair));
        let taken = page.repairs;
        match store.transact(page.actions.clone()).await {
            Ok(answer) => match answer.value {
                Transacted::Applied => {
                    run.applied(taken);
                    room = usize::MAX;
                }
                Transacted::Canceled(reasons) => run.cancelled(&page, reasons),
            },
            // Together they may be too much for one transaction, or one of them be refused.
            Err(StoreError::Rejected(_)) if taken > 1 => room = taken.div_ceil(2),
            Err(StoreError::Rejected(why)) => run.refused(why),
            Err(error) => run.hold_back(error, true),
        }
    }
    run.finish()
}

/// The repairs of a case, under way.
struct Run<'r> {
    rules: &'r Rules,
    case: &'r Case<'r>,
    pending: Vec<Pending>,
    enforced: Enforced,
    /// Whether nothing more can be done.
    is_over: bool,
}

impl Run<'_> {
    fn enter(&mut self, key: Key<'static>, repair: Result<Repair, NoRepair>, tries: u32) {
        let fate = match repair {
            Ok(repair) => return self.pending.push(Pending { key, repair, tries }),
            Err(NoRepair::RefersNot) => Fate::Whole,
            Err(NoRepair::Impossible(why)) => Fate::Impossible(why),
        };
        self.enforced.fates.push((key, fate));
    }

    /// DynamoDB refuses the first of the pending, alone in its page.
    fn refused(&mut self, why: String) {
        let refused = self.pending.remove(0);
        self.enforced.fates.push((refused.key, Fate::Failed(why)));
    }

    /// The first of the pending were repaired.
    fn applied(&mut self, count: usize) {
        let table = self.rules[self.rules[self.case.rule].from].table;
        for Pending { key, repair, .. } in self.pending.drain(..count) {
            let item = ItemName { table, key: key.clone() };
            self.enforced.fates.push((key, Fate::Repaired(repair.made(item))));
        }
    }

    /// A page was cancelled: whoever was the reason is looked at again, and the others stay.
    fn cancelled(&mut self, page: &Page, reasons: Vec<CancellationReason>) {
        let is_busy = reasons.iter().all(is_passing);
        let is_unexplained = reasons.iter().all(|reason| *reason == CancellationReason::None);
        let rest = self.pending.split_off(page.repairs);
        let mut taken: Vec<Option<Pending>> =
            std::mem::replace(&mut self.pending, rest).into_iter().map(Some).collect();
        for (role, reason) in page.roles.iter().zip(reasons) {
            let of: &[usize] = match role {
                Role::Guard => &[],
                Role::Check(of) => of,
                Role::Write(place) => std::slice::from_ref(place),
            };
            let concerned = of.iter().filter_map(|place| taken.get_mut(*place)?.take());
            match reason {
                CancellationReason::None => {}
                CancellationReason::Conflict | CancellationReason::Throttled if !is_busy => {}
                // The store has tried for long enough, and the others may go on without these.
                CancellationReason::Conflict | CancellationReason::Throttled => {
                    concerned.for_each(drop);
                    self.hold_back(busy(), *role == Role::Guard);
                }
                CancellationReason::Invalid(why) if *role == Role::Guard => {
                    self.hold_back(StoreError::Rejected(why), true);
                }
                CancellationReason::Invalid(why) => {
                    self.settle(concerned, &Fate::Failed(why));
                }
                CancellationReason::ConditionFailed(current) => match role {
                    Role::Guard => self.enforced.is_back = true,
                    Role::Check(_) => {
                        let why = "what it would refer to instead does not exist".to_owned();
                        self.settle(concerned, &Fate::Impossible(why));
                    }
                    Role::Write(_) => self.look_again(concerned, current.as_ref()),
                },
            }
        }
        self.pending.splice(..0, taken.into_iter().flatten());
        if is_unexplained {
            self.hold_back(StoreError::Retry("a transaction was cancelled".to_owned()), true);
        }
    }

    fn settle(&mut self, settled: impl Iterator<Item = Pending>, fate: &Fate) {
        self.enforced.fates.extend(settled.map(|of| (of.key, fate.clone())));
    }

    /// Notes why something is not done, and if nothing can be, that this is the end.
    fn hold_back(&mut self, error: StoreError, is_end: bool) {
        self.enforced.unfinished.get_or_insert(error);
        self.is_over |= is_end;
    }

    /// Items were not as they had been read: their repairs are made up anew, from what they are
    /// like.
    fn look_again(
        &mut self,
        items: impl Iterator<Item = Pending>,
        current: Option<&Item<'static>>,
    ) {
        for Pending { key, tries, .. } in items {
            let repair = match current {
                None => Err(NoRepair::RefersNot),
                Some(_) if tries == TRIES_MAX => {
                    let why = "the item changes faster than it can be repaired".to_owned();
                    self.hold_back(StoreError::Retry(why), false);
                    continue;
                }
                Some(item) => self.case.repair(self.rules, &key, item),
            };
            self.enter(key, repair, tries + 1);
        }
    }

    fn finish(mut self) -> Enforced {
        if self.enforced.is_back {
            let whole = self.pending.drain(..).map(|pending| (pending.key, Fate::Whole));
            self.enforced.fates.extend(whole);
        }
        self.enforced
    }
}

/// Whether nothing but the moment was wrong with an action.
const fn is_passing(reason: &CancellationReason) -> bool {
    match reason {
        CancellationReason::None | CancellationReason::Conflict | CancellationReason::Throttled => {
            true
        }
        CancellationReason::ConditionFailed(_) | CancellationReason::Invalid(_) => false,
    }
}
