//! Audits pages of a table, stage by stage.
//!
//! An audit applies the rules to items that exist, instead of to changes. It reads the targets,
//! sources and mirrors of a page's items together, and looks again at what seems wrong after the
//! grace period, so that items that change meanwhile cause no false alarm.

use super::Engine;
use super::detect::{ReadItem, detect_at_rest};
use super::event::change::Cause;
use super::report::Report;
use super::report::outcome::Outcome;
use super::report::violation::Response;
use super::resolve::{resolve_mirrors, resolve_references};
use super::services::Services;
use super::verify::{first_look_at_rest, longest_grace_ms, second_look_at_rest};
use crate::data::{Item, item_bytes};
use crate::integrity::change::Change;
use crate::integrity::index::Projection;
use crate::rules::model::{EntityId, TableId};
use crate::runtime::clock::Clock;
use crate::runtime::error::Fatal;
use crate::runtime::meter::Metered;
use crate::runtime::pass::Pass;
use crate::store::scan::{Scan, Scanner};
use crate::store::{Page, Store, StoreError};

/// The maximum number of items on a page. A page has up to 1 MB, and if its items are small, checking
/// them takes fifty times as much memory.
const PAGE_ITEMS_MAX: u32 = 5_000;

/// The number and the size of suspicious items at which no further page is read. They are kept until
/// the second look.
const SUSPICIOUS_ITEMS_MAX: usize = 5_000;
const SUSPICIOUS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The share of the time in which pages are read and the grace period passes, in tenths. The rest is
/// for the second look and the repairs. An audit that used all the time would also seem to be a
/// function that is about to exceed its timeout.
const READING_TENTHS: i64 = 7;

/// A part of a table: what is left of a segment of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The table.
    pub table: TableId,
    /// The segment, from zero.
    pub segment: u32,
    /// The number of segments.
    pub segments: u32,
    /// The key after which the part begins; `None` for the whole segment.
    pub start: Option<Item<'static>>,
    /// The number of read units after which no further page is read. At least one page is read, and
    /// the second look costs units of its own.
    pub read_units_max: Option<f64>,
}

/// What an audit has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// What it found and wrote on the pages that are done, and the cost of all requests. Repairs are
    /// included even if other work on their page is not done.
    pub outcome: Outcome,
    /// How many pages are done.
    pub pages: usize,
    /// How many items are on these pages.
    pub items: usize,
    /// The key after which the audit continues; `None` if the part is done.
    pub next: Option<Item<'static>>,
    /// Why the page after `next` is not done, if an error prevented it.
    pub error: Option<String>,
}

impl Engine {
    /// Audits a part of a table, as far as the deadline and the read units allow.
    ///
    /// Repairs are made in the modes of the rules. A fatal error, such as a deadline before the end
    /// of the longest grace period, is returned.
    pub async fn audit<S: Store + Scanner, C: Clock>(
        &self,
        part: Part,
        services: Services<'_, S, C>,
    ) -> Result<Audited, Fatal> {
        let Self { rules, index, .. } = self;
        let Services { store, clock, repairs, .. } = services;
        let store = Metered::new(store);
        let pass = Pass { rules, index, store: &store, clock, repairs };
        let grace_ms = longest_grace_ms(rules);
        if let Some(left_ms) = left_ms(clock).filter(|left_ms| *left_ms <= grace_ms) {
            return Err(Fatal(format!(
                "an audit must wait for the longest grace period of the rules, {grace_ms} ms, but \
                 only {left_ms} ms are left\nhelp: raise the timeout"
            )));
        }
        let mut report = Report::default();
        let scanned = self.scan(part, pass, grace_ms, &mut report).await?;
        self.confirm(&scanned.suspicious, pass, grace_ms, &mut report).await?;
        Ok(scanned.finish(report, &store))
    }

    /// Reads page after page, and looks at the items for the first time.
    async fn scan<S: Store + Scanner, C: Clock>(
        &self,
        part: Part,
        pass: Pass<'_, Metered<'_, S>, C>,
        grace_ms: i64,
        report: &mut Report,
    ) -> Result<Scanned, Fatal> {
        let last_ms = left_ms(pass.clock).map(|left_ms| {
            let spare_ms = left_ms / 10 * READING_TENTHS - grace_ms;
            pass.clock.now_ms() + spare_ms.max((left_ms - grace_ms) / 4)
        });
        let units_max = part.read_units_max.unwrap_or(f64::INFINITY);
        let mut scanned = Scanned { starts: vec![part.start.clone()], ..Scanned::default() };
        let has_room = |scanned: &Scanned| {
            last_ms.is_none_or(|last_ms| pass.clock.now_ms() < last_ms)
                && pass.store.units().read < units_max
                && scanned.suspicious.len() < SUSPICIOUS_ITEMS_MAX
                && scanned.suspicious_bytes < SUSPICIOUS_BYTES_MAX
        };
        loop {
            let units_left = units_max - pass.store.units().read;
            let request = self.request(&part, scanned.next(), units_left);
            let page = match pass.store.scan(request).await {
                Ok(answer) => answer.value,
                // The request is the same for every page, apart from its start.
                Err(StoreError::Rejected(error)) => return Err(Fatal(error)),
                Err(error) => {
                    report.fail(error, &Cause::Page { index: scanned.pages() })?;
                    break;
                }
            };
            let is_last = page.next.is_none();
            self.look(part.table, page, &mut scanned, pass, report).await?;
            if is_last || report.first_unfinished_page().is_some() || !has_room(&scanned) {
                break;
            }
        }
        Ok(scanned)
    }

