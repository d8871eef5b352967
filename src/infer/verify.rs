//! Audits the items with the draft, so that the evidence is what an audit reports.

use std::collections::BTreeMap;

use super::design::{Inference, Verdict};
use super::draft::draft;
use super::{InferError, Input};
use crate::audit::{Archive, Problem, Progress, Row, Stop, audit};
use crate::integrity::finding::{Finding, Kind};
use crate::rules::model::{Rules, TableId};
use crate::rules::{Level, RuleSource, load};

/// How many examples of broken references are kept.
const EXAMPLES_MAX: usize = 3;

/// Checks the draft and fills in the counts.
pub(super) fn verify(input: &Input<'_>, inference: &mut Inference) -> Result<(), InferError> {
    comment_out_what_fails(inference);
    let text = draft(inference);
    let Some(rules) = rules(&text) else {
        inference.notes.push(
            "The draft has errors that `referee check` reports; its references were not checked."
                .to_owned(),
        );
        return Ok(());
    };
    let tables: Vec<Option<TableId>> =
        input.tables.iter().map(|table| rules.table_named(&table.name).map(|(id, _)| id)).collect();
    let archive = Renumbered { archive: input.archive, tables };
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let each = |finding: Finding| {
        found.entry(finding.rule.clone()).or_default().add(&rules, &finding);
        Ok(())
    };
    let progress = Progress::default();
    let audited = audit(&rules, &archive, &input.audit, &progress, each)
        .map_err(|stop| InferError::Stopped(stop.to_string()))?;
    let is_sample = inference.is_sample;
    // A rule that leads to several entities is counted for each of them.
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (rule, checked) in rules.references.iter().zip(&audited.tally.references) {
        *counts.entry(&rule.name).or_default() += checked;
    }
    for (rule, checked) in counts {
        let reference = inference.references.iter_mut().find(|it| it.name == rule);
        let Some(reference) = reference else { continue };
        let found = found.remove(rule).unwrap_or_default();
        reference.checked = checked;
        reference.broken = found.broken;
        reference.broken_examples = found.examples;
        reference.verdict = match reference.broken {
            _ if is_sample => Verdict::Sample,
            0 => Verdict::Confirmed,
            _ => Verdict::Broken,
        };
    }
    for (rule, checked) in rules.mirrors.iter().zip(&audited.tally.mirrors) {
        let Some(mirror) = inference.mirrors.iter_mut().find(|it| it.name == rule.name) else {
            continue;
        };
        let found = found.remove(&rule.name).unwrap_or_default();
        mirror.checked = *checked;
        mirror.missing = found.missing;
        mirror.stale = found.stale;
        mirror.extra = found.extra;
        mirror.verdict = match found.missing + found.stale + found.extra {
            _ if is_sample => Verdict::Sample,
            0 => Verdict::Confirmed,
            _ => Verdict::Broken,
        };
    }
    // The audit counts them for all tables together.
    if let [table] = inference.tables.as_mut_slice() {
        table.unknown = audited.tally.unknown;
    }
    Ok(())
}

/// What an audit found about one rule.
#[derive(Debug, Default)]
struct Found {
    broken: u64,
    missing: u64,
    stale: u64,
    extra: u64,
    examples: Vec<String>,
}

impl Found {
    fn add(&mut self, rules: &Rules, finding: &Finding) {
        let count = match finding.kind() {
            Kind::MirrorMissing => &mut self.missing,
            Kind::MirrorStale | Kind::MirrorBlocked => &mut self.stale,
            Kind::MirrorExtra => &mut self.extra,
            Kind::MirrorUnmarked => return,
            Kind::DanglingReference
            | Kind::Orphaned
            | Kind::MissingReference
            | Kind::PartialReference
            | Kind::MalformedReference
            | Kind::FanoutExceeded
            | Kind::DepthExceeded
            | Kind::UnknownItem => &mut self.broken,
        };
        *count += 1;
        let (Some(from), Some(to)) = (&finding.referencing, &finding.referenced) else { return };
        if self.examples.len() < EXAMPLES_MAX {
            let text = |item: &crate::integrity::finding::ItemName| {
                let schema = &rules[item.table].key;
                let item = schema.item_of(&item.key);
                super::sample::key_texts(schema, &item).unwrap_or_default().join(" / ")
            };
            self.examples.push(format!("{} → {}", text(from), text(to)));
        }
    }
}

