//! Guards of updates.

use expect_test::expect;
use referee::guard::{Operation, Refusal, Transaction};

use crate::guard::{RULES, check, of_item};

fn update(item: &str) -> Result<Transaction, Refusal> {
    of_item(RULES, item, Operation::Update)
}

/// A member of staff, with more attributes.
fn staff(more: &str) -> String {
    format!(r#"{{"pk": {{"S": "staff#1"}}, "sk": {{"S": "staff#"}}{more}}}"#)
}

#[test]
fn only_updated_references_are_checked() {
    check(
        update(&staff(r#", "deputy": {"S": "2"}, "kind": {"S": "clerk"}"#)),
        expect![[r#"
        Update pk=staff#1 sk=staff#
            SET deputy = {"S":"2"}, kind = {"S":"clerk"}
            attribute_exists(pk) AND kind = {"S":"clerk"}
        ConditionCheck pk=staff#2 sk=staff#
            attribute_exists(pk) AND kind = {"S":"admin"}
    "#]],
    );
    check(
        update(&staff(
            r#", "at": {"M": {"site": {"S": "x"}, "desk": {"N": "7.0"}}}, "kind": {"S": "clerk"}"#,
        )),
        expect![[r#"
            Update pk=staff#1 sk=staff#
                SET at = {"M":{"desk":{"N":"7"},"site":{"S":"x"}}}, kind = {"S":"clerk"}
                attribute_exists(pk) AND kind = {"S":"clerk"}
            ConditionCheck pk=site#x sk=desk#7
                attribute_exists(pk)
        "#]],
    );
}

#[test]
fn a_partly_updated_reference_is_not_checked() {
    let rules = "version: 1
tables: { app: { key: [id] } }
entities:
  parcel: { table: app, key: { id: \"parcel#{parcel}\" }, attributes: { street: S, house: S } }
  door: { table: app, key: { id: \"door#{street}#{house}\" } }
references:
  parcel_door: { from: parcel, to: door, on: { street: \"{street}\", house: \"{house}\" }, find: none }
";
    let item = r#"{"id": {"S": "parcel#1"}, "street": {"S": "High Street"}}"#;
    check(
        of_item(rules, item, Operation::Update),
        expect![[r#"
            Update id=parcel#1
                SET street = {"S":"High Street"}
                attribute_exists(id)
            note: `parcel_door` is not checked, because the update does not set all of `street` and `house`
        "#]],
    );
}

#[test]
fn a_mirror_is_updated_with_the_copied_attributes() {
    let member = r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}, "role": {"S": "lead"}, "note": {"S": "new"}}"#;
    check(
        update(member),
        expect![[r#"
        Update pk=company#acme sk=user#ada
            SET note = {"S":"new"}, role = {"S":"lead"}
            attribute_exists(pk)
        Update pk=user#ada sk=company#acme
            SET role = {"S":"lead"}
            _referee.rule = {"S":"membership"}
    "#]],
    );
    let note = r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}, "note": {"S": "new"}}"#;
    check(
        update(note),
        expect![[r#"
        Update pk=company#acme sk=user#ada
            SET note = {"S":"new"}
            attribute_exists(pk)
    "#]],
    );
}

#[test]
fn an_update_must_match_one_entity_and_set_an_attribute() {
    check(
        update(&staff(r#", "deputy": {"S": "2"}"#)),
        expect![[r#"
            the key matches `admin` and `clerk`: add `kind` to the item to select one
        "#]],
    );
    check(
        update(&staff("")),
        expect![[r#"
            the key matches `admin` and `clerk`: add `kind` to the item to select one
        "#]],
    );
    check(
        update(&staff(r#", "kind": {"S": "robot"}"#)),
        expect![[r#"
            the key matches `admin` and `clerk`, but the item does not satisfy `where`, which tests `kind`
        "#]],
    );
    check(
        update(r#"{"pk": {"S": "user#ada"}, "sk": {"S": "user#"}}"#),
        expect![[r#"
        the update sets no attribute of the `user`
    "#]],
    );
    check(
        update(&staff(r#", "kind": {"S": "clerk"}, "boss": {"NULL": true}"#)),
        expect![[r#"
            `clerk_boss` is broken: `boss` is required but absent
        "#]],
    );
}
