//! The audit of random tables under random rules, judged by the independent oracle.

use std::fmt::Write as _;

use fastrand::Rng;
use referee::audit::{self, Archives, Dump, Options, Progress};
use referee::integrity::finding::Finding;
use referee::rules::model::Rules;

use kit::oracle::{self, Audited, ItemName, Oracle};
use kit::planted;

use crate::schema::Schema;

/// The maximum number of items of an entity.
const PER_ENTITY: usize = 12;

/// Audits the random table of a seed. Returns the number of findings, or how the audit and the
/// oracle disagree; `None` if the rules of the seed are refused.
pub(crate) fn audit(seed: u64, folder: &std::path::Path) -> Option<Result<usize, String>> {
    let mut rng = Rng::with_seed(seed);
    let text = Schema::rich(&mut rng).text();
    let source = referee::rules::RuleSource { name: "rules".to_owned(), text: text.clone() };
    let rules = referee::rules::load(&source, &|_| None).rules?;
    let tables = planted::tables(&rules, PER_ENTITY, &mut rng);
    let file = folder.join(format!("{seed}.json"));
    std::fs::write(&file, serde_json::to_string(&tables).unwrap()).unwrap();
    let found = audited(&rules, &file, rng.bool());
    std::fs::remove_file(&file).unwrap();
    let expected = Oracle::new(&rules, tables).audited();
    Some(agree(&found, &expected).map_err(|words| format!("seed {seed}: {words}\n{text}")))
}

fn audited(rules: &Rules, file: &std::path::Path, is_spilled: bool) -> Vec<Audited> {
    let archive = Archives(vec![Box::new(Dump::open(file, rules).unwrap())]);
    let options = Options {
        threads: 2,
        memory_bytes_max: if is_spilled { 0 } else { usize::MAX },
        temporary: std::env::temp_dir(),
        reports_unknown: false,
    };
    let mut found = Vec::new();
    let each = |finding: Finding| {
        found.push(as_expected(&finding));
        Ok(())
    };
    let done = audit::audit(rules, &archive, &options, &Progress::default(), each).unwrap();
    assert_eq!(done.problems, []);
    found.sort();
    found
}

fn as_expected(finding: &Finding) -> Audited {
    let name = |item: &referee::integrity::finding::ItemName| ItemName {
        table: item.table,
        key: item.key.clone(),
    };
    oracle::Audited {
        rule: finding.rule.clone(),
        kind: finding.kind().name().to_owned(),
        referencing: name(finding.referencing.as_ref().unwrap()),
        referenced: finding.referenced.as_ref().map(name),
    }
}

/// Compares findings; several findings with the same items count as one.
fn agree(found: &[Audited], expected: &[Audited]) -> Result<usize, String> {
    let mut words = String::new();
    for finding in found.iter().filter(|finding| !expected.contains(finding)) {
        let _ = writeln!(words, "the audit reports without a reason: {finding:?}");
    }
    for finding in expected.iter().filter(|finding| !found.contains(finding)) {
        let _ = writeln!(words, "the audit does not report {finding:?}");
    }
    if words.is_empty() { Ok(found.len()) } else { Err(words) }
}
