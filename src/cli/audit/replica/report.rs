//! The differences and the totals, for people and as JSON Lines.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::audit::replica::files::Compared;
use crate::audit::replica::{Difference, Kind, Sides};
use crate::cli::audit::{SHOWN_OF_RULE, unsettled};
use crate::cli::names::{item_name, shown};
use crate::cli::rule_file::counts;
use crate::cli::tables::{count, table};
use crate::cli::{Context, Failure, Outcome};
use crate::data::{Item, KeyValue};
use crate::rules::model::{Rules, TableId};

/// The number of names of attributes that are shown to people for each item.
const NAMES_SHOWN: usize = 5;

/// What only a comparison of real tables has.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct OfTables {
    /// The read units that were consumed on the side of the tables.
    pub(super) read_units: f64,
    /// The read units that were consumed on the side of the replica.
    pub(super) replica_read_units: f64,
    /// Suspects that were the same when they were read again.
    pub(super) cleared: u64,
    /// Suspects that changed each time that they were read.
    pub(super) unsettled: u64,
}

/// Prints differences as they are found, and counts them.
pub(super) struct Reporter<'r, 'c, 'o> {
    rules: &'r Rules,
    limit: Option<usize>,
    context: &'c mut Context<'o>,
    counts: Vec<Counts>,
    /// The first differences of each table, to be shown to people.
    shown: Vec<Difference>,
}

/// The differences of a table, or of all tables.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counts {
    missing: u64,
    extra: u64,
    different: u64,
}

impl Counts {
    const fn total(self) -> u64 {
        self.missing + self.extra + self.different
    }

    const fn add(&mut self, kind: &Kind) {
        *(match kind {
            Kind::Missing => &mut self.missing,
            Kind::Extra => &mut self.extra,
            Kind::Different { .. } => &mut self.different,
        }) += 1;
    }
}

impl<'r, 'c, 'o> Reporter<'r, 'c, 'o> {
    pub(super) fn new(
        rules: &'r Rules,
        limit: Option<usize>,
        context: &'c mut Context<'o>,
    ) -> Self {
        let counts = vec![Counts::default(); rules.tables.len()];
        Self { rules, limit, context, counts, shown: Vec::new() }
    }

    pub(super) fn add(&mut self, difference: Difference) -> Result<(), Failure> {
        let Some(counts) = self.counts.get_mut(difference.table.0) else { return Ok(()) };
        counts.add(&difference.kind);
        let of_table = usize::try_from(counts.total()).unwrap_or(usize::MAX);
        if self.context.json {
            if self.limit.is_none_or(|limit| of_table <= limit) {
                self.context.output.json(&Line::of(self.rules, &difference))?;
            }
        } else if of_table <= self.limit.unwrap_or(SHOWN_OF_RULE) {
            self.shown.push(difference);
        }
        Ok(())
    }

    /// Prints the totals of these tables.
    pub(super) fn finish(
        self,
        tables: &BTreeSet<TableId>,
        compared: &Compared,
        live: Option<OfTables>,
    ) -> Result<Outcome, Failure> {
        let summary = self.summary(tables, compared, live);
        let Self { context, .. } = &self;
        let (is_json, problems) = (context.json, &compared.problems);
        let differences = summary.counts.total();
        let text = (!is_json).then(|| self.text(&summary));
        let Self { context, shown, .. } = self;
        if let Some(text) = text {
            for problem in problems {
                context.output.message(&format!("error: {problem}\n"))?;
            }
            // An interrupted scan has compared nothing: zeros would look like a result.
            if problems.is_empty() || live.is_none() || !shown.is_empty() {
                context.output.result(&text)?;
            }
        } else {
            for problem in problems {
                context.output.json(&crate::cli::audit::Line::problem(problem))?;
            }
            context.output.json(&Line::Summary(summary))?;
        }
        if !problems.is_empty() {
            let problems = counts(&[(problems.len(), "problem")]);
            return Err(Failure::Incomplete(format!("the comparison has {problems}")));
        }
        if differences > 0 {
            return Ok(Outcome::Findings);
        }
        match live.map_or(0, |live| live.unsettled) {
            0 => Ok(Outcome::Clean),
            suspects => Err(unsettled(suspects)),
        }
    }

    fn summary(
        &self,
        tables: &BTreeSet<TableId>,
        compared: &Compared,
        live: Option<OfTables>,
    ) -> Summary<'r> {
        let items = |items: &[u64], table: TableId| items.get(table.0).copied().unwrap_or_default();
        let Compared { items: Sides { original, replica }, problems } = compared;
        let of_table = |table: &TableId| OfTable {
            table: &self.rules[*table].name,
            items: items(original, *table),
            replica_items: items(replica, *table),
            counts: self.counts.get(table.0).copied().unwrap_or_default(),
        };
        let tables: Vec<_> = tables.iter().map(of_table).collect();
        let sum = |of: fn(&OfTable<'_>) -> u64| tables.iter().map(of).sum();
        Summary {
            complete: problems.is_empty() && live.is_none_or(|live| live.unsettled == 0),
            items: sum(|table| table.items),
            replica_items: sum(|table| table.replica_items),
            counts: Counts {
                missing: sum(|table| table.counts.missing),
                extra: sum(|table| table.counts.extra),
                different: sum(|table| table.counts.different),
            },
            problems: problems.len(),
            live,
            tables,
        }
    }

