//! Following streams: the tasks that there are, and what is done when one of them has ended.

use std::cell::{Cell, RefCell};
use std::future::Future;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::delivery::pause_ms;
use super::keeper::{KeepError, Keeper};
use super::lineage::{Lineage, Missing};
use super::progress::Mark;
use super::quiet::Quiet;
use super::source::Source;
use super::{LEASE_MS, Options, Stop, Told};
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::store::Store;
use crate::streams::{Shard, Stream, StreamError};

/// How long to wait before the shards are listed again. Where one is at its end, they are at once.
const LIST_PAUSE_MS: i64 = 15_000;
/// How long to wait before leases are renewed.
const RENEW_PAUSE_MS: i64 = LEASE_MS / 3;
/// The longest time for which nobody looks whether to stop.
const STOP_PAUSE_MS: i64 = 100;
/// How often progress is tried to be kept once a stop was asked for.
const LAST_SAVES_MAX: u32 = 5;

/// What a watcher works with.
#[derive(Debug)]
pub struct Watcher<'w, S, D, K, C> {
    /// The rules, ready to run.
    pub engine: &'w Engine,
    /// Where records come from.
    pub source: &'w S,
    /// The tables.
    pub store: &'w D,
    /// Where progress is kept.
    pub keeper: &'w K,
    /// Where metrics go.
    pub metrics: &'w Metrics,
    /// Time.
    pub clock: &'w C,
    /// How to watch.
    pub options: Options,
    /// What asks it to stop.
    pub stop: &'w Stop,
}

/// Follows streams until a stop is asked for, or, where no more is wanted, until everything is
/// read; and tells what becomes of their records.
pub async fn follow<S: Source, D: Store, K: Keeper, C: Clock>(
    watcher: Watcher<'_, S, D, K, C>,
    streams: &[Stream],
    tell: &dyn Fn(Told<'_>),
) -> Result<(), Fatal> {
    let all: Vec<Followed<'_>> = streams.iter().map(Followed::new).collect();
    let follower = Follower { watcher, followed: &all, quiet: RefCell::default(), tell };
    let ended = follower.run().await;
    follower.watcher.keeper.release().await;
    ended
}

/// A watcher at work.
pub(super) struct Follower<'f, S, D, K, C> {
    pub(super) watcher: Watcher<'f, S, D, K, C>,
    followed: &'f [Followed<'f>],
    pub(super) quiet: RefCell<Quiet>,
    pub(super) tell: &'f dyn Fn(Told<'_>),
}

/// A stream that is followed.
pub(super) struct Followed<'f> {
    pub(super) stream: &'f Stream,
    lineage: RefCell<Lineage>,
    /// Whether its shards are to be listed at once.
    is_list_wanted: Cell<bool>,
    /// Whether a list was asked for that has not been acted on.
    is_list_awaited: Cell<bool>,
}

impl<'f> Followed<'f> {
    fn new(stream: &'f Stream) -> Self {
        Self {
            stream,
            lineage: RefCell::default(),
            is_list_wanted: Cell::default(),
            is_list_awaited: Cell::default(),
        }
    }
}

/// What a task has brought.
enum Event<'f> {
    /// The shards that a stream has now.
    Listed(&'f Followed<'f>, Vec<Shard>),
    /// A shard was read to its end.
    Drained(&'f Followed<'f>, String),
    /// The leases were renewed.
    Renewed,
    /// Nothing, for a stop was asked for.
    Stopped,
}

type Tasks<'t, 'f> = FuturesUnordered<LocalBoxFuture<'t, Result<Event<'f>, Fatal>>>;

impl<'f, S: Source, D: Store, K: Keeper, C: Clock> Follower<'f, S, D, K, C> {
    /// Does what there is to do until all tasks have ended. Where one fails, the others finish
    /// what they have begun.
    async fn run(&self) -> Result<(), Fatal> {
        let mut tasks = Tasks::new();
        let mut ended = Ok(());
        for followed in self.followed {
            if let Err(fatal) = self.begin(followed, &tasks).await {
                self.watcher.stop.set();
                ended = Err(fatal);
                break;
            }
        }
        tasks.push(Box::pin(self.renew()));
        while let Some(brought) = tasks.next().await {
            let acted = match brought {
                Ok(event) if !self.watcher.stop.is_set() => self.act(event, &tasks).await,
                Ok(_) => Ok(()),
                Err(fatal) => Err(fatal),
            };
            if let Err(fatal) = acted {
                self.watcher.stop.set();
                ended = ended.and(Err(fatal));
            }
        }
        ended
    }

