//! Items of which some attributes are set.

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
fn only_references_that_are_set_are_checked() {
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
fn a_reference_that_is_set_in_part_is_not_checked() {
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
        note: `parcel_door` is not checked: for this, the update has to give all of `street` and `house`
    "#]],
    );
}

#[test]
fn a_mirror_gets_the_attributes_that_it_copies() {
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
fn what_is_updated_has_to_be_clear() {
    check(
        update(&staff(r#", "deputy": {"S": "2"}"#)),
        expect![[r#"
        the item may be of `admin` and `clerk`: say which by its `kind`
    "#]],
    );
    check(
        update(&staff("")),
        expect![[r#"
        the item may be of `admin` and `clerk`: say which by its `kind`
    "#]],
    );
    check(
        update(&staff(r#", "kind": {"S": "robot"}"#)),
        expect![[r#"
        the item has a key of `admin` and `clerk`, but not what `where` asks for of `kind`
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
