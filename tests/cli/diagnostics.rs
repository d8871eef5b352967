//! The diagnostics of rule files: every code, its examples, and the mistakes of a new user.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use referee::cli;
use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::preflight::differences;
use referee::rules::{self, Code, Diagnostic, Level, Loaded, Places, RuleSource, codes};
use referee::store::description::{Described, DescribedIndex, Description};

fn source(name: &str, text: &str) -> RuleSource {
    RuleSource { name: name.to_owned(), text: text.to_owned() }
}

fn load(text: &str) -> Loaded {
    rules::load(&source("referee.yaml", text), &|_| None)
}

fn codes_of(diagnostics: &[Diagnostic]) -> BTreeSet<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.id).collect()
}

/// The problems with the file itself, which no example can show.
fn problems_of_files() -> Vec<Diagnostic> {
    let absent = std::io::Error::from(std::io::ErrorKind::NotFound);
    vec![
        rules::unreadable(&absent),
        RuleSource::from_bytes("referee.yaml", b"version: \xff".to_vec()).unwrap_err(),
    ]
}

/// The problems with real tables, which no example can show either.
fn problems_of_tables() -> Vec<Diagnostic> {
    const RULES: &str = r#"version: 1
tables:
  app: { key: [pk, sk] }
entities:
  user: { table: app, key: { pk: "user#{email}", sk: profile } }
  task: { table: app, key: { pk: "task#{id}", sk: task }, attributes: { owner: S } }
references:
  task_owner:
    from: task
    to: user
    on: { email: "{owner}" }
    find: { index: by_owner, key: { owner: "{email}" } }
"#;
    let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
    let key = KeySchema { partition: attribute("id"), sort: None };
    let index = DescribedIndex {
        name: "by_owner".to_owned(),
        is_global: true,
        status: "ACTIVE".to_owned(),
        key: Some(key.clone()),
    };
    let table = |indexes| {
        let status = "CREATING".to_owned();
        Described::Table(Description { status, key: key.clone(), indexes, stream_view: None })
    };
    let source = source("referee.yaml", RULES);
    let rules = load(RULES).rules.unwrap();
    let places = Places::of(&source);
    let tables = [Described::Missing, table(Vec::new()), table(vec![index])];
    let differences = tables.into_iter().flat_map(|table| differences(&rules, &[table]));
    let problems: Vec<_> = differences.map(|it| it.diagnostic(&rules, &places)).collect();
    assert!(problems.iter().all(|problem| problem.span().is_some()));
    problems
}

#[test]
fn every_code_has_an_example_that_shows_it() {
    let mut shown = codes_of(&problems_of_files());
    shown.extend(codes_of(&problems_of_tables()));
    for code in codes::ALL {
        let Some(wrong) = code.wrong else { continue };
        let found = codes_of(&load(&codes::complete(wrong)).diagnostics);
        assert!(found.contains(code.id), "the wrong example of {} shows {found:?}", code.id);
        shown.insert(code.id);
    }
    let all: BTreeSet<_> = codes::ALL.iter().map(|code| code.id).collect();
    assert_eq!(shown, all);
    assert_eq!(all.len(), codes::ALL.len(), "two codes have one id");
}

#[test]
fn every_mended_example_is_clean() {
    // Examples are short, and do not use all that they declare.
    let tolerated = BTreeSet::from([codes::UNUSED_TABLE.id, codes::UNUSED_ENTITY.id]);
    for code in codes::ALL {
        let loaded = load(&codes::complete(code.right));
        let found = codes_of(&loaded.diagnostics);
        let unexpected: Vec<_> =
            found.iter().filter(|id| **id == code.id || !tolerated.contains(*id)).collect();
        assert!(unexpected.is_empty(), "the right example of {} shows {unexpected:?}", code.id);
        assert!(loaded.rules.is_some(), "{}", code.id);
    }
}

