//! What is known before real tables are scanned: whether they match the rules, and what the scan
//! will cost.

use std::time::Duration;

use crate::audit::live::estimate::{self, Bytes, Estimate, PRICE_ASSUMPTION, ScannedTable, Span};
use crate::cli::tables::count;
use crate::cli::{Context, Failure};
use crate::preflight::differences;
use crate::rules::codes;
use crate::rules::model::Rules;
use crate::store::DynamoDb;
use crate::store::description::{Described, Size};

/// Describes the tables, and compares their keys with the rules. A table that may not be described
/// is unknown.
pub(super) async fn describe(
    store: &DynamoDb,
    rules: &Rules,
    context: &mut Context<'_>,
) -> Result<Vec<Option<ScannedTable>>, Failure> {
    let mut described = Vec::new();
    for table in &rules.tables {
        let table = store.describe(&table.name).await?;
        if let Described::Hidden(why) = &table {
            let note = "note: the size of a table is not known, nor is its key checked";
            context.output.message(&format!("{note}: {why}\n"))?;
        }
        described.push(table);
    }
    let mut differences = differences(rules, &described);
    differences.retain(|it| [&codes::TABLE_MISSING, &codes::TABLE_KEY].contains(&it.code));
    if !differences.is_empty() {
        let texts: Vec<String> = differences.iter().map(ToString::to_string).collect();
        let summary = "the tables do not match the rule file";
        return Err(Failure::Usage(format!("{summary}\n{}", texts.join("\n"))));
    }
    let scanned = described.into_iter().zip(&rules.tables).map(|(described, table)| {
        let Described::Table(description) = described else { return None };
        let (name, size, reads) = (table.name.clone(), description.size, description.reads);
        Some(ScannedTable { name, size, reads })
    });
    Ok(scanned.collect())
}

/// Says what the scan will cost.
pub(super) fn announce(
    estimate: &Estimate,
    (rate, within): (Option<f64>, Option<Duration>),
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for ScannedTable { name, size: Size { items, bytes }, .. } in &estimate.tables {
        let bytes = Bytes(estimate::float(*bytes));
        lines.push(format!("table `{name}`: {items} items, {bytes}"));
    }
    let time = rate.map(|rate| (Span(estimate.seconds(rate)), rate));
    let time = time.map(|(span, rate)| format!(", and takes {span} at {rate} a second"));
    let (units, time) = (estimate.read_units(), time.unwrap_or_default());
    lines.push(format!("the scan consumes about {}{time}", count(units, "read unit")));
    lines.push("note: DynamoDB updates the sizes of tables about every six hours".to_owned());
    match estimate.price_usd() {
        0.0 => {}
        price if price < 0.01 => {
            lines.push(format!("price: less than $0.01 ({PRICE_ASSUMPTION})"));
        }
        price => lines.push(format!("price: about ${price:.2} ({PRICE_ASSUMPTION})")),
    }
    let warnings = estimate.warnings(rate, within);
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    context.output.message(&(lines.join("\n") + "\n"))?;
    Ok(context.output.flush()?)
}
