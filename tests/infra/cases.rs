//! Compares the module's policies, filters and rules for many rule sets with Referee itself. The
//! golden files are in `tests/infra/cases`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use kit::filter::Filters;
use referee::data::{Item, JsonItem, KeyKind, KeyValue, Number};
use referee::preflight::streamed;
use referee::rules::model::{EntityId, Mode, Rules};
use referee::rules::{self, RuleSource};
use serde_json::{Value as Json, json};

use super::terraform::Terraform;
use super::{files_in, folders_in, read, root};

/// Compares the policies, filters and rules with the golden files.
pub(crate) fn match_golden_files(terraform: &Terraform) {
    let plan = terraform.enter("tests/infra/cases").plan(&[]);
    let outputs = &plan["planned_values"]["outputs"];
    for (name, case) in outputs["cases"]["value"].as_object().unwrap() {
        let golden = root().join(format!("tests/infra/cases/{name}.json"));
        expect_file![golden].assert_eq(&format!("{case:#}\n"));
    }
    let golden = root().join("tests/infra/audit.asl.json");
    expect_file![golden].assert_eq(&format!("{:#}\n", state_machine(&plan, "customer-orders")));
    let twin = outputs["twin"]["value"].as_str().unwrap();
    expect_file![root().join("tests/infra/cases/twin.json")].assert_eq(&format!("{twin}\n"));
}

/// Returns the state machine of a case's audit, in the States Language.
fn state_machine(plan: &Json, case: &str) -> Json {
    let address = format!("module.case[\"{case}\"].aws_sfn_state_machine.audit[0]");
    let mut changes = plan["resource_changes"].as_array().unwrap().iter();
    let machine = changes.find(|change| change["address"] == address).unwrap();
    serde_json::from_str(machine["change"]["after"]["definition"].as_str().unwrap()).unwrap()
}

/// Checks that rules declared as Terraform code equal the same rules in a file.
pub(crate) fn twins_are_equal() {
    let declared = load(Path::new("tests/infra/cases/twin.json"));
    let written = load(Path::new("tests/infra/cases/twin.yaml"));
    assert_eq!(declared, written);
}

/// Checks that the module refuses no key that a rule file may have.
pub(crate) fn the_module_knows_every_key() {
    let schema = rules::schema();
    let checks = read("infra/checks.tf");
    for section in ["tables", "entities", "references", "mirrors"] {
        let properties = &schema["properties"][section]["additionalProperties"]["properties"];
        let of_rules: BTreeSet<&str> =
            properties.as_object().unwrap().keys().map(String::as_str).collect();
        let (_, line) = checks.split_once(&format!("\n    {section:10} = [")).unwrap();
        let (list, _) = line.split_once(']').unwrap();
        let of_module: BTreeSet<&str> =
            list.split(", ").map(|name| name.trim_matches('"')).collect();
        assert_eq!(of_module, of_rules, "{section}");
    }
}

/// Checks that the module reads every stream that the rules need, and that no filter drops a record
/// that a rule needs.
pub(crate) fn filters_let_needed_records_pass() {
    let mut checked = 0;
    for (name, path) in rule_files() {
        let rules = load(&path);
        let filters = &golden(&name)["filters"];
        let read: BTreeSet<&str> =
            filters.as_object().unwrap().keys().map(String::as_str).collect();
        let needed = streamed(&rules).into_iter().map(|table| rules[table].alias.as_str());
        assert_eq!(read, needed.collect(), "{name}");
        for record in recorded(&name).into_iter().chain(generated(&rules)) {
            let Some(table) = table_of_needed(&rules, &record) else { continue };
            if !read.contains(table) {
                continue;
            }
            let patterns: Vec<&str> =
                filters[table].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
            let filters = Filters::read(&patterns).unwrap();
            assert!(filters.pass(&record.to_string()), "{name}: {patterns:?} drop {record}");
            checked += patterns.len();
        }
    }
    assert!(checked > 100, "only {checked} filters were checked");
}

