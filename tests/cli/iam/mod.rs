//! The policies that `referee iam` prints: exactly what the rules need.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

mod exact;
mod verb;
mod written;

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use referee::iam::{self, Deployment, NAMESPACE};
use referee::rules::{self, RuleSource, Rules};

fn load(text: &str) -> Rules {
    let source = RuleSource { name: "rules".to_owned(), text: text.to_owned() };
    let loaded = rules::load(&source, &|_| None);
    loaded.rules.unwrap_or_else(|| panic!("{:?}\n{text}", loaded.diagnostics))
}

fn deployment() -> Deployment {
    Deployment {
        region: Some("us-east-1".to_owned()),
        account: Some("123456789012".to_owned()),
        namespace: None,
        ..Deployment::anywhere("referee")
    }
}

/// The statements about items, one per line.
fn check(rules: &str, expected: &Expect) {
    let policy = iam::policy(&load(rules), &deployment());
    let of_items = ["ReadStreams", "ReadItems", "QueryItems", "WriteItems", "CheckItems"];
    let statements = policy.statements.iter();
    let mut lines = String::new();
    for statement in statements.filter(|it| of_items.iter().any(|sid| it.sid.starts_with(sid))) {
        let name = |arn: &String| arn.split_once(":table/").unwrap().1.to_owned();
        let resources: Vec<String> = statement.resources.iter().map(name).collect();
        let actions = statement.actions.join(" ").replace("dynamodb:", "");
        writeln!(lines, "{}: {actions}: {}", statement.sid, resources.join(" ")).unwrap();
    }
    expected.assert_eq(&lines);
}

