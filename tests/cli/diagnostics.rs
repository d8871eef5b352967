//! The diagnostics of rule files: every code with its examples, and the usual mistakes.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use referee::cli;
use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::preflight::{differences, indexed_mirrors};
use referee::rules::{self, Code, Diagnostic, Level, Loaded, Locations, RuleSource, codes};
use referee::store::description::{Described, DescribedIndex, Description, ReadCapacity, Size};
use serde_json::{Value as Json, json};

fn source(name: &str, text: &str) -> RuleSource {
    RuleSource { name: name.to_owned(), text: text.to_owned() }
}

fn load(text: &str) -> Loaded {
    rules::load(&source("referee.yaml", text), &|_| None)
}

fn codes_of(diagnostics: &[Diagnostic]) -> BTreeSet<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.id).collect()
}

/// The problems of the file itself, which no example can show.
fn file_problems() -> Vec<Diagnostic> {
    let absent = std::io::Error::from(std::io::ErrorKind::NotFound);
    vec![
        rules::unreadable(&absent),
        RuleSource::from_bytes("referee.yaml", b"version: \xff".to_vec()).unwrap_err(),
    ]
}

/// The problems of real tables, which no example can show either.
fn table_problems() -> Vec<Diagnostic> {
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
        let reads = ReadCapacity::Provisioned { units_per_second: 1 };
        let (key, size) = (key.clone(), Size::default());
        Described::Table(Description {
            status,
            key,
            indexes,
            stream_view: None,
            stream_arn: None,
            size,
            reads,
        })
    };
    let source = source("referee.yaml", RULES);
    let rules = load(RULES).rules.unwrap();
    let locations = Locations::of(&source);
    let tables = [Described::Missing, table(Vec::new()), table(vec![index])];
    let differences = tables.into_iter().flat_map(|table| differences(&rules, &[table]));
    let mut problems: Vec<_> = differences.map(|it| it.diagnostic(&rules, &locations)).collect();
    problems.extend(indexed_problems());
    assert!(problems.iter().all(|problem| problem.span().is_some()));
    problems
}

/// The warnings about mirrors that appear in an index of a real table.
fn indexed_problems() -> Vec<Diagnostic> {
    const RULES: &str = r#"version: 1
tables:
  app: { key: [pk, sk] }
entities:
  member: { table: app, key: { pk: "company#{company}", sk: "user#{email}" } }
  member_of: { table: app, key: { pk: "user#{email}", sk: "company#{company}" } }
mirrors:
  membership: { source: member, mirror: member_of }
"#;
    let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
    let index = DescribedIndex {
        name: "by_role".to_owned(),
        is_global: true,
        status: "ACTIVE".to_owned(),
        key: Some(KeySchema { partition: attribute("role"), sort: None }),
    };
    let table = Described::Table(Description {
        status: "ACTIVE".to_owned(),
        key: KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) },
        indexes: vec![index],
        stream_view: None,
        stream_arn: None,
        size: Size::default(),
        reads: ReadCapacity::Provisioned { units_per_second: 1 },
    });
    let rules = load(RULES).rules.unwrap();
    let locations = Locations::of(&source("referee.yaml", RULES));
    let warnings = indexed_mirrors(&rules, &[table]);
    warnings.iter().map(|it| it.diagnostic(&rules, &locations)).collect()
}

