//! Guards of deletes.

use expect_test::expect;
use referee::guard::{Operation, Refusal, Transaction};

use crate::guard::{RULES, check, of_entity, of_item};

fn delete(item: &str) -> Result<Transaction, Refusal> {
    of_item(RULES, item, Operation::Delete)
}

#[test]
fn deleting_a_source_deletes_its_mirror() {
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
fn mirrors_with_delete_source_are_left_to_referee() {
    let rules = RULES.replace("copy: [role]", "copy: [role], on_mirror_delete: delete_source");
    check(
        of_entity(&rules, "member", Operation::Delete),
        expect![[r#"
            Delete pk=company#{company} sk=user#{email}
            note: replace `{company}` and `{email}` with values
            note: `membership`: the transaction leaves the mirror to Referee, because with `on_mirror_delete: delete_source`, deleting the mirror is a request to delete the `member`
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
            note: replace `{company}`, `{email}`, `{note}` and `{role}` with values
            note: `membership`: the transaction leaves the mirror to Referee, because with `on_mirror_delete: delete_source`, deleting the mirror is a request to delete the `member`
        "#]],
    );
}

#[test]
fn a_referencing_item_with_a_known_key_is_checked() {
    check(
        delete(r#"{"pk": {"S": "user#ada"}, "sk": {"S": "user#"}}"#),
        expect![[r#"
            Delete pk=user#ada sk=user#
            ConditionCheck pk=user#ada sk=profile
                attribute_not_exists(pk)
            note: `member_user`: the transaction cannot check that no `member` refers to the `user`, because a condition tests one item by its key; Referee reports the orphans
            note: `profile_user`: replace its check with a `Delete` to do at once what `cascade` does later
            note: to prevent orphans, store the number of referencing items in the `user`: change the number in every transaction that writes or deletes such an item, and delete the `user` only if the number is 0
        "#]],
    );
    check(
        of_entity(RULES, "user", Operation::Delete),
        expect![[r#"
            Delete pk=user#{email} sk=user#
            ConditionCheck pk=user#{email} sk=profile
                attribute_not_exists(pk)
            note: replace `{email}` with values
            note: `member_user`: the transaction cannot check that no `member` refers to the `user`, because a condition tests one item by its key; Referee reports the orphans
            note: `profile_user`: replace its check with a `Delete` to do at once what `cascade` does later
            note: to prevent orphans, store the number of referencing items in the `user`: change the number in every transaction that writes or deletes such an item, and delete the `user` only if the number is 0
        "#]],
    );
}

#[test]
fn ignored_references_are_not_checked() {
    let rules = RULES
        .replace("to: company }", "to: company, on_delete: ignore }")
        .replace("on_delete: cascade", "mode: off");
    check(
        of_entity(&rules, "company", Operation::Delete),
        expect![[r#"
            Delete pk=company#{company} sk=company#
            note: replace `{company}` with values
        "#]],
    );
    check(
        of_entity(&rules, "user", Operation::Delete),
        expect![[r#"
            Delete pk=user#{email} sk=user#
            note: replace `{email}` with values
            note: `member_user`: the transaction cannot check that no `member` refers to the `user`, because a condition tests one item by its key; Referee reports the orphans
            note: to prevent orphans, store the number of referencing items in the `user`: change the number in every transaction that writes or deletes such an item, and delete the `user` only if the number is 0
        "#]],
    );
}

#[test]
fn notes_say_what_referee_does_with_orphans() {
    let mut outcomes = String::new();
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
        outcomes.extend([then, "\n"]);
    }
    expect![[r#"
        Referee deletes the orphans
        Referee removes the references of the orphans
        Referee sets the references of the orphans to the default
        Referee restores the item if anything still refers to it
    "#]]
    .assert_eq(&outcomes);
}
