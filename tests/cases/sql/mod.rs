//! The audit in SQL, on DuckDB and Spark: its findings are those of the native audit, line by line,
//! and those of the independent oracle. The scripts for Athena and Spark are parsed.
//!
//! `tests/tools/with-duckdb.sh` installs DuckDB and sqlglot, and `make test-spark` runs Spark. The
//! tests that do not run at the same time share a process.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]
#![expect(clippy::doc_markdown, reason = "`DuckDB` is a name")]
#![expect(clippy::print_stdout, reason = "a run prints how much it tried")]

mod engine;
mod export;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kit::fixture::rule_files;
use kit::oracle::{Audited, Dump, Oracle, item_name};
use kit::planted;
use libtest_mimic::{Failed, Trial};
use referee::audit::sql::{self, Dialect, Options};
use referee::audit::{self, Archives};
use referee::rules::{self, RuleSource, Rules};
use referee::wording::ViolationLine;
use serde_json::Value as Json;

use engine::{Engine, Engines};

/// How many random tables are drawn for each rule file here. For the rules of each case it is one.
const SEEDS: u64 = 2;

/// The maximum number of items of an entity in a random table.
const PER_ENTITY: usize = 12;

/// How many random tables Spark, which takes seconds for each, checks for each rule file here.
const SEEDS_ON_SPARK: u64 = 1;

/// Returns the trials. Those of an engine are ignored without it.
pub(crate) fn trials() -> Vec<Trial> {
    let duckdb = &Pool::of(Dialect::DuckDb);
    let mut trials = vec![
        trial(duckdb, "cases_have_the_same_findings", cases),
        trial(duckdb, "random_tables_have_the_same_findings", |engine| {
            rule_files().iter().try_for_each(|file| random(engine, file, 1))
        }),
        trial(duckdb, "athena_and_spark_parse", parse),
    ];
    for pool in [duckdb, &Pool::of(Dialect::Spark)] {
        trials.push(trial(pool, "input_that_is_no_table_is_counted", bad_input));
        trials.push(trial(pool, "sources_without_a_mirror_key_are_rejected", rejected));
        for file in own_rule_files() {
            let name = format!("random_tables::{}", file.file_stem().unwrap().display());
            let seeds = if pool.dialect == Dialect::Spark { SEEDS_ON_SPARK } else { SEEDS };
            trials.push(trial(pool, &name, move |engine| random(engine, &file, seeds)));
        }
    }
    trials
}

/// The processes for the tests of a dialect; none if it is not installed.
struct Pool {
    dialect: Dialect,
    engines: Option<Arc<Engines>>,
}

impl Pool {
    fn of(dialect: Dialect) -> Self {
        let variable = format!("REFEREE_TEST_{}", dialect.name().to_uppercase());
        let engines = std::env::var_os(variable).map(|it| Arc::new(Engines::new(dialect, it)));
        Self { dialect, engines }
    }
}

fn trial(
    pool: &Pool,
    name: &str,
    test: impl FnOnce(&Engine) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let engines = pool.engines.clone();
    let is_ignored = engines.is_none();
    let test = move || engines.unwrap().lend(test);
    Trial::test(format!("sql::{}::{name}", pool.dialect.name()), test).with_ignored_flag(is_ignored)
}

/// The tables of every recorded case, before and after it.
fn cases(engine: &Engine) -> Result<(), Failed> {
    let mut count = 0;
    for file in rule_files() {
        for dump in ["seed.json", "after.json"] {
            let Ok(text) = std::fs::read_to_string(file.with_file_name(dump)) else { continue };
            let rules = load(&file);
            let dump = tables::read(&rules, &text);
            count += agree(engine, &rules, &dump, 0)
                .map_err(|it| format!("{}: {it}", file.display()))?;
        }
    }
    println!("sql: the tables of the cases have {count} findings");
    Ok(())
}

/// Random tables with planted violations, under the rules of this file.
fn random(engine: &Engine, file: &Path, seeds: u64) -> Result<(), Failed> {
    let rules = load(file);
    let mut count = 0;
    for seed in 0..seeds {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut dump = planted::tables(&rules, PER_ENTITY, &mut rng);
        tables::vary(&rules, &mut dump, &mut rng);
        let found = agree(engine, &rules, &dump, seed);
        count += found.map_err(|it| format!("{}, seed {seed}: {it}", file.display()))?;
    }
    if seeds > 1 {
        println!("sql: {seeds} random tables of {} have {count} findings", file.display());
    }
    Ok(())
}

/// Compares what an engine, the native audit and the oracle find. Returns the number of findings.
fn agree(engine: &Engine, rules: &Rules, dump: &Dump, seed: u64) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let options = export::write(rules, dump, folder.path(), seed);
    let lines = engine.run(rules, &options)?;
    let lines: Vec<Json> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summaries, lines): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line["type"] == "summary");
    for summary in summaries {
        let count = dump[summary["table"].as_str().unwrap()].len();
        assert_eq!((&summary["lines"], &summary["repeated"]), (&count.into(), &0.into()));
        assert_eq!(summary["unreadable"], 0);
    }
    let lines: Vec<_> = lines.into_iter().filter(|line| line["type"] != "rejected").collect();
    let native = native(rules, dump, folder.path());
    compare("the native audit", &multiset(lines.iter()), &multiset(native.iter()))?;
    let judged: Vec<_> = lines.iter().map(|line| audited(rules, line)).collect();
    let expected = Oracle::new(rules, dump.clone()).audited();
    // The oracle counts the broken elements of an item's reference once.
    let once = |found: &[Audited]| -> BTreeMap<String, usize> {
        found.iter().map(|it| (format!("{it:?}"), 1)).collect()
    };
    compare("the oracle", &once(&judged), &once(&expected))?;
    Ok(lines.len())
}