    /// The text of the results: the first differences of each table, the tables, and the totals.
    fn text(&self, summary: &Summary<'_>) -> String {
        let mut text = String::new();
        if !self.shown.is_empty() {
            let _ = writeln!(text, "{}\n", self.differences());
        }
        for ((number, counts), name) in self.counts.iter().enumerate().zip(&self.rules.tables) {
            let of_table = self.shown.iter().filter(|it| it.table.0 == number).count();
            let hidden = counts.total().saturating_sub(of_table as u64);
            if hidden > 0 {
                let _ = writeln!(text, "{}: {hidden} more; --json prints all", name.alias);
            }
        }
        let mut tables =
            table(["table", "items", "in the replica", "missing", "extra", "different"]);
        for OfTable { table, items, replica_items, counts } in &summary.tables {
            let Counts { missing, extra, different } = counts;
            let numbers = [items, replica_items, missing, extra, different];
            let cells = numbers.map(ToString::to_string);
            tables.add_row(std::iter::once((*table).to_owned()).chain(cells));
        }
        let _ = writeln!(text, "{}\n", tables.trim_fmt());
        let Summary { items, replica_items, counts, live, .. } = summary;
        let _ = writeln!(
            text,
            "{}, {replica_items} in the replica: {}",
            count(items, "item"),
            count(counts.total(), "difference"),
        );
        if let Some(OfTables { read_units, replica_read_units, cleared, unsettled }) = live {
            let units = count(read_units, "read unit");
            let _ = writeln!(text, "{units}, {replica_read_units} of the replica");
            if *cleared > 0 {
                let _ = writeln!(text, "{} in order when read again", count(cleared, "suspect"));
            }
            if *unsettled > 0 {
                let suspects = count(unsettled, "suspect");
                let _ = writeln!(text, "{suspects} changed at each look, and could not be judged");
            }
        }
        text
    }

    fn differences(&self) -> String {
        let mut table = table(["difference", "item", "attributes"]);
        let mut differences: Vec<&Difference> = self.shown.iter().collect();
        differences.sort_by_key(|difference| (difference.table, difference.kind.name()));
        for Difference { table: of, key, kind } in differences {
            let names = match kind {
                Kind::Missing | Kind::Extra => String::new(),
                Kind::Different { attributes } => names(attributes),
            };
            table.add_row([kind.name().to_owned(), item_name(self.rules, *of, key), names]);
        }
        table.trim_fmt()
    }
}

/// The first names of attributes.
fn names(attributes: &[String]) -> String {
    let name = |name: &String| shown(&KeyValue::S(name.as_str().into()));
    let mut names: Vec<_> = attributes.iter().take(NAMES_SHOWN).map(name).collect();
    let more = attributes.len().saturating_sub(NAMES_SHOWN);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// One line of machine output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line<'l> {
    /// A difference.
    Difference {
        /// The table's name in DynamoDB.
        table: &'l str,
        /// The key in DynamoDB's JSON.
        key: Item<'static>,
        /// `missing`, `extra` or `different`.
        kind: &'static str,
        /// The names of the attributes that differ.
        #[serde(skip_serializing_if = "Option::is_none")]
        attributes: Option<&'l [String]>,
    },
    /// The totals: always the last line.
    Summary(Summary<'l>),
}

impl<'l> Line<'l> {
    fn of(rules: &'l Rules, Difference { table, key, kind }: &'l Difference) -> Self {
        let table = &rules[*table];
        let attributes = match kind {
            Kind::Missing | Kind::Extra => None,
            Kind::Different { attributes } => Some(attributes.as_slice()),
        };
        let (key, kind) = (table.key.item_of(key), kind.name());
        Self::Difference { table: &table.name, key, kind, attributes }
    }
}

/// The totals of a comparison.
#[derive(Debug, Serialize)]
struct Summary<'s> {
    /// Whether everything was compared and judged.
    complete: bool,
    /// The items of the tables.
    items: u64,
    /// The items of the replica.
    replica_items: u64,
    #[serde(flatten)]
    counts: Counts,
    /// The reasons why the comparison is incomplete.
    problems: usize,
    #[serde(flatten)]
    live: Option<OfTables>,
    /// The tables, in the order of the rule file.
    tables: Vec<OfTable<'s>>,
}

/// The totals of a table.
#[derive(Debug, Serialize)]
struct OfTable<'s> {
    /// The table's name in DynamoDB.
    table: &'s str,
    items: u64,
    replica_items: u64,
    #[serde(flatten)]
    counts: Counts,
}