#[test]
fn the_wrong_example_of_every_code_has_the_problem() {
    let mut shown = codes_of(&file_problems());
    shown.extend(codes_of(&table_problems()));
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
fn the_right_example_of_every_code_is_clean() {
    // Examples are short and do not use everything that they declare.
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
fn codes_are_listed_in_the_order_of_their_ids() {
    let ids: Vec<_> = codes::ALL.iter().map(|code| code.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
}

#[test]
fn the_documentation_lists_every_code() {
    let mut document = String::from(
        "# Diagnostics\n\n\
         `referee check` reports all problems of a rule file at once. Each problem has a code: `E` for an\n\
         error, `W` for a warning. `referee explain CODE` prints the explanation of a code, which is the\n\
         same as on this page. If there is an error, the rules cannot be used, and the exit code is 2.\n\n\
         The examples are fragments. The sections of an example replace those of the same name in this\n\
         file:\n\n",
    );
    document.extend(["```yaml\n", codes::PRELUDE, "```\n"]);
    for code in codes::ALL {
        document.extend(["\n", &cli::markdown(code)]);
    }
    expect_file!["../../docs/diagnostics.md"].assert_eq(&document);
}

/// The output of `referee check` for a file.
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
    let is_usable = loaded.rules.is_some();
    report + if is_usable { "The rules can be used.\n" } else { "The rules cannot be used.\n" }
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
fn mistakes_are_reported_with_a_fix() {
    let files = rule_files();
    assert!(files.len() > 20);
    for path in files {
        expect_file![path.with_extension("txt")].assert_eq(&report(&path));
    }
}

#[test]
fn all_problems_of_a_file_are_reported_at_once() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rule_files/everything.yaml");
    let found = codes_of(&load(&std::fs::read_to_string(path).unwrap()).diagnostics);
    // These problems prevent all further checks.
    let fatal = ["E001", "E002", "E003", "E004", "E005"];
    let of_tables = codes_of(&table_problems());
    let expected: BTreeSet<_> = codes::ALL
        .iter()
        .map(|code| code.id)
        .filter(|id| !fatal.contains(id) && !of_tables.contains(id))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_starter_file_has_no_problems() {
    let starter = include_str!("../../src/cli/starter.yaml");
    let loaded = load(starter);
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(loaded.rules.unwrap().references.len(), 3);
}

#[test]
fn a_file_with_errors_has_no_rules() {
    let examples = codes::ALL.iter().flat_map(|code| code.wrong.into_iter().chain([code.right]));
    for example in examples {
        let loaded = load(&codes::complete(example));
        let errors = loaded.diagnostics.iter().any(|it| it.level() == Level::Error);
        assert_eq!(loaded.rules.is_none(), errors, "{example}");
    }
}

/// The schema of rule files, prepared for validation.
struct Validator {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Validator {
    /// Prepares the schema. Fails if it is not a valid schema.
    fn new() -> Self {
        const NAME: &str = "rules.json";
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource(NAME, rules::schema()).unwrap();
        let index = compiler.compile(NAME, &mut schemas).unwrap();
        Self { schemas, index }
    }

    /// Whether the schema accepts a rule file.
    fn accepts(&self, text: &str) -> bool {
        self.schemas.validate(&yaml(text), self.index).is_ok()
    }
}

fn yaml(text: &str) -> serde_json::Value {
    // In YAML 1.2, `N` is a text.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).unwrap()
}

/// The rule files of the example events.
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
fn the_schema_accepts_the_files_that_the_check_accepts() {
    let schema = Validator::new();
    assert!(schema.accepts(include_str!("../../src/cli/starter.yaml")));
    for code in codes::ALL {
        assert!(schema.accepts(&codes::complete(code.right)), "{}", code.id);
    }
    for path in fixtures() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(schema.accepts(&text), "{}", path.display());
        assert!(load(&text).rules.is_some(), "{}", path.display());
    }
    // The schema also finds the problems of shape, but not those of meaning.
    let of_shape: [&Code; 7] = [
        &codes::VERSION,
        &codes::UNKNOWN_KEY,
        &codes::MISSING_KEY,
        &codes::WRONG_TYPE,
        &codes::WORD,
        &codes::FORMAT,
        &codes::NAME,
    ];
    for code in of_shape {
        let wrong = codes::complete(code.wrong.unwrap());
        assert!(!schema.accepts(&wrong), "{}", code.id);
    }
}

#[test]
fn the_schema_is_unchanged() {
    let schema = format!("{:#}\n", rules::schema());
    expect_file!["../data/schema.json"].assert_eq(&schema);
}

/// A rule file in JSON with one table, three entities, a reference and a mirror. In the first entry
/// of this section, this key has this value.
fn file_with(section: &str, key: &str, value: &Json) -> String {
    let mut file = json!({
        "version": 1,
        "tables": { "app": { "key": ["pk", "sk"] } },
        "entities": {
            "company": { "table": "app", "key": { "pk": "company#{company}", "sk": "company" } },
            "member": { "table": "app", "key": { "pk": "company#{company}", "sk": "user#{user}" } },
            "member_of": { "table": "app", "key": { "pk": "user#{user}", "sk": "company#{company}" } },
        },
        "references": { "member_company": { "from": "member", "to": "company" } },
        "mirrors": { "membership": { "source": "member", "mirror": "member_of" } },
    });
    let entries = file.get_mut(section).unwrap().as_object_mut().unwrap();
    let entry = entries.values_mut().next().unwrap();
    entry.as_object_mut().unwrap().entry(key).or_insert_with(|| value.clone());
    file.to_string()
}

#[test]
fn the_documented_default_of_every_key_is_the_one_that_applies() {
    let (schema, manual) = (rules::schema(), rules::manual());
    let mut count = 0;
    for section in ["tables", "entities", "references", "mirrors"] {
        let keys = &schema["properties"][section]["additionalProperties"]["properties"];
        for (key, description) in keys.as_object().unwrap() {
            let Some(default) = description.get("default") else { continue };
            // `key` is present already, so no key is added.
            let absent = load(&file_with("tables", "key", &Json::Null)).rules.unwrap();
            let present = load(&file_with(section, key, default)).rules;
            assert_eq!(present.as_ref(), Some(&absent), "{section}: {key}");
            let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
            let line = manual.lines().find(|line| {
                line.starts_with(&format!("- `{key}`:")) && line.contains("; default `")
            });
            assert!(line.unwrap().ends_with(&format!("; default `{text}`.*")), "{section}: {key}");
            count += 1;
        }
    }
    assert_eq!(count, 17, "keys with a default");
}