#[test]
fn codes_are_in_the_order_of_their_numbers() {
    let ids: Vec<_> = codes::ALL.iter().map(|code| code.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn the_documentation_lists_every_code() {
    let mut document = String::from(
        "# Diagnostics\n\n\
         `referee check` finds all the problems of a rule file. Each has a code, `E` for errors and `W`\n\
         for warnings, and `referee explain CODE` prints what is said here. With errors, the rules cannot\n\
         be used and the exit code is 2.\n\n\
         The examples leave out what does not matter to them. They stand for this file, in which their\n\
         sections replace the ones of the same name:\n\n",
    );
    document.extend(["```yaml\n", codes::PRELUDE, "```\n"]);
    for code in codes::ALL {
        document.extend(["\n", &cli::markdown(code)]);
    }
    expect_file!["../../docs/diagnostics.md"].assert_eq(&document);
}

/// What `referee check` says about a file.
fn report(path: &Path) -> String {
    let name = path.file_name().unwrap().to_str().unwrap();
    let source = match RuleSource::from_bytes(name, std::fs::read(path).unwrap()) {
        Ok(source) => source,
        Err(problem) => return cli::human(&source(name, ""), &problem, false) + "\n",
    };
    let loaded = rules::load(&source, &|_| None);
    let mut report = String::new();
    for diagnostic in &loaded.diagnostics {
        report += &cli::human(&source, diagnostic, false);
        report += "\n\n";
    }
    let usable = loaded.rules.is_some();
    report + if usable { "The rules can be used.\n" } else { "The rules cannot be used.\n" }
}

fn rule_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rule_files");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "txt"))
        .collect();
    files.sort();
    files
}

#[test]
fn mistakes_are_answered_with_the_mend() {
    let files = rule_files();
    assert!(files.len() > 20);
    for path in files {
        expect_file![path.with_extension("txt")].assert_eq(&report(&path));
    }
}

#[test]
fn one_file_shows_all_its_problems_at_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rule_files/everything.yaml");
    let found = codes_of(&load(&std::fs::read_to_string(path).unwrap()).diagnostics);
    // A file that cannot be read as YAML shows that alone, and so do the problems of files.
    let alone = ["E001", "E002", "E003", "E004", "E005"];
    let of_tables = codes_of(&problems_of_tables());
    let expected: BTreeSet<_> = codes::ALL
        .iter()
        .map(|code| code.id)
        .filter(|id| !alone.contains(id) && !of_tables.contains(id))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_starter_is_clean() {
    let starter = include_str!("../../src/cli/starter.yaml");
    let loaded = load(starter);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.rules.unwrap().references.len(), 3);
}

#[test]
fn errors_and_rules_exclude_each_other() {
    let examples = codes::ALL.iter().flat_map(|code| code.wrong.into_iter().chain([code.right]));
    for example in examples {
        let loaded = load(&codes::complete(example));
        let errors = loaded.diagnostics.iter().any(|it| it.level() == Level::Error);
        assert_eq!(loaded.rules.is_none(), errors, "{example}");
    }
}

/// What the schema says about a rule file.
fn schema_accepts(validator: &jsonschema::Validator, text: &str) -> bool {
    let value: serde_json::Value = yaml(text);
    validator.is_valid(&value)
}

fn yaml(text: &str) -> serde_json::Value {
    // As YAML 1.2 has it, `N` is a text.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).unwrap()
}

/// The rule files of the recorded events.
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let cases = std::fs::read_dir(folder).unwrap();
    let files: Vec<_> = cases
        .map(|case| case.unwrap().path().join("referee.yaml"))
        .filter(|path| path.exists())
        .collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn the_schema_accepts_what_the_check_accepts() {
    let schema = rules::schema();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(schema_accepts(&validator, include_str!("../../src/cli/starter.yaml")));
    for code in codes::ALL {
        assert!(schema_accepts(&validator, &codes::complete(code.right)), "{}", code.id);
    }
    for path in fixtures() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(schema_accepts(&validator, &text), "{}", path.display());
        assert!(load(&text).rules.is_some(), "{}", path.display());
    }
    // The problems of shape are the schema's to find too, and those of meaning are not.
    let of_shape: [&Code; 7] = [
        &codes::VERSION,
        &codes::UNKNOWN_KEY,
        &codes::MISSING_KEY,
        &codes::KIND,
        &codes::WORD,
        &codes::FORM,
        &codes::NAME,
    ];
    for code in of_shape {
        let wrong = codes::complete(code.wrong.unwrap());
        assert!(!schema_accepts(&validator, &wrong), "{}", code.id);
    }
}

#[test]
fn the_schema_is_what_it_was() {
    let schema = format!("{:#}\n", rules::schema());
    expect_file!["../data/schema.json"].assert_eq(&schema);
}
