//! `referee guard` as a process.

use expect_test::expect;

#[test]
fn entities_and_items_are_guarded() {
    let tool =
        kit::tool!("guard", &std::fs::read_to_string("events/company-user/referee.yaml").unwrap());
    let member = r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}}"#;
    tool.check(&["guard", "member", "--format", "checks", "--json"], expect![[r##"
        exit code 0
        --- stdout
        [{ "ConditionCheck": { "TableName": "app", "Key": { "pk": { "S": "company#{company}" }, "sk": { "S": "company#" } }, "ConditionExpression": "attribute_exists(#pk)", "ExpressionAttributeNames": { "#pk": "pk" } } }, { "ConditionCheck": { "TableName": "app", "Key": { "pk": { "S": "user#{email}" }, "sk": { "S": "user#" } }, "ConditionExpression": "attribute_exists(#pk)", "ExpressionAttributeNames": { "#pk": "pk" } } }]
        --- stderr
        note: replace `{company}`, `{email}`, `{joinedAt}` and `{role}` with values
    "##]]);
    tool.check(&["guard", member, "--operation", "delete", "--json"], expect![[r##"
        exit code 0
        --- stdout
        { "TransactItems": [{ "Delete": { "TableName": "app", "Key": { "pk": { "S": "company#acme" }, "sk": { "S": "user#ada" } } } }, { "Delete": { "TableName": "app", "Key": { "pk": { "S": "user#ada" }, "sk": { "S": "company#acme" } }, "ConditionExpression": "attribute_not_exists(#pk) OR #_referee.#rule = :rule", "ExpressionAttributeNames": { "#pk": "pk", "#_referee": "_referee", "#rule": "rule" }, "ExpressionAttributeValues": { ":rule": { "S": "membership" } } } }] }
        --- stderr
    "##]]);
}

#[test]
fn invalid_arguments_are_refused() {
    let tool = kit::tool!(
        "guard-refusals",
        &std::fs::read_to_string("events/company-user/referee.yaml").unwrap(),
    );
    let member = r#"{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada"}}"#;
    tool.check(
        &["guard", "membr"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: there is no entity `membr`; did you mean `member`?
    "#]],
    );
    tool.check(
        &["guard", "member", "--table", "app"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `--table` applies only to items; an entity names its own table
        "#]],
    );
    tool.check(
        &["guard", member, "--table", "ap"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: there is no table `ap`; the rule file has `app`
    "#]],
    );
    tool.check(
        &["guard", member, "--format", "js", "--json"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `--json` requires `--format cli` or `--format checks`
        "#]],
    );
    tool.check(&["guard", r#"{"pk": "company#acme"}"#], expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the item is not DynamoDB JSON: attribute `pk`: invalid type: string "company#acme", expected a value with its type, such as {"S": "text"} at line 1 column 22
        help: it is plain JSON: add `--plain`
    "#]]);
    tool.check(
        &["guard", r#"{"pk": {"S": "x"}, "sk": {"S": "y"}}"#],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: the key matches no entity
        "#]],
    );
    tool.check(
        &["guard", "member", "--operation", "drop"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value 'drop' for '--operation <OPERATION>'
          [possible values: put, update, delete]

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn an_item_that_violates_a_rule_itself_is_a_finding() {
    let rules = "version: 1
tables: { app: { key: [id] } }
entities:
  order: { table: app, key: { id: \"order#{order}\" }, attributes: { customer: S } }
  customer: { table: app, key: { id: \"customer#{customer}\" } }
references:
  order_customer:
    { from: order, to: customer, on: { customer: \"{customer}\" }, required: true, find: none }
";
    let order = r#"{"id": {"S": "order#1"}}"#;
    kit::tool!("guard-broken", rules).check(
        &["guard", order],
        expect![[r#"
            exit code 1
            --- stdout
            --- stderr
            `order_customer` is broken: `customer` is required but absent
        "#]],
    );
}