    fn request(&self, part: &Part, start: Option<Item<'static>>, units_left: f64) -> Scan {
        // Looking up an item's target costs about a unit.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates"
        )]
        let limit = (units_left.ceil() as u32).clamp(1, PAGE_ITEMS_MAX);
        Scan {
            table: self.rules[part.table].name.clone(),
            segment: part.segment,
            segments: part.segments,
            attributes: self.projection(part.table).names(),
            limit: Some(limit),
            is_consistent: false,
            start,
        }
    }

    /// The attributes that the rules look at in a table's items.
    fn projection(&self, table: TableId) -> Projection {
        let key = &self.rules[table].key;
        let mut projection: Projection = key.names().map(str::to_owned).collect();
        for (position, entity) in self.rules.entities.iter().enumerate() {
            if entity.table == table {
                projection.extend(self.index.projection(EntityId(position)));
            }
        }
        projection
    }

    /// Adds a page, and keeps those of its items that look wrong.
    async fn look(
        &self,
        table: TableId,
        page: Page,
        scanned: &mut Scanned,
        pass: Pass<'_, impl Store, impl Clock>,
        report: &mut Report,
    ) -> Result<(), Fatal> {
        let index = scanned.pages();
        scanned.items.push(page.items.len());
        scanned.starts.push(page.next);
        let schema = &self.rules[table].key;
        let items = page.items.into_iter().map(|item| {
            let key = schema.key_of(&item).map_err(|error| {
                let name = &self.rules[table].name;
                Fatal(format!("table `{name}` has another key than the rule file: {error}"))
            })?;
            let key = key.into_owned();
            let change = Change { table, key, before: None, after: Some(item) };
            Ok(ReadItem { change, page: index })
        });
        let mut items: Vec<ReadItem> = items.collect::<Result<_, Fatal>>()?;
        let mut checks = detect_at_rest(&self.rules, &self.index, &items);
        checks.rejected.drain(..).for_each(|rejected| report.reject(rejected));
        let suspicious = first_look_at_rest(pass, checks, report).await?;
        items.retain(|item| suspicious.contains(&item.change.key));
        let bytes = items.iter().filter_map(|item| item.change.after.as_ref()).map(item_bytes);
        scanned.suspicious_bytes += bytes.sum::<usize>();
        scanned.suspicious.append(&mut items);
        Ok(())
    }

    /// Waits for the grace period, looks at the suspicious items again, and resolves what is
    /// confirmed.
    async fn confirm(
        &self,
        suspicious: &[ReadItem],
        pass: Pass<'_, impl Store, impl Clock>,
        grace_ms: i64,
        report: &mut Report,
    ) -> Result<(), Fatal> {
        if suspicious.is_empty() {
            return Ok(());
        }
        if left_ms(pass.clock).is_some_and(|left_ms| left_ms <= grace_ms) {
            let why = "the grace period is not over before the deadline";
            for item in suspicious {
                report.fail(StoreError::Retry(why.to_owned()), &item.cause())?;
            }
            return Ok(());
        }
        pass.clock.sleep_until_ms(pass.clock.now_ms().saturating_add(grace_ms)).await;
        let checks = detect_at_rest(&self.rules, &self.index, suspicious);
        let confirmed = second_look_at_rest(pass, checks, report).await?;
        resolve_references(pass, confirmed.references, report).await?;
        resolve_mirrors(pass, confirmed.mirrors, report).await
    }
}

/// The time until the deadline, if there is one, in milliseconds.
fn left_ms(clock: &impl Clock) -> Option<i64> {
    clock.deadline_ms().map(|deadline_ms| deadline_ms.saturating_sub(clock.now_ms()))
}

/// The pages that were read.
#[derive(Debug, Default)]
struct Scanned {
    /// Where each page begins, and last where the page after them does; `None` at the beginning and
    /// the end of the segment.
    starts: Vec<Option<Item<'static>>>,
    /// How many items each page has.
    items: Vec<usize>,
    /// The items that look wrong.
    suspicious: Vec<ReadItem>,
    /// Their size.
    suspicious_bytes: usize,
}

impl Scanned {
    /// How many pages were read.
    const fn pages(&self) -> usize {
        self.items.len()
    }

    /// Where the next page begins.
    fn next(&self) -> Option<Item<'static>> {
        self.starts.last().cloned().flatten()
    }

    /// What the audit has done.
    fn finish<S>(self, report: Report, store: &Metered<'_, S>) -> Audited {
        let unfinished = report.first_unfinished_page();
        let mut outcome = report.finish(store);
        let pages = unfinished.as_ref().map_or(self.pages(), |(index, _)| *index);
        // The other pages will be audited again, but what is repaired will not be found again.
        outcome.violations.retain(|it| {
            it.occurrence.position < pages || it.resolution.response == Response::Repaired
        });
        outcome.planned.retain(|write| write.position < pages);
        outcome.rejected.retain(|rejected| rejected.position < pages);
        Audited {
            outcome,
            pages,
            items: self.items.iter().take(pages).sum(),
            next: self.starts.get(pages).cloned().flatten(),
            error: unfinished.map(|(_, reason)| reason),
        }
    }
}
