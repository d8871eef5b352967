//! The looks at suspects: they are read again on both sides, strongly consistent, and only those
//! that still differ are differences.
//!
//! A write takes time to arrive on the other side, and the two scans see an item at two moments. So
//! a suspect must differ in two looks, in the same way, with a grace period between them. It is in
//! order if both sides are the same in one look, or if one side has at a look what the other one
//! had at the look before: then writes do arrive. What changes at each look is looked at a few
//! times, and then counted as unsettled, but never reported.

use std::iter::Peekable;

use futures_util::future::join;
use futures_util::lock::Mutex;
use futures_util::stream::{self, StreamExt as _};

use super::Suspect;
use crate::audit::live::Interrupted;
use crate::audit::live::error::LiveError;
use crate::audit::replica::content::{Content, ContentHasher, differing};
use crate::audit::replica::{Difference, Kind, Side, Sides};
use crate::data::Item;
use crate::rules::model::Rules;
use crate::runtime::clock::Clock;
use crate::runtime::stop::Stop;
use crate::store::{BATCH_GET_KEYS_MAX, Read, Store, StoreError};

/// The number of suspects that are read together. Their items are in memory at the same time.
const BLOCK: usize = BATCH_GET_KEYS_MAX;
/// The number of blocks that wait for their next look at the same time. What waits is small.
const BLOCKS_WAITING: usize = 400;
/// The maximum number of looks at a suspect.
const LOOKS_MAX: usize = 5;

/// How long a write may take to arrive on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// The time, in milliseconds. It is the wait before each look.
    pub ms: i64,
    /// When the scans ended, in milliseconds since 1970.
    pub scanned_ms: i64,
}

/// How many suspects were what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmed {
    /// The differences.
    pub differences: u64,
    /// Suspects that are in order.
    pub cleared: u64,
    /// Suspects that differed in another way at each look: they change too often to be judged.
    pub unsettled: u64,
}

/// What failed, and on which side.
type Failed = (Side, Interrupted<LiveError>);

/// Looks at suspects.
pub(super) struct Looks<'l, S, T, C> {
    pub(super) rules: &'l Rules,
    /// The tables themselves and their replica.
    pub(super) paced: (&'l S, &'l T),
    pub(super) clock: &'l C,
    pub(super) stop: &'l Stop,
}

