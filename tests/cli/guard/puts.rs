//! Guards of puts.

use expect_test::expect;
use referee::guard::Operation;

use crate::guard::{RULES, check, of_entity, of_item, shown};

fn put(item: &str) -> Result<referee::guard::Transaction, referee::guard::Refusal> {
    of_item(RULES, item, Operation::Put)
}

/// A clerk whose boss is `boss`, with more attributes.
fn clerk(more: &str) -> String {
    format!(
        r#"{{"pk": {{"S": "staff#1"}}, "sk": {{"S": "staff#"}}, "kind": {{"S": "clerk"}},
            "boss": {{"S": "2"}}{more}}}"#
    )
}

#[test]
fn referenced_items_must_exist() {
    check(
        put(r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}, "role": {"S": "lead"}}"#),
        expect![[r#"
            Put pk=company#acme role=lead sk=user#ada
            Put _referee={"fence":{"S":"0000000000000000000000000000000000000000"},"rule":{"S":"membership"}} pk=user#ada role=lead sk=company#acme
                attribute_not_exists(pk) OR _referee.rule = {"S":"membership"}
            ConditionCheck pk=company#acme sk=company#
                attribute_exists(pk)
            ConditionCheck pk=user#ada sk=user#
                attribute_exists(pk)
        "#]],
    );
    check(
        put(r#"{"pk": {"S": "company#acme"}, "sk": {"S": "company#"}}"#),
        expect![[r#"
        Put pk=company#acme sk=company#
    "#]],
    );
}

#[test]
fn checks_include_the_where_of_the_referenced_entity() {
    check(
        put(&clerk("")),
        expect![[r#"
        Put boss=2 kind=clerk pk=staff#1 sk=staff#
        ConditionCheck pk=staff#2 sk=staff#
            attribute_exists(pk) AND kind = {"S":"admin"}
    "#]],
    );
}

#[test]
fn references_to_one_item_share_a_check() {
    check(
        put(&clerk(r#", "deputy": {"S": "2"}"#)),
        expect![[r#"
        Put boss=2 deputy=2 kind=clerk pk=staff#1 sk=staff#
        ConditionCheck pk=staff#2 sk=staff#
            attribute_exists(pk) AND kind = {"S":"admin"}
    "#]],
    );
}

#[test]
fn each_element_of_a_list_is_checked() {
    check(
        put(&clerk(r#", "teams": {"SS": ["b", "a"]}"#)),
        expect![[r#"
        Put boss=2 kind=clerk pk=staff#1 sk=staff# teams=["a","b"]
        ConditionCheck pk=staff#2 sk=staff#
            attribute_exists(pk) AND kind = {"S":"admin"}
        ConditionCheck pk=team#a sk=team#
            attribute_exists(pk)
        ConditionCheck pk=team#b sk=team#
            attribute_exists(pk)
    "#]],
    );
}

#[test]
fn a_transaction_has_at_most_a_hundred_actions() {
    let teams = |count: usize| {
        let teams: Vec<String> = (0..count).map(|team| format!("\"{team}\"")).collect();
        shown(put(&clerk(&format!(r#", "teams": {{"SS": [{}]}}"#, teams.join(",")))))
    };
    assert_eq!(teams(98).lines().filter(|line| line.starts_with("ConditionCheck")).count(), 99);
    expect![[r#"
        the transaction has 101 actions; the maximum is 100: write the item in several steps that each add some of the references
    "#]].assert_eq(&teams(99));
}

#[test]
fn an_item_that_violates_a_rule_itself_has_no_transaction() {
    check(
        put(r#"{"pk": {"S": "staff#1"}, "sk": {"S": "staff#"}, "kind": {"S": "clerk"},
            "at": {"M": {"site": {"S": "x"}}}, "deputy": {"N": "1"}, "teams": {"SS": ["a#b"]}}"#),
        expect![[r#"
            `clerk_boss` is broken: `boss` is required but absent
            `clerk_deputy` is broken: `deputy` has type N; the rule file declares S
            `clerk_desk` is broken: only some of `at.site`, `at.desk` are present
            `clerk_teams` is broken: `a#b` cannot be `{team}` of a key: it contains the table's separator
        "#]],
    );
}

#[test]
fn an_item_may_refer_to_itself() {
    let tree = "version: 1
tables: { staff: { key: [id] } }
entities:
  employee: { table: staff, key: { id: \"{employee}\" }, attributes: { manager: S } }
references:
  employee_manager: { from: employee, to: employee, on: { employee: \"{manager}\" }, find: none }
";
    let employee = |manager: &str| {
        let item = format!(r#"{{"id": {{"S": "1"}}, "manager": {{"S": "{manager}"}}}}"#);
        of_item(tree, &item, Operation::Put)
    };
    check(
        employee("1"),
        expect![[r#"
        Put id=1 manager=1
    "#]],
    );
    check(
        employee("2"),
        expect![[r#"
        Put id=1 manager=2
        ConditionCheck id=2
            attribute_exists(id)
    "#]],
    );
    // The reference requires an `admin`, but the item that it refers to, itself, is a clerk.
    check(
        put(&clerk("").replace("\"2\"", "\"1\"")),
        expect![[r#"
            `clerk_boss` is broken: the item refers to itself, but is not a `admin`
        "#]],
    );
}

#[test]
fn only_items_of_entities_are_guarded() {
    check(
        put(r#"{"pk": {"S": "other"}, "sk": {"S": "x"}}"#),
        expect![[r#"
            the key matches no entity
        "#]],
    );
    check(
        put(r#"{"pk": {"S": "other"}}"#),
        expect![[r#"
            the item does not belong to table `app`: key attribute `sk` is missing
        "#]],
    );
    check(
        put(r#"{"pk": {"S": "staff#1"}, "sk": {"S": "staff#"}}"#),
        expect![[r#"
            the key matches `admin` and `clerk`, but the item does not satisfy `where`, which tests `kind`
        "#]],
    );
    check(
        put(r#"{"pk": {"S": "user#ada"}, "sk": {"S": "company#acme"}}"#),
        expect![[r#"
            items of `member_of` are mirrors written by `membership`; guard their source `member` instead
        "#]],
    );
}

#[test]
fn a_mirror_has_no_attribute_that_copy_leaves_out() {
    let rules = RULES.replace("copy: [role]", "copy: { except: [role] }");
    let member = r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}, "role": {"S": "lead"},
        "note": {"S": "x"}}"#;
    check(
        of_item(&rules, member, Operation::Put),
        expect![[r#"
        Put note=x pk=company#acme role=lead sk=user#ada
        Put _referee={"fence":{"S":"0000000000000000000000000000000000000000"},"rule":{"S":"membership"}} note=x pk=user#ada sk=company#acme
            attribute_not_exists(pk) OR _referee.rule = {"S":"membership"}
        ConditionCheck pk=company#acme sk=company#
            attribute_exists(pk)
        ConditionCheck pk=user#ada sk=user#
            attribute_exists(pk)
    "#]],
    );
}

#[test]
fn checks_restate_every_kind_of_condition() {
    let rules = "version: 1
tables: { app: { key: [id] } }
entities:
  user:
    table: app
    key: { id: \"user#{user}\" }
    attributes: { expires: N }
    where: { deletedAt: absent, status: [ACTIVE, INVITED], role: { not: bot }, level: { gte: 3 }, expires: { after: now } }
  task: { table: app, key: { id: \"task#{task}\" }, attributes: { owner: S } }
references:
  task_owner: { from: task, to: user, on: { user: \"{owner}\" }, find: none }
";
    check(
        of_item(rules, r#"{"id": {"S": "task#1"}, "owner": {"S": "ann"}}"#, Operation::Put),
        expect![[r#"
            Put id=task#1 owner=ann
            ConditionCheck id=user#ann
                attribute_exists(id) AND (attribute_not_exists(deletedAt) OR deletedAt = {"NULL":true}) AND (status = {"S":"ACTIVE"} OR status = {"S":"INVITED"}) AND NOT role = {"S":"bot"} AND level >= {"N":"3"}
            note: `task_owner`: the transaction does not check the time in `expires` of the `user`; to check it, add `AND expires > :now` to the condition, with the current time in seconds since 1970
        "#]],
    );
    check(
        of_entity(rules, "user", Operation::Put),
        expect![[r#"
        Put expires={expires} id=user#{user} status=ACTIVE
        note: replace `{user}` and `{expires}` with values
        note: in an item of `user`, `status` is `ACTIVE` or `INVITED`
        note: in an item of `user`, `role` is other than `bot`
        note: in an item of `user`, `level` is at least `3`
        note: in an item of `user`, `expires` is a time after now, in seconds since 1970
    "#]],
    );
}