/// Orders of customers, in two tables, with these actions.
fn orders(actions: &str) -> String {
    format!(
        "version: 1
tables:
  orders: {{ key: [id] }}
  customers: {{ key: [id] }}
entities:
  order: {{ table: orders, key: {{ id: \"{{order}}\" }}, attributes: {{ customer_id: S }} }}
  customer: {{ table: customers, key: {{ id: \"{{customer}}\" }} }}
references:
  order_customer:
    from: order
    to: customer
    on: {{ customer: \"{{customer_id}}\" }}
    find: {{ index: by_customer, key: {{ customer_id: \"{{customer}}\" }} }}
    {actions}
"
    )
}

/// Memberships in one table, and their mirrors in another.
fn members(mirror: &str) -> String {
    format!(
        "version: 1
tables:
  app: {{ key: [pk, sk] }}
  by_user: {{ key: [pk, sk] }}
entities:
  member: {{ table: app, key: {{ pk: \"company#{{company}}\", sk: \"user#{{email}}\" }} }}
  member_of: {{ table: by_user, key: {{ pk: \"user#{{email}}\", sk: \"company#{{company}}\" }} }}
mirrors:
  membership: {{ source: member, mirror: member_of{mirror} }}
"
    )
}

#[test]
fn rules_that_only_report_write_nothing() {
    let reads = expect![[r#"
        ReadStreams: DescribeStream GetRecords GetShardIterator: customers/stream/* orders/stream/*
        ReadItems: BatchGetItem: customers orders
        QueryItems: Query: orders/index/by_customer
    "#]];
    check(&orders(""), &reads);
    check(&orders("on_delete: cascade\n    on_missing: delete\n    mode: observe"), &reads);
    check(
        &orders("on_delete: ignore"),
        &expect![[r#"
            ReadStreams: DescribeStream GetRecords GetShardIterator: orders/stream/*
            ReadItems: BatchGetItem: customers orders
        "#]],
    );
    check(&orders("on_delete: cascade\n    mode: off"), &expect![[r#""#]]);
    check(
        &members(", mode: observe"),
        &expect![[r#"
            ReadStreams: DescribeStream GetRecords GetShardIterator: app/stream/* by_user/stream/*
            ReadItems: BatchGetItem: app by_user
        "#]],
    );
}

#[test]
fn a_mirror_rule_may_write_to_the_mirrors_table() {
    check(
        &members(""),
        &expect![[r#"
            ReadStreams: DescribeStream GetRecords GetShardIterator: app/stream/* by_user/stream/*
            ReadItems: BatchGetItem: app by_user
            WriteItemsDeletePut: DeleteItem PutItem: by_user
        "#]],
    );
    check(
        &members(", on_mirror_delete: delete_source"),
        &expect![[r#"
            ReadStreams: DescribeStream GetRecords GetShardIterator: app/stream/* by_user/stream/*
            ReadItems: BatchGetItem: app by_user
            WriteItemsDelete: DeleteItem: app
            WriteItemsDeletePutUpdate: DeleteItem PutItem UpdateItem: by_user
            CheckItems: ConditionCheckItem: by_user
        "#]],
    );
}

#[test]
fn a_recursive_cascade_may_update_items() {
    check(
        "version: 1
tables: { staff: { key: [pk] } }
entities:
  employee: { table: staff, key: { pk: \"employee#{employee}\" }, attributes: { manager: S } }
references:
  employee_manager:
    from: employee
    to: employee
    on: { employee: \"{manager}\" }
    find: { index: by_manager, key: { manager: \"{employee}\" } }
    on_delete: cascade
",
        &expect![[r#"
            ReadStreams: DescribeStream GetRecords GetShardIterator: staff/stream/*
            ReadItems: BatchGetItem: staff
            QueryItems: Query: staff/index/by_manager
            WriteItemsDeleteUpdate: DeleteItem UpdateItem: staff
            CheckItems: ConditionCheckItem: staff
        "#]],
    );
}

#[test]
fn several_rules_share_statements() {
    let rules = std::fs::read_to_string("events/company-user/referee.yaml").unwrap();
    check(
        &rules,
        &expect![[r#"
            ReadStreams: DescribeStream GetRecords GetShardIterator: app/stream/*
            ReadItems: BatchGetItem: app
            QueryItems: Query: app
            WriteItemsDeletePut: DeleteItem PutItem: app
        "#]],
    );
}

#[test]
fn a_revert_checks_all_references_of_the_item() {
    check(
        "version: 1
tables:
  orders: { key: [id] }
  customers: { key: [id] }
  shops: { key: [id] }
  makers: { key: [id] }
  old: { key: [id] }
  cities: { key: [id] }
entities:
  order:
    table: orders
    key: { id: \"order#{order}\" }
    attributes: { customer_id: S, shop_id: S, old_id: S, kind: S }
    where: { kind: order }
  offer:
    table: orders
    key: { id: \"order#{order}\" }
    attributes: { kind: S, maker_id: S }
    where: { kind: offer }
  note: { table: orders, key: { id: \"note#{note}\" }, attributes: { city_id: S } }
  city: { table: cities, key: { id: \"{city}\" } }
  maker: { table: makers, key: { id: \"{maker}\" } }
  customer: { table: customers, key: { id: \"{customer}\" } }
  shop: { table: shops, key: { id: \"{shop}\" } }
  relic: { table: old, key: { id: \"{relic}\" } }
references:
  order_customer:
    { from: order, to: customer, on: { customer: \"{customer_id}\" }, on_missing: revert, find: none }
  note_city: { from: note, to: city, on: { city: \"{city_id}\" }, find: none }
  offer_maker: { from: offer, to: maker, on: { maker: \"{maker_id}\" }, find: none }
  order_shop: { from: order, to: shop, on: { shop: \"{shop_id}\" }, find: none }
  order_relic: { from: order, to: relic, on: { relic: \"{old_id}\" }, find: none, mode: off }
",
        &expect![[r#"
            ReadStreams: DescribeStream GetRecords GetShardIterator: orders/stream/*
            ReadItems: BatchGetItem: cities customers makers orders shops
            WriteItemsDeleteUpdate: DeleteItem UpdateItem: orders
            CheckItems: ConditionCheckItem: customers makers shops
        "#]],
    );
}

#[test]
fn the_default_namespace_matches_the_metrics() {
    #[cfg(feature = "aws")]
    assert_eq!(NAMESPACE, referee::metrics::NAMESPACE);
    assert_eq!(NAMESPACE, "Referee");
}

/// The conditions of the statements that allow writes, one per line.
fn check_written(rules: &str, expected: &Expect) {
    let policy = iam::policy(&load(rules), &deployment());
    let mut lines = String::new();
    for statement in policy.statements.iter().filter(|it| it.sid.starts_with("WriteItems")) {
        let name = |arn: &String| arn.split_once(":table/").unwrap().1.to_owned();
        let resources: Vec<String> = statement.resources.iter().map(name).collect();
        let keys = statement.condition.as_ref().map_or("any key".to_owned(), |condition| {
            format!("{} {} {}", condition.operator, condition.key, condition.values.join(" "))
        });
        writeln!(lines, "{}: {}: {keys}", statement.sid, resources.join(" ")).unwrap();
    }
    expected.assert_eq(&lines);
}

#[test]
fn writes_are_limited_to_the_literal_beginnings_of_keys() {
    check_written(
        &members(""),
        &expect![[r#"
        WriteItemsDeletePut: by_user: ForAllValues:StringLike dynamodb:LeadingKeys user#*
    "#]],
    );
    check_written(
        &members(", on_mirror_delete: delete_source"),
        &expect![[r#"
        WriteItemsDelete: app: ForAllValues:StringLike dynamodb:LeadingKeys company#*
        WriteItemsDeletePutUpdate: by_user: ForAllValues:StringLike dynamodb:LeadingKeys user#*
    "#]],
    );
    // The key of an order begins with a capture.
    check_written(
        &orders("on_missing: delete"),
        &expect![[r#"
        WriteItemsDelete: orders: any key
    "#]],
    );
    let fixed = "version: 1
tables: { app: { key: [pk, sk] }, other: { key: [pk, sk] }, third: { key: [pk, sk] }, fourth: { key: [pk, sk] } }
entities:
  a: { table: app, key: { pk: \"a*?$#{a}\", sk: a } }
  a_of: { table: other, key: { pk: all, sk: \"{a}\" } }
  c_of: { table: fourth, key: { pk: \"c#{a}\", sk: c } }
  b_of: { table: third, key: { pk: \"b#{a}\", sk: b } }
mirrors:
  to_other: { source: a, mirror: a_of }
  to_fourth: { source: a, mirror: c_of }
  to_third: { source: a, mirror: b_of, on_mirror_delete: delete_source }
";
    check_written(
        fixed,
        &expect![[r#"
        WriteItemsDelete: app: ForAllValues:StringLike dynamodb:LeadingKeys a${*}${?}${$}#*
        WriteItemsDeletePut: other: ForAllValues:StringLike dynamodb:LeadingKeys all
        WriteItemsDeletePut2: fourth: ForAllValues:StringLike dynamodb:LeadingKeys c#*
        WriteItemsDeletePutUpdate: third: ForAllValues:StringLike dynamodb:LeadingKeys b#*
    "#]],
    );
}
