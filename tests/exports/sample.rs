//! The large sample has what it says.

use std::collections::{BTreeMap, BTreeSet};

use expect_test::expect;
use kit::oracle::Oracle;
use kit::sample::{RULES, Sample};
use referee::audit::export::{ObjectError, Objects, Place, open};
use referee::data::{JsonItem, into_owned};
use referee::rules::{self, RuleSource, Rules};
use serde_json::Value as Json;

fn rules() -> Rules {
    let source = RuleSource { name: "sample".to_owned(), text: RULES.to_owned() };
    let loaded = rules::load(&source, &|_| None);
    assert_eq!(loaded.diagnostics, []);
    loaded.rules.unwrap()
}

#[test]
fn the_sample_has_the_planted_violations_and_no_others() {
    let sample = Sample { files: 3, ..Sample::new(3_007) };
    let item = |line: String| {
        let text = line.strip_prefix(r#"{"Item":"#).unwrap().strip_suffix('}').unwrap();
        into_owned(serde_json::from_str::<JsonItem<'_>>(text).unwrap().0)
    };
    let items = sample.lines().into_iter().flatten().map(item).collect();
    let rules = rules();
    let oracle = Oracle::new(&rules, BTreeMap::from([("shop".to_owned(), items)]));
    let mut found = BTreeMap::new();
    for finding in oracle.audited() {
        *found.entry((finding.rule, finding.kind)).or_insert(0) += 1;
    }
    let planted = sample.planted().into_iter();
    let expected: BTreeMap<(String, String), u64> = planted
        .map(|((rule, kind), count)| ((rule.to_owned(), kind.to_owned()), count))
        .filter(|((_, kind), _)| kind != "unknown_item")
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_sample_is_sound_and_deterministic() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample { files: 3, ..Sample::new(3_007) };
    let export = sample.write(folder.path());
    let rules = rules();
    let mut no_s3 = |bucket: &str| -> Result<std::sync::Arc<dyn Objects>, ObjectError> {
        Err(ObjectError::NoS3(bucket.to_owned()))
    };
    let place = Place::parse(export.to_str().unwrap()).unwrap();
    let table = open(&[place], &rules, &mut no_s3).unwrap().pop().unwrap().prepare(1).unwrap();
    let mut keys = BTreeSet::new();
    for (file, lines) in (0..).zip(sample.lines()) {
        let checked = table
            .read(file, |row, item| {
                assert_eq!(
                    format!(r#"{{"Item":{}}}"#, str::from_utf8(item).unwrap()),
                    lines[row as usize]
                );
                let item: Json = serde_json::from_slice(item).unwrap();
                assert!(keys.insert((item["pk"].to_string(), item["sk"].to_string())));
                Ok(())
            })
            .unwrap();
        assert_eq!(checked.problems, []);
    }
    assert_eq!(keys.len(), 3_007);
}

#[test]
fn the_sample_has_every_kind_of_violation() {
    let planted: Vec<String> = Sample::new(1_000_000)
        .planted()
        .iter()
        .map(|((rule, kind), count)| format!("{count} {kind} {rule}"))
        .collect();
    expect![[r"
        20 unknown_item 
        20 dangling_reference member_customer
        20 mirror_blocked membership
        20 mirror_extra membership
        20 mirror_missing membership
        20 mirror_stale membership
        20 mirror_unmarked membership
        20 dangling_reference order_customer
        20 dangling_reference order_product
        20 malformed_reference order_product
        20 missing_reference order_product
        20 partial_reference order_product"]]
    .assert_eq(&planted.join("\n"));
}