fn multiset<'l>(lines: impl Iterator<Item = &'l Json>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line.to_string()).or_default() += 1;
    }
    counts
}

fn compare<T: PartialEq>(
    whose: &str,
    found: &BTreeMap<String, T>,
    expected: &BTreeMap<String, T>,
) -> Result<(), String> {
    let only = |one: &BTreeMap<String, T>, other: &BTreeMap<String, T>| {
        let only = one.iter().filter(|(line, count)| other.get(*line) != Some(count));
        only.map(|(line, _)| format!("\n  {line}")).collect::<Vec<_>>().concat()
    };
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "only the SQL finds:{}\nonly {whose} finds:{}",
        only(found, expected),
        only(expected, found)
    ))
}

/// The lines of the native audit, without ids.
fn native(rules: &Rules, dump: &Dump, folder: &Path) -> Vec<Json> {
    let file = folder.join("dump.json");
    std::fs::write(&file, serde_json::to_string(dump).unwrap()).unwrap();
    let archive = Archives(vec![Box::new(audit::Dump::open(&file, rules).unwrap())]);
    let options = audit::Options {
        threads: 1,
        memory_bytes_max: usize::MAX,
        temporary: folder.to_owned(),
        reports_unknown: false,
        now_ms: 0,
    };
    let mut lines = Vec::new();
    let each = |finding| {
        let mut line = serde_json::to_value(ViolationLine::at_rest(rules, &finding)).unwrap();
        let fields = line.as_object_mut().unwrap();
        fields.remove("id");
        fields.insert("type".to_owned(), "violation".into());
        lines.push(line);
        Ok(())
    };
    let done = audit::audit(rules, &archive, &options, &audit::Progress::default(), each).unwrap();
    assert_eq!(done.problems, []);
    lines
}

/// A line as the oracle sees findings.
fn audited(rules: &Rules, line: &Json) -> Audited {
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    Audited {
        rule: text("rule"),
        kind: text("kind"),
        referencing: item_name(rules, &line["referencing"]).unwrap(),
        referenced: item_name(rules, &line["referenced"]),
    }
}

/// Lines that are no items of the table, and items that occur twice, are counted.
fn bad_input(engine: &Engine) -> Result<(), Failed> {
    let rules = load(Path::new("tests/cases/sql/rules/elements.yaml"));
    let folder = tempfile::tempdir()?;
    let lines = [
        r#"{"Item":{"pk":{"S":"post#1"},"sk":{"S":"-"}}}"#,
        r#"{"Item":{"pk":{"S":"post#1"},"sk":{"S":"-"}}}"#,
        r#"{"Item":{"pk":{"S":"post#1"}}}"#,
        r#"{"Item":{"pk":{"N":"1"},"sk":{"S":"-"}}}"#,
        r#"{"Metadata":{},"Keys":{"pk":{"S":"post#1"},"sk":{"S":"-"}}}"#,
    ];
    let options = export::write_lines(&rules, folder.path(), |table| {
        if table == "app" { lines.iter().map(|line| (*line).to_owned()).collect() } else { vec![] }
    });
    let lines = engine.run(&rules, &options)?;
    assert_eq!(
        lines,
        [
            r#"{"type":"summary","table":"app","lines":5,"unreadable":3,"repeated":1}"#,
            r#"{"type":"summary","table":"tag-table","lines":0,"unreadable":0,"repeated":0}"#,
        ]
    );
    Ok(())
}

/// A source whose captures cannot form the mirror's key is reported, as in a replay.
fn rejected(engine: &Engine) -> Result<(), Failed> {
    let rules = load(Path::new("tests/cases/sql/rules/mirrors.yaml"));
    let folder = tempfile::tempdir()?;
    let line = r#"{"Item":{"id":{"N":"1"},"at":{"S":"dated#a|b-01"},"w":{"N":"3"},"v":{"N":"1"}}}"#;
    let options = export::write_lines(&rules, folder.path(), |table| {
        if table == "copies" { vec![line.to_owned()] } else { vec![] }
    });
    let mut lines = engine.run(&rules, &options)?;
    lines.retain(|line| !line.contains("summary"));
    assert_eq!(
        lines,
        [
            r#"{"type":"rejected","rule":"split","item":{"table":"copies","key":{"at":{"S":"dated#a|b-01"},"id":{"N":"1"}}},"error":"mirror `split` cannot be written: `a|b` cannot be `{year}` of a key: the key would be split into other captures"}"#
        ]
    );
    Ok(())
}

/// Other dialects at least have the right syntax.
fn parse(engine: &Engine) -> Result<(), Failed> {
    for file in rule_files().into_iter().chain(own_rule_files()) {
        let rules = load(&file);
        for dialect in [Dialect::Athena, Dialect::Spark] {
            let script = sql::script(&rules, dialect, &Options::default());
            let parsed = engine.parse(dialect, &script);
            parsed.map_err(|it| format!("{}, {}: {it}", file.display(), dialect.name()))?;
        }
    }
    Ok(())
}

fn own_rule_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("tests/cases/sql/rules").unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn load(file: &Path) -> Rules {
    let source = RuleSource::from_bytes("rules", std::fs::read(file).unwrap()).unwrap();
    rules::load(&source, &|_| None).rules.unwrap_or_else(|| panic!("{} is invalid", file.display()))
}