impl<S: Store, T: Store, C: Clock> Looks<'_, S, T, C> {
    /// Looks at suspects, and passes on the differences in the order of the suspects.
    pub(super) async fn confirm(
        &self,
        grace: Grace,
        suspects: impl Iterator<Item = Result<Suspect, LiveError>>,
        mut found: impl FnMut(Difference) -> Result<(), LiveError>,
    ) -> Result<Confirmed, Failed> {
        let sink = |error| (Side::Original, Interrupted::Sink(error));
        let mut suspects = suspects.peekable();
        let mut total = Confirmed::default();
        if suspects.peek().is_none() {
            return Ok(total);
        }
        let passed_ms = self.clock.now_ms().saturating_sub(grace.scanned_ms).clamp(0, grace.ms);
        self.stop.wait_ms(self.clock, grace.ms - passed_ms).await;

        let reading = Mutex::new(());
        let blocks = std::iter::from_fn(|| block(&mut suspects).transpose());
        let confirmed = stream::iter(blocks).map(|block| async {
            self.confirm_block(block.map_err(sink)?, grace.ms, &reading).await
        });
        let mut confirmed = std::pin::pin!(confirmed.buffered(BLOCKS_WAITING));
        while let Some(block) = confirmed.next().await {
            let (differences, counts) = block?;
            total.differences += counts.differences;
            total.cleared += counts.cleared;
            total.unsettled += counts.unsettled;
            differences.into_iter().try_for_each(&mut found).map_err(sink)?;
        }
        Ok(total)
    }

    /// Looks at the suspects of a block until each is settled. Only one block reads at a time,
    /// because its items may take much memory.
    async fn confirm_block(
        &self,
        suspects: Vec<Suspect>,
        grace_ms: i64,
        reading: &Mutex<()>,
    ) -> Result<(Vec<Difference>, Confirmed), Failed> {
        let open = |(position, suspect)| Open { position, suspect, before: None };
        let mut open: Vec<Open> = suspects.into_iter().enumerate().map(open).collect();
        let (mut counts, mut differences) = (Confirmed::default(), Vec::new());
        for number in 0..LOOKS_MAX {
            let wait_ms = if number == 0 { 0 } else { grace_ms };
            if !self.stop.wait_ms(self.clock, wait_ms).await {
                return Err((Side::Original, Interrupted::Stopped));
            }
            let seen = {
                let _reading = reading.lock().await;
                self.look(&open).await?
            };
            let mut seen = seen.into_iter();
            open.retain_mut(|open| {
                let Some((now, kind)) = seen.next() else { return true };
                let Some(kind) = kind.filter(|_| !open.has_arrived(now)) else {
                    counts.cleared += 1;
                    return false;
                };
                if open.before.replace(now) != Some(now) {
                    return true;
                }
                let Suspect { table, key } = open.suspect.clone();
                differences.push((open.position, Difference { table, key, kind }));
                false
            });
            if open.is_empty() {
                break;
            }
        }
        differences.sort_by_key(|(position, _)| *position);
        let differences: Vec<_> = differences.into_iter().map(|(_, it)| it).collect();
        counts.differences = count(differences.len());
        counts.unsettled = count(open.len());
        Ok((differences, counts))
    }

    /// Reads the items on both sides. Returns what is there, and how it differs.
    async fn look(&self, suspects: &[Open]) -> Result<Vec<(Seen, Option<Kind>)>, Failed> {
        let (original, replica) = join(
            self.paced.0.batch_get(self.reads(suspects)),
            self.paced.1.batch_get(self.reads(suspects)),
        )
        .await;
        // A stop makes a request that waits for the rate limit fail.
        let failed = |side| move |error| (side, interrupted(self.stop, error));
        let original = original.map_err(failed(Side::Original))?.value;
        let replica = replica.map_err(failed(Side::Replica))?.value;
        let both = original.iter().zip(&replica);
        Ok(both.map(|(one, other)| compare(one.as_ref(), other.as_ref())).collect())
    }

    fn reads(&self, suspects: &[Open]) -> Vec<Read> {
        let read = |Open { suspect: Suspect { table, key }, .. }: &Open| {
            let table = &self.rules[*table];
            Read { table: table.name.clone(), key: table.key.item_of(key), attributes: None }
        };
        suspects.iter().map(read).collect()
    }
}

/// The hashes of an item on both sides, where it exists.
type Seen = Sides<Option<Content>>;

/// A suspect that is neither confirmed nor cleared.
struct Open {
    position: usize,
    suspect: Suspect,
    /// What was there at the look before.
    before: Option<Seen>,
}

impl Open {
    /// Whether one side has now what the other one had at the look before.
    fn has_arrived(&self, now: Seen) -> bool {
        self.before
            .is_some_and(|before| now.replica == before.original || now.original == before.replica)
    }
}

/// What is there, and how it differs if it does.
fn compare(
    original: Option<&Item<'static>>,
    replica: Option<&Item<'static>>,
) -> (Seen, Option<Kind>) {
    let mut hasher = ContentHasher::default();
    let mut hash = |item: Option<&Item<'static>>| item.map(|item| hasher.item(item));
    let seen = Sides { original: hash(original), replica: hash(replica) };
    let kind = match (original, replica) {
        _ if seen.original == seen.replica => None,
        (Some(original), Some(replica)) => {
            let mut hashers = [ContentHasher::default(), ContentHasher::default()];
            let [one, other] = &mut hashers;
            let attributes = differing(one.attributes(original), other.attributes(replica));
            Some(Kind::Different { attributes })
        }
        (Some(_), None) => Some(Kind::Missing),
        (None, _) => Some(Kind::Extra),
    };
    (seen, kind)
}

/// The next block of suspects; `None` at the end.
fn block(
    suspects: &mut Peekable<impl Iterator<Item = Result<Suspect, LiveError>>>,
) -> Result<Option<Vec<Suspect>>, LiveError> {
    let block: Vec<_> = suspects.by_ref().take(BLOCK).collect::<Result<_, _>>()?;
    Ok((!block.is_empty()).then_some(block))
}

fn interrupted(stop: &Stop, error: StoreError) -> Interrupted<LiveError> {
    if stop.is_set() { Interrupted::Stopped } else { Interrupted::Store(error) }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
