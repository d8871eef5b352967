//! Items that are deleted, and who is left behind.

use expect_test::expect;
use referee::guard::{Operation, Refusal, Transaction};

use crate::guard::{RULES, check, of_entity, of_item};

fn delete(item: &str) -> Result<Transaction, Refusal> {
    of_item(RULES, item, Operation::Delete)
}

#[test]
fn the_mirror_goes_too() {
    check(
        delete(r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}}"#),
        expect![[r#"
        Delete pk=company#acme sk=user#ada
        Delete pk=user#ada sk=company#acme
            attribute_not_exists(pk) OR _referee.rule = {"S":"membership"}
    "#]],
    );
}

#[test]
fn a_mirror_whose_delete_means_something_is_left_to_referee() {
    let rules = RULES.replace("copy: [role]", "copy: [role], on_mirror_delete: delete_source");
    check(
        of_entity(&rules, "member", Operation::Delete),
        expect![[r#"
        Delete pk=company#{company} sk=user#{email}
        note: put values in the place of `{company}` and `{email}`
        note: `membership`: the mirror is left to Referee, which could not tell its delete from one that is to take the `member` with it
    "#]],
    );
    check(
        of_entity(&rules, "member", Operation::Put),
        expect![[r#"
        Put note={note} pk=company#{company} role={role} sk=user#{email}
        ConditionCheck pk=company#{company} sk=company#
            attribute_exists(pk)
        ConditionCheck pk=user#{email} sk=user#
            attribute_exists(pk)
        note: put values in the place of `{company}`, `{email}`, `{note}` and `{role}`
        note: `membership`: the mirror is left to Referee, which could not tell its delete from one that is to take the `member` with it
    "#]],
    );
}

#[test]
fn who_refers_to_it_can_be_asked_if_there_is_one_at_most() {
    check(
        delete(r#"{"pk": {"S": "user#ada"}, "sk": {"S": "user#"}}"#),
        expect![[r#"
            Delete pk=user#ada sk=user#
            ConditionCheck pk=user#ada sk=profile
                attribute_not_exists(pk)
            note: `member_user`: that no `member` refers to the `user` cannot be checked, for a condition asks one item by its key; Referee reports those left behind
            note: `profile_user`: a `Delete` in the place of its check does at once what `cascade` does later
            note: to prevent that, count them on the `user` in the transactions that write and delete them, and delete it on condition that the count is 0
        "#]],
    );
    check(
        of_entity(RULES, "user", Operation::Delete),
        expect![[r#"
            Delete pk=user#{email} sk=user#
            ConditionCheck pk=user#{email} sk=profile
                attribute_not_exists(pk)
            note: put values in the place of `{email}`
            note: `member_user`: that no `member` refers to the `user` cannot be checked, for a condition asks one item by its key; Referee reports those left behind
            note: `profile_user`: a `Delete` in the place of its check does at once what `cascade` does later
            note: to prevent that, count them on the `user` in the transactions that write and delete them, and delete it on condition that the count is 0
        "#]],
    );
}

#[test]
fn what_rules_ignore_is_not_asked() {
    let rules = RULES
        .replace("to: company }", "to: company, on_delete: ignore }")
        .replace("on_delete: cascade", "mode: off");
    check(
        of_entity(&rules, "company", Operation::Delete),
        expect![[r#"
        Delete pk=company#{company} sk=company#
        note: put values in the place of `{company}`
    "#]],
    );
    check(
        of_entity(&rules, "user", Operation::Delete),
        expect![[r#"
        Delete pk=user#{email} sk=user#
        note: put values in the place of `{email}`
        note: `member_user`: that no `member` refers to the `user` cannot be checked, for a condition asks one item by its key; Referee reports those left behind
        note: to prevent that, count them on the `user` in the transactions that write and delete them, and delete it on condition that the count is 0
    "#]],
    );
}

#[test]
fn what_the_rules_do_about_those_left_behind_is_told() {
    let mut told = String::new();
    for action in ["cascade", "unset", "set_default", "restore, on_ttl_delete: report"] {
        let default = if action == "set_default" { ", default: nobody" } else { "" };
        let rules = format!(
            "version: 1
tables: {{ app: {{ key: [id] }} }}
entities:
  order: {{ table: app, key: {{ id: \"order#{{order}}\" }}, attributes: {{ customer: S }} }}
  customer: {{ table: app, key: {{ id: \"customer#{{customer}}\" }} }}
references:
  order_customer:
    {{ from: order, to: customer, on: {{ customer: \"{{customer}}\" }}, on_delete: {action}{default},
      find: {{ index: by_customer, key: {{ customer: \"{{customer}}\" }} }} }}
"
        );
        let transaction = of_entity(&rules, "customer", Operation::Delete).unwrap();
        let (_, then) = transaction.notes[1].split_once("; ").unwrap();
        told.extend([then, "\n"]);
    }
    expect![[r#"
        Referee deletes those left behind
        Referee removes the references of those left behind
        Referee sets the default in those left behind
        Referee writes the item again while any does
    "#]]
    .assert_eq(&told);
}
