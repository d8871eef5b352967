//! The large sample has what it says.

use std::collections::BTreeSet;

use expect_test::expect;
use kit::sample::{RULES, Sample};
use referee::audit::export::{ObjectError, Objects, Place, open};
use referee::rules::{self, RuleSource};
use serde_json::Value as Json;

#[test]
fn the_rules_of_the_sample_are_valid() {
    let source = RuleSource { name: "sample".to_owned(), text: RULES.to_owned() };
    assert_eq!(rules::load(&source, &|_| None).diagnostics, []);
}

#[test]
fn the_sample_is_sound_and_deterministic() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample { files: 3, ..Sample::new(3_007) };
    let export = sample.write(folder.path());
    let source = RuleSource { name: "sample".to_owned(), text: RULES.to_owned() };
    let rules = rules::load(&source, &|_| None).rules.unwrap();
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