    /// Takes a stream up where it was left, or where it is to be begun.
    async fn begin<'t>(
        &'t self,
        followed: &'f Followed<'f>,
        tasks: &Tasks<'t, 'f>,
    ) -> Result<(), Fatal> {
        let stream = followed.stream;
        let known = self.patiently(stream, || self.watcher.keeper.load(stream)).await?;
        let listed = self.patiently(stream, || self.watcher.source.shards(stream)).await?;
        let (Some(known), Some(listed)) = (known, listed) else { return Ok(()) };
        (self.tell)(Told::Begun { stream, is_resumed: known.progress.is_some() });
        if known.has_unread_ancestor {
            self.lost(stream, "the table has another stream than the checkpoint knows");
        }
        match known.progress {
            Some(progress) => {
                followed.lineage.replace(Lineage::resume(progress));
                self.learn(followed, listed).await?;
            }
            // What came between two streams is not known, so the new one is read from its start.
            None if known.has_unread_ancestor => self.learn(followed, listed).await?,
            None => {
                let (from, now_ms) = (self.watcher.options.from, self.watcher.clock.now_ms());
                let (lineage, marks) = Lineage::begin(from, listed, now_ms);
                followed.lineage.replace(lineage);
                for (shard, mark) in marks {
                    self.save(stream, &shard, Some(&mark)).await?;
                }
            }
        }
        self.read_ready(followed, tasks);
        tasks.push(Box::pin(self.list(followed)));
        Ok(())
    }

    /// Acts on what a task has brought.
    async fn act<'t>(&'t self, event: Event<'f>, tasks: &Tasks<'t, 'f>) -> Result<(), Fatal> {
        match event {
            Event::Listed(followed, listed) => {
                self.learn(followed, listed).await?;
                self.read_ready(followed, tasks);
                followed.is_list_awaited.set(false);
                tasks.push(Box::pin(self.list(followed)));
                self.stop_if_done();
            }
            Event::Drained(followed, shard) => {
                // Its children may not have been there when the shards were last listed.
                followed.is_list_wanted.set(true);
                followed.lineage.borrow_mut().drained(&shard);
                self.read_ready(followed, tasks);
                self.quiet.borrow_mut().close(&followed.stream.arn, &shard);
            }
            Event::Renewed => tasks.push(Box::pin(self.renew())),
            Event::Stopped => {}
        }
        Ok(())
    }

    /// Learns which shards a stream has now, and forgets those that are no more.
    async fn learn(&self, followed: &Followed<'_>, listed: Vec<Shard>) -> Result<(), Fatal> {
        let Missing { drained, unread } = followed.lineage.borrow_mut().update(listed);
        for shard in &unread {
            let what = format!("shard `{shard}` was trimmed before it was read to its end");
            self.lost(followed.stream, &what);
        }
        for shard in drained.iter().chain(&unread) {
            self.save(followed.stream, shard, None).await?;
        }
        Ok(())
    }

    /// Begins to read the shards that may be read now.
    fn read_ready<'t>(&'t self, followed: &'f Followed<'f>, tasks: &Tasks<'t, 'f>) {
        for ready in followed.lineage.borrow_mut().take_ready() {
            self.quiet.borrow_mut().open(&followed.stream.arn, &ready.shard);
            tasks.push(Box::pin(async move {
                let shard = ready.shard.clone();
                let is_drained = self.read_shard(followed.stream, ready).await?;
                Ok(if is_drained { Event::Drained(followed, shard) } else { Event::Stopped })
            }));
        }
    }

    /// Lists a stream's shards once some time has passed, or at once if they are wanted.
    async fn list(&self, followed: &'f Followed<'f>) -> Result<Event<'f>, Fatal> {
        self.rest(LIST_PAUSE_MS, || followed.is_list_wanted.get()).await;
        followed.is_list_awaited.set(true);
        followed.is_list_wanted.set(false);
        let source = self.watcher.source;
        let listed = self.patiently(followed.stream, || source.shards(followed.stream)).await?;
        Ok(listed.map_or(Event::Stopped, |listed| Event::Listed(followed, listed)))
    }

    /// Renews the leases once some time has passed.
    async fn renew(&self) -> Result<Event<'f>, Fatal> {
        self.rest(RENEW_PAUSE_MS, || false).await;
        if self.watcher.stop.is_set() {
            return Ok(Event::Stopped);
        }
        match self.watcher.keeper.renew().await {
            // The lease lasts for some attempts more.
            Ok(()) | Err(KeepError::Retry(_)) => Ok(Event::Renewed),
            Err(KeepError::Fatal(what)) => Err(Fatal(what)),
        }
    }

    /// Stops if no more is wanted than what there is, and all of it has been read.
    pub(super) fn stop_if_done(&self) {
        let is_settled = |it: &Followed<'_>| !it.is_list_wanted.get() && !it.is_list_awaited.get();
        if self.watcher.options.once
            && self.followed.iter().all(is_settled)
            && self.quiet.borrow().is_quiet()
        {
            self.watcher.stop.set();
        }
    }

    /// Keeps a shard's mark. Even where a stop was asked for, this is tried for a while.
    pub(super) async fn save(
        &self,
        stream: &Stream,
        shard: &str,
        mark: Option<&Mark>,
    ) -> Result<(), Fatal> {
        for attempt in 0.. {
            match self.watcher.keeper.save(stream, shard, mark).await {
                Ok(()) => break,
                Err(KeepError::Fatal(what)) => return Err(Fatal(what)),
                Err(KeepError::Retry(what)) => {
                    if self.watcher.stop.is_set() && attempt >= LAST_SAVES_MAX {
                        return Err(Fatal(format!("the last checkpoint was not kept: {what}")));
                    }
                    self.delay(stream, &what, attempt).await;
                }
            }
        }
        Ok(())
    }

    /// Makes a request until it is answered; nothing if a stop is asked for before.
    async fn patiently<T, E: Into<Attempt>, F: Future<Output = Result<T, E>>>(
        &self,
        stream: &Stream,
        request: impl Fn() -> F,
    ) -> Result<Option<T>, Fatal> {
        for attempt in 0.. {
            if self.watcher.stop.is_set() {
                break;
            }
            match request().await.map_err(Into::into) {
                Ok(answer) => return Ok(Some(answer)),
                Err(Attempt::Fatal(what)) => return Err(Fatal(what)),
                Err(Attempt::Retry(what)) => self.delay(stream, &what, attempt).await,
            }
        }
        Ok(None)
    }

    /// Waits before a request is made again.
    pub(super) async fn delay(&self, stream: &Stream, what: &str, attempt: u32) {
        let pause_ms = pause_ms(attempt);
        (self.tell)(Told::Delayed { stream, what, pause_ms });
        self.rest(pause_ms, || false).await;
    }

    /// Waits for some time, until this is so, or until a stop is asked for.
    pub(super) async fn rest(&self, pause_ms: i64, is_over: impl Fn() -> bool) {
        let clock = self.watcher.clock;
        let until_ms = clock.now_ms().saturating_add(pause_ms);
        while !self.watcher.stop.is_set() && !is_over() && clock.now_ms() < until_ms {
            clock.sleep_until_ms(until_ms.min(clock.now_ms() + STOP_PAUSE_MS)).await;
        }
    }

    /// Says that records were lost.
    pub(super) fn lost(&self, stream: &Stream, what: &str) {
        (self.tell)(Told::Lost { stream, what });
    }
}

/// Why a request was not answered, whatever it was.
enum Attempt {
    Retry(String),
    Fatal(String),
}

impl From<KeepError> for Attempt {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Retry(what) => Self::Retry(what),
            KeepError::Fatal(what) => Self::Fatal(what),
        }
    }
}

impl From<StreamError> for Attempt {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Retry(what) => Self::Retry(what),
            // A stream is there for a day after it was turned off, or its table deleted.
            StreamError::Gone(what) => Self::Fatal(format!(
                "{what}\nhelp: the stream or its table was deleted: begin again to follow a new one"
            )),
            StreamError::ExpiredIterator(what)
            | StreamError::Trimmed(what)
            | StreamError::Fatal(what) => Self::Fatal(what),
        }
    }
}