/// Reads a draft.
fn rules(text: &str) -> Option<Rules> {
    let source = RuleSource::from_bytes("draft", text.as_bytes().to_vec()).ok()?;
    let loaded = load(&source, &|_| None);
    let has_errors = loaded.diagnostics.iter().any(|it| it.level() == Level::Error);
    loaded.rules.filter(|_| !has_errors)
}

/// Comments out every reference and mirror with which the draft would have errors.
fn comment_out_what_fails(inference: &mut Inference) {
    const OBSTACLE: &str = "The rule language cannot express this yet.";
    if rules(&draft(inference)).is_some() {
        return;
    }
    let mut base = inference.clone();
    base.references.clear();
    base.mirrors.clear();
    for entity in &mut base.entities {
        entity.attributes.clear();
    }
    let mut working = base.clone();
    let mut mirrors = Vec::new();
    for mut mirror in inference.mirrors.clone() {
        let mut with = working.clone();
        declare(&mut with, &mirror.source, &mirror.attributes);
        with.mirrors.push(mirror.clone());
        if rules(&draft(&with)).is_some() {
            working = with;
        } else {
            mirror.obstacle = Some(OBSTACLE.to_owned());
        }
        mirrors.push(mirror);
    }
    let mut references = Vec::new();
    for mut reference in inference.references.clone() {
        if reference.is_active() {
            let mut with = working.clone();
            declare(&mut with, &reference.from, &reference.attributes);
            with.references.push(reference.clone());
            if rules(&draft(&with)).is_none() && reference.find != super::Find::None {
                with.references.pop();
                reference.find = super::Find::None;
                with.references.push(reference.clone());
            }
            if rules(&draft(&with)).is_some() {
                working = with;
            } else {
                reference.obstacle = Some(OBSTACLE.to_owned());
            }
        }
        references.push(reference);
    }
    inference.entities = working.entities;
    inference.references = references;
    inference.mirrors = mirrors;
}

/// Declares attributes of an entity.
pub(super) fn declare(inference: &mut Inference, entity: &str, attributes: &[(String, String)]) {
    let Some(entity) = inference.entities.iter_mut().find(|it| it.name == entity) else { return };
    for attribute in attributes {
        if !entity.attributes.contains(attribute) {
            entity.attributes.push(attribute.clone());
        }
    }
    entity.attributes.sort();
}

/// An archive whose tables have the numbers of the rules.
struct Renumbered<'a> {
    archive: &'a dyn Archive,
    tables: Vec<Option<TableId>>,
}

impl Archive for Renumbered<'_> {
    fn chunks(&self) -> u32 {
        self.archive.chunks()
    }

    fn items(&self) -> Option<u64> {
        self.archive.items()
    }

    fn problems(&self) -> Vec<Problem> {
        self.archive.problems()
    }

    fn name(&self, chunk: u32) -> String {
        self.archive.name(chunk)
    }

    fn read(
        &self,
        chunk: u32,
        each: &mut dyn FnMut(Row<'_>) -> Result<(), Stop>,
        problem: &mut dyn FnMut(Problem),
    ) -> Result<(), Stop> {
        let mut each = |row: Row<'_>| match self.tables.get(row.table.0) {
            Some(Some(table)) => each(Row { table: *table, ..row }),
            _ => Ok(()),
        };
        self.archive.read(chunk, &mut each, problem)
    }
}
