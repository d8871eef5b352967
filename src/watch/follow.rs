//! Follows streams: runs the tasks, and decides what to do when a task ends.

use std::cell::{Cell, RefCell};
use std::future::Future;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::keeper::{KeepError, Keeper};
use super::lineage::{Lineage, Missing};
use super::pause::Pauses;
use super::progress::Checkpoint;
use super::quiet::Quiet;
use super::source::RecordSource;
use super::{LEASE_MS, Notice, Options, Stop};
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::store::Store;
use crate::streams::{Shard, Stream, StreamError};

/// The wait before the shards of a stream are listed again. When a shard ends, they are listed at
/// once.
const LIST_PAUSE_MS: i64 = 15_000;
/// The wait before leases are renewed.
const RENEW_PAUSE_MS: i64 = LEASE_MS / 3;
/// The longest time between two checks for a request to stop.
const STOP_PAUSE_MS: i64 = 100;
/// The maximum number of retries to save progress after a stop was requested.
const LAST_SAVES_MAX: u32 = 5;

/// The parts of a watcher.
#[derive(Debug)]
pub struct Watcher<'w, S, D, K, C> {
    /// The engine with its rules.
    pub engine: &'w Engine,
    /// The source of records.
    pub source: &'w S,
    /// The tables.
    pub store: &'w D,
    /// The store of progress.
    pub keeper: &'w K,
    /// The destination of metrics.
    pub metrics: &'w Metrics,
    /// The clock.
    pub clock: &'w C,
    /// How to watch.
    pub options: Options,
    /// The request to stop.
    pub stop: &'w Stop,
}

/// Follows streams until a stop is requested, or with [`Options::once`] until all existing records
/// are read. Calls `notify` for each event.
pub async fn follow<S: RecordSource, D: Store, K: Keeper, C: Clock>(
    watcher: Watcher<'_, S, D, K, C>,
    streams: &[Stream],
    notify: &dyn Fn(Notice<'_>),
) -> Result<(), Fatal> {
    let all: Vec<Followed<'_>> = streams.iter().map(Followed::new).collect();
    let follower = Follower { watcher, followed: &all, quiet: RefCell::default(), notify };
    let ended = follower.run().await;
    follower.watcher.keeper.release().await;
    ended
}

/// A running watcher.
pub(super) struct Follower<'f, S, D, K, C> {
    pub(super) watcher: Watcher<'f, S, D, K, C>,
    followed: &'f [Followed<'f>],
    pub(super) quiet: RefCell<Quiet>,
    pub(super) notify: &'f dyn Fn(Notice<'_>),
}

/// A stream that is followed.
pub(super) struct Followed<'f> {
    pub(super) stream: &'f Stream,
    lineage: RefCell<Lineage>,
    /// Whether its shards must be listed at once.
    needs_list: Cell<bool>,
    /// Whether a list was requested and has not been handled yet.
    awaits_list: Cell<bool>,
}

impl<'f> Followed<'f> {
    fn new(stream: &'f Stream) -> Self {
        Self {
            stream,
            lineage: RefCell::default(),
            needs_list: Cell::default(),
            awaits_list: Cell::default(),
        }
    }
}

/// The result of a task.
enum Completed<'f> {
    /// The shards that a stream currently has.
    Listed(&'f Followed<'f>, Vec<Shard>),
    /// A shard was read to its end.
    Drained(&'f Followed<'f>, String),
    /// The leases were renewed.
    Renewed,
    /// The task ended because a stop was requested.
    Stopped,
}

type Tasks<'t, 'f> = FuturesUnordered<LocalBoxFuture<'t, Result<Completed<'f>, Fatal>>>;

