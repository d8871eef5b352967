//! Compares the rule file with the real tables.

use crate::cli::live::{configured, runtime};
use crate::cli::{Context, Failure, rule_file};
use crate::preflight::{differences, indexed_mirrors, ttl_notes, with_ttl};
use crate::rules::{Diagnostic, Locations, RuleSource, Rules};
use crate::store::DynamoDb;
use crate::store::description::Described;

/// The result of comparing the rules with the tables.
#[derive(Default)]
struct Comparison {
    problems: Vec<Diagnostic>,
    /// Remarks that are not problems.
    notes: Vec<String>,
    /// Why tables could not be compared, such as a missing permission.
    hidden: Vec<String>,
}

/// Reads the rule file, compares it with its tables, and reports all problems together.
pub(super) fn check(
    endpoint_url: Option<&str>,
    context: &mut Context<'_>,
) -> Result<Rules, Failure> {
    let mut comparison = Comparison::default();
    let compare = |source: &RuleSource, rules: &Rules| {
        comparison = runtime()?.block_on(compare(endpoint_url, source, rules))?;
        Ok(std::mem::take(&mut comparison.problems))
    };
    let checked = rule_file::check_with(context, compare);
    for note in &comparison.notes {
        context.output.message(&format!("note: {note}\n"))?;
    }
    match (checked, comparison.hidden.as_slice()) {
        (checked, []) => checked,
        (Ok(_), hidden) => Err(Failure::Incomplete(hidden.join("\n"))),
        (Err(failure), hidden) => {
            context.output.message(&format!("incomplete: {}\n", hidden.join("\n")))?;
            Err(failure)
        }
    }
}

async fn compare(
    endpoint_url: Option<&str>,
    source: &RuleSource,
    rules: &Rules,
) -> Result<Comparison, Failure> {
    let store = DynamoDb::new(&configured(endpoint_url, None).await?);
    let (mut described, mut hidden) = (Vec::new(), Vec::new());
    for table in &rules.tables {
        let table = store.describe(&table.name).await?;
        if let Described::Hidden(why) = &table {
            hidden.push(why.clone());
        }
        described.push(table);
    }
    let places = Locations::of(source);
    let warnings = indexed_mirrors(rules, &described);
    let differences = differences(rules, &described);
    let problems =
        differences.iter().chain(&warnings).map(|it| it.diagnostic(rules, &places)).collect();
    let mut notes = Vec::new();
    for id in with_ttl(rules) {
        if matches!(described.get(id.0), Some(Described::Table(_))) {
            let found = store.time_to_live(&rules[id].name).await?;
            notes.extend(ttl_notes(rules, id, &found));
        }
    }
    Ok(Comparison { problems, notes, hidden })
}