/// Returns the rule files that have a golden file, by the golden file's name.
pub(crate) fn rule_files() -> BTreeMap<String, PathBuf> {
    let named = |folder: PathBuf| {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        (name, folder.join("referee.yaml"))
    };
    let mut files: BTreeMap<_, _> = folders_in("events").into_iter().map(named).collect();
    files.insert("actions".to_owned(), root().join("tests/infra/cases/actions.yaml"));
    files
}

/// Reads the golden file of a rule set.
pub(crate) fn golden(name: &str) -> Json {
    serde_json::from_str(&read(format!("tests/infra/cases/{name}.json"))).unwrap()
}

fn load(path: &Path) -> Rules {
    let source = RuleSource { name: path.display().to_string(), text: read(path) };
    let loaded = rules::load(&source, &|_| None);
    loaded.rules.unwrap_or_else(|| panic!("{}: {:?}", path.display(), loaded.diagnostics))
}

/// Reads the records in the recorded events of a case. A case without events has no records.
fn recorded(name: &str) -> Vec<Json> {
    let stream = format!("events/{name}/stream");
    if !root().join(&stream).exists() {
        return Vec::new();
    }
    let events = files_in(&stream, "json").into_iter().map(read);
    let records = events.map(|text| serde_json::from_str::<Json>(&text).unwrap());
    records.flat_map(|event| event["Records"].as_array().unwrap().clone()).collect()
}

/// Generates a record for each entity and each unusual value of its captures.
fn generated(rules: &Rules) -> Vec<Json> {
    let mut records = Vec::new();
    for entity in &rules.entities {
        for text in ["x", "a b", "é", "\"", "\\", "{x}", "<&>", "\u{1F98A}"] {
            let captures: Vec<KeyValue<'_>> = (0..entity.key.captures().len())
                .map(|capture| match entity.key.capture_kind(capture) {
                    KeyKind::S => KeyValue::S(text.into()),
                    KeyKind::N => KeyValue::N(Number::ZERO),
                    KeyKind::B => KeyValue::B(text.as_bytes().into()),
                })
                .collect();
            let Ok(key) = entity.key.build(&captures) else { continue };
            let table = &rules[entity.table];
            records.push(json!({
                "eventSourceARN": format!("arn:aws:dynamodb:x:1:table/{}/stream/1", table.name),
                "eventName": "REMOVE",
                "dynamodb": { "Keys": table.key.item_of(&key) },
            }));
        }
    }
    records
}

/// Returns the table that a record comes from, if a rule needs the record.
fn table_of_needed<'r>(rules: &'r Rules, record: &Json) -> Option<&'r str> {
    let arn = record["eventSourceARN"].as_str()?;
    let name = arn.split('/').nth(1)?;
    let keys = record["dynamodb"]["Keys"].to_string();
    let Ok(JsonItem(keys)) = serde_json::from_str::<JsonItem<'_>>(&keys) else { return None };
    let matches = |entity: &EntityId| belongs(rules, *entity, name, &keys);
    used(rules).iter().find(|entity| matches(entity)).map(|entity| {
        let table = &rules[rules[*entity].table];
        table.alias.as_str()
    })
}

fn belongs(rules: &Rules, entity: EntityId, table: &str, keys: &Item<'_>) -> bool {
    rules[rules[entity].table].name == table
        && rules
            .key_schema(entity)
            .key_of(keys)
            .is_ok_and(|key| rules[entity].key.parse(&key).is_some())
}

/// Returns the entities that some rule uses.
fn used(rules: &Rules) -> BTreeSet<EntityId> {
    let references = rules.references.iter().filter(|rule| rule.mode != Mode::Off);
    let mirrors = rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off);
    references
        .flat_map(|rule| [rule.from, rule.to])
        .chain(mirrors.flat_map(|rule| [rule.source, rule.mirror]))
        .collect()
}