impl<'f, S: RecordSource, D: Store, K: Keeper, C: Clock> Follower<'f, S, D, K, C> {
    /// Runs until all tasks have ended. If one fails, the others finish their current batches.
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
        while let Some(result) = tasks.next().await {
            let handled = match result {
                Ok(event) if !self.watcher.stop.is_set() => self.handle(event, &tasks).await,
                Ok(_) => Ok(()),
                Err(fatal) => Err(fatal),
            };
            if let Err(fatal) = handled {
                self.watcher.stop.set();
                ended = ended.and(Err(fatal));
            }
        }
        ended
    }

    /// Begins to follow a stream, from its saved progress or from the start given in the options.
    async fn begin<'t>(
        &'t self,
        followed: &'f Followed<'f>,
        tasks: &Tasks<'t, 'f>,
    ) -> Result<(), Fatal> {
        let stream = followed.stream;
        let known = self.retrying(stream, || self.watcher.keeper.load(stream)).await?;
        let listed = self.retrying(stream, || self.watcher.source.shards(stream)).await?;
        let (Some(known), Some(listed)) = (known, listed) else { return Ok(()) };
        (self.notify)(Notice::Started { stream, is_resumed: known.progress.is_some() });
        if known.has_unread_ancestor {
            self.lost(stream, "the table has a newer stream than the one in the checkpoint");
        }
        match known.progress {
            Some(progress) => {
                followed.lineage.replace(Lineage::resume(progress));
                self.update_shards(followed, listed).await?;
            }
            // The changes between two streams are lost, so the new stream is read from its start.
            None if known.has_unread_ancestor => self.update_shards(followed, listed).await?,
            None => {
                let (start, now_ms) = (self.watcher.options.start, self.watcher.clock.now_ms());
                let (lineage, checkpoints) = Lineage::begin(start, listed, now_ms);
                followed.lineage.replace(lineage);
                for (shard, checkpoint) in checkpoints {
                    self.save(stream, &shard, Some(&checkpoint)).await?;
                }
            }
        }
        self.read_ready(followed, tasks);
        tasks.push(Box::pin(self.list(followed)));
        Ok(())
    }

    /// Handles the result of a task.
    async fn handle<'t>(
        &'t self,
        event: Completed<'f>,
        tasks: &Tasks<'t, 'f>,
    ) -> Result<(), Fatal> {
        match event {
            Completed::Listed(followed, listed) => {
                self.update_shards(followed, listed).await?;
                self.read_ready(followed, tasks);
                followed.awaits_list.set(false);
                tasks.push(Box::pin(self.list(followed)));
                self.stop_if_done();
            }
            Completed::Drained(followed, shard) => {
                // Its children may not have existed when the shards were last listed.
                followed.needs_list.set(true);
                followed.lineage.borrow_mut().finish(&shard);
                self.read_ready(followed, tasks);
                self.quiet.borrow_mut().close(&followed.stream.arn, &shard);
            }
            Completed::Renewed => tasks.push(Box::pin(self.renew())),
            Completed::Stopped => {}
        }
        Ok(())
    }

    /// Adds a stream's new shards, and forgets the shards that no longer exist.
    async fn update_shards(
        &self,
        followed: &Followed<'_>,
        listed: Vec<Shard>,
    ) -> Result<(), Fatal> {
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

    /// Starts to read the shards that may be read now.
    fn read_ready<'t>(&'t self, followed: &'f Followed<'f>, tasks: &Tasks<'t, 'f>) {
        for ready in followed.lineage.borrow_mut().start_ready() {
            self.quiet.borrow_mut().open(&followed.stream.arn, &ready.shard);
            tasks.push(Box::pin(async move {
                let shard = ready.shard.clone();
                let is_drained = self.read_shard(followed.stream, ready).await?;
                Ok(if is_drained {
                    Completed::Drained(followed, shard)
                } else {
                    Completed::Stopped
                })
            }));
        }
    }

    /// Lists a stream's shards after a wait, or at once if the list is needed.
    async fn list(&self, followed: &'f Followed<'f>) -> Result<Completed<'f>, Fatal> {
        self.rest(LIST_PAUSE_MS, || followed.needs_list.get()).await;
        followed.awaits_list.set(true);
        followed.needs_list.set(false);
        let source = self.watcher.source;
        let listed = self.retrying(followed.stream, || source.shards(followed.stream)).await?;
        Ok(listed.map_or(Completed::Stopped, |listed| Completed::Listed(followed, listed)))
    }

    /// Renews the leases after a wait.
    async fn renew(&self) -> Result<Completed<'f>, Fatal> {
        self.rest(RENEW_PAUSE_MS, || false).await;
        if self.watcher.stop.is_set() {
            return Ok(Completed::Stopped);
        }
        match self.watcher.keeper.renew().await {
            // The lease lasts long enough for more attempts.
            Ok(()) | Err(KeepError::Retry(_)) => Ok(Completed::Renewed),
            Err(KeepError::Fatal(what)) => Err(Fatal(what)),
        }
    }

    /// With [`Options::once`], requests a stop if all existing records have been read.
    pub(super) fn stop_if_done(&self) {
        let is_listed = |it: &Followed<'_>| !it.needs_list.get() && !it.awaits_list.get();
        if self.watcher.options.once
            && self.followed.iter().all(is_listed)
            && self.quiet.borrow().is_quiet()
        {
            self.watcher.stop.set();
        }
    }

    /// Saves a shard's checkpoint. After a request to stop, a failed save is still retried a few
    /// times.
    pub(super) async fn save(
        &self,
        stream: &Stream,
        shard: &str,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), Fatal> {
        let mut pauses = Pauses::new();
        for attempt in 0.. {
            match self.watcher.keeper.save(stream, shard, checkpoint).await {
                Ok(()) => {
                    self.recovered(stream, &pauses);
                    break;
                }
                Err(KeepError::Fatal(what)) => return Err(Fatal(what)),
                Err(KeepError::Retry(error)) => {
                    if self.watcher.stop.is_set() && attempt >= LAST_SAVES_MAX {
                        return Err(Fatal(format!("the last checkpoint was not saved: {error}")));
                    }
                    self.delay(stream, &error, &mut pauses).await;
                }
            }
        }
        Ok(())
    }

    /// Sends a request until it is answered. Returns `None` if a stop is requested first.
    async fn retrying<T, E: Into<RequestError>, F: Future<Output = Result<T, E>>>(
        &self,
        stream: &Stream,
        request: impl Fn() -> F,
    ) -> Result<Option<T>, Fatal> {
        let mut pauses = Pauses::new();
        while !self.watcher.stop.is_set() {
            match request().await.map_err(Into::into) {
                Ok(answer) => {
                    self.recovered(stream, &pauses);
                    return Ok(Some(answer));
                }
                Err(RequestError::Fatal(what)) => return Err(Fatal(what)),
                Err(RequestError::Retry(error)) => self.delay(stream, &error, &mut pauses).await,
            }
        }
        Ok(None)
    }

    /// Reports that a request is answered, if there were waits before.
    pub(super) fn recovered(&self, stream: &Stream, pauses: &Pauses) {
        if pauses.have_begun() {
            (self.notify)(Notice::Recovered { stream });
        }
    }

    /// Waits before a failed request is sent again.
    pub(super) async fn delay(&self, stream: &Stream, error: &str, pauses: &mut Pauses) {
        let pause_ms = pauses.next_ms();
        (self.notify)(Notice::Retrying { stream, error, pause_ms });
        self.rest(pause_ms, || false).await;
    }

    /// Waits for this time, or until `is_over` holds or a stop is requested.
    pub(super) async fn rest(&self, pause_ms: i64, is_over: impl Fn() -> bool) {
        let clock = self.watcher.clock;
        let until_ms = clock.now_ms().saturating_add(pause_ms);
        while !self.watcher.stop.is_set() && !is_over() && clock.now_ms() < until_ms {
            clock.sleep_until_ms(until_ms.min(clock.now_ms() + STOP_PAUSE_MS)).await;
        }
    }

    /// Reports that records were lost.
    pub(super) fn lost(&self, stream: &Stream, what: &str) {
        (self.notify)(Notice::RecordsLost { stream, what });
    }
}

/// Why a request to a keeper or a source failed.
enum RequestError {
    Retry(String),
    Fatal(String),
}

impl From<KeepError> for RequestError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Retry(what) => Self::Retry(what),
            KeepError::Fatal(what) => Self::Fatal(what),
        }
    }
}

impl From<StreamError> for RequestError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Retry(what) => Self::Retry(what),
            // A stream remains for a day after it was disabled or its table was deleted.
            StreamError::Gone(what) => Self::Fatal(format!(
                "{what}\nhelp: the stream or its table was deleted: restart to follow a new stream"
            )),
            StreamError::ExpiredIterator(what)
            | StreamError::Trimmed(what)
            | StreamError::Fatal(what) => Self::Fatal(what),
        }
    }
}
