//! `referee iam` as a process.

#![expect(clippy::indexing_slicing, reason = "a panic fails the test")]

use expect_test::expect;

use kit::tool::Tool;

fn tool(name: &str) -> Tool {
    kit::tool!(name, &std::fs::read_to_string("events/company-user/referee.yaml").unwrap())
}

#[test]
fn options_set_the_resources_of_the_policy() {
    let tool = tool("iam");
    tool.check(
        &["iam", "--observe", "--json", "--region", "eu-west-1", "--partition", "aws-cn"],
        expect![[r#"
            exit code 0
            --- stdout
            {"Version":"2012-10-17","Statement":[{"Sid":"ReadStreams","Effect":"Allow","Action":["dynamodb:DescribeStream","dynamodb:GetRecords","dynamodb:GetShardIterator"],"Resource":["arn:aws-cn:dynamodb:eu-west-1:*:table/app/stream/*"]},{"Sid":"ListStreams","Effect":"Allow","Action":["dynamodb:ListStreams"],"Resource":["*"]},{"Sid":"ReadItems","Effect":"Allow","Action":["dynamodb:BatchGetItem"],"Resource":["arn:aws-cn:dynamodb:eu-west-1:*:table/app"]},{"Sid":"QueryItems","Effect":"Allow","Action":["dynamodb:Query"],"Resource":["arn:aws-cn:dynamodb:eu-west-1:*:table/app"]},{"Sid":"PublishMetrics","Effect":"Allow","Action":["cloudwatch:PutMetricData"],"Resource":["*"],"Condition":{"StringEquals":{"cloudwatch:namespace":"Referee"}}},{"Sid":"WriteLogs","Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":["arn:aws-cn:logs:eu-west-1:*:log-group:/aws/lambda/referee:*"]}]}
            --- stderr
        "#]],
    );
    let arguments = ["--account", "123456789012", "--function", "mine", "--metrics", "emf"];
    tool.check(
        &[&["iam", "--format", "hcl"][..], &arguments].concat(),
        expect![[r#"
            exit code 0
            --- stdout
            data "aws_iam_policy_document" "referee" {
              statement {
                sid = "ReadStreams"
                actions = [
                  "dynamodb:DescribeStream",
                  "dynamodb:GetRecords",
                  "dynamodb:GetShardIterator",
                ]
                resources = ["arn:aws:dynamodb:*:123456789012:table/app/stream/*"]
              }

              statement {
                sid       = "ListStreams"
                actions   = ["dynamodb:ListStreams"]
                resources = ["*"]
              }

              statement {
                sid       = "ReadItems"
                actions   = ["dynamodb:BatchGetItem"]
                resources = ["arn:aws:dynamodb:*:123456789012:table/app"]
              }

              statement {
                sid       = "QueryItems"
                actions   = ["dynamodb:Query"]
                resources = ["arn:aws:dynamodb:*:123456789012:table/app"]
              }

              statement {
                sid = "WriteItemsDeletePut"
                actions = [
                  "dynamodb:DeleteItem",
                  "dynamodb:PutItem",
                ]
                resources = ["arn:aws:dynamodb:*:123456789012:table/app"]

                condition {
                  test     = "ForAllValues:StringLike"
                  variable = "dynamodb:LeadingKeys"
                  values   = ["user#*"]
                }
              }

              statement {
                sid = "WriteLogs"
                actions = [
                  "logs:CreateLogStream",
                  "logs:PutLogEvents",
                ]
                resources = ["arn:aws:logs:*:123456789012:log-group:/aws/lambda/mine:*"]
              }
            }
            --- stderr
        "#]],
    );
    let renamed = tool.command(&["iam", "--namespace", "Mine"]).output().unwrap().stdout;
    assert!(String::from_utf8(renamed).unwrap().contains(r#""cloudwatch:namespace": "Mine""#));
    let observing = tool.command(&["iam"]).env("REFEREE_MODE", "observe").output().unwrap().stdout;
    assert!(!String::from_utf8(observing).unwrap().contains("WriteItems"));
}

/// The statements of the policy that these arguments print, by their names.
fn statement(tool: &Tool, arguments: &[&str], sid: &str) -> serde_json::Value {
    let output = tool.command(&[&["iam", "--json"], arguments].concat()).output().unwrap();
    let policy: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut statements = policy["Statement"].as_array().unwrap().iter();
    statements.find(|it| it["Sid"] == sid).cloned().unwrap_or_default()
}

#[test]
fn the_bucket_of_failed_records_has_a_known_owner() {
    let tool = tool("iam-owner");
    let bucket = ["--on-failure", "failed"];
    let owner = |arguments: &[&str]| {
        let arguments = [&bucket, arguments].concat();
        statement(&tool, &arguments, "KeepFailures")["Condition"].to_string()
    };
    let ours = r#"{"StringEquals":{"s3:ResourceAccount":"123456789012"}}"#;
    let theirs = r#"{"StringEquals":{"s3:ResourceAccount":"210987654321"}}"#;
    assert_eq!(owner(&[]), "null");
    assert_eq!(owner(&["--account", "123456789012"]), ours);
    let both = ["--account", "123456789012", "--on-failure-account", "210987654321"];
    assert_eq!(owner(&both), theirs);
    assert_eq!(owner(&["--on-failure-account", "210987654321"]), theirs);
}

#[test]
fn keys_of_tables_may_be_used_through_dynamodb_only() {
    let tool = tool("iam-keys");
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let of = |arguments: &[&str]| statement(&tool, arguments, "UseKeysOfTables").to_string();
    assert_eq!(of(&[]), "null");
    expect![[r#"{"Action":["kms:Decrypt"],"Condition":{"StringEquals":{"kms:ViaService":"dynamodb.eu-west-1.amazonaws.com"}},"Effect":"Allow","Resource":["arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],"Sid":"UseKeysOfTables"}"#]]
        .assert_eq(&of(&["--kms", key, "--region", "eu-west-1"]));
    let anywhere = of(&["--kms", key, "--partition", "aws-cn"]);
    assert!(
        anywhere.contains(r#"{"StringLike":{"kms:ViaService":"dynamodb.*.amazonaws.com.cn"}}"#)
    );
    let both = of(&["--kms", key, "--kms", "arn:aws:kms:eu-west-1:123456789012:key/other"]);
    assert!(both.contains("key/other") && both.contains(key), "{both}");
    tool.check(&["iam", "--kms", "alias/tables"], expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value 'alias/tables' for '--kms <ARN>': it must be the ARN of a key: `arn:aws:kms:REGION:ACCOUNT:key/ID`

        For more information, try '--help'.
    "#]]);
}

#[test]
fn the_resource_policy_reserves_the_mark() {
    let tool = tool("iam-mark");
    let role = "arn:aws:iam::123456789012:role/referee";
    let place = ["--region", "eu-west-1", "--account", "123456789012"];
    let of = |table| [&["iam", "--resource-policy", table, "--role", role][..], &place].concat();
    tool.check(&of("app"), expect![[r#"
        exit code 0
        --- stdout
        {
          "Statement": [
            {
              "Action": [
                "dynamodb:BatchWriteItem",
                "dynamodb:PartiQLInsert",
                "dynamodb:PartiQLUpdate",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem"
              ],
              "Condition": {
                "ArnNotEquals": {
                  "aws:PrincipalArn": [
                    "arn:aws:iam::123456789012:role/referee",
                    "arn:aws:iam::123456789012:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"
                  ]
                },
                "BoolIfExists": {
                  "aws:PrincipalIsAWSService": "false"
                },
                "ForAnyValue:StringEquals": {
                  "dynamodb:Attributes": [
                    "_referee"
                  ]
                }
              },
              "Effect": "Deny",
              "Principal": "*",
              "Resource": [
                "arn:aws:dynamodb:eu-west-1:123456789012:table/app"
              ],
              "Sid": "ReserveMark"
            }
          ],
          "Version": "2012-10-17"
        }
        --- stderr
    "#]]);
    tool.check(
        &of("ap"),
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: there is no table `ap` in the rules, which have `app`
    "#]],
    );
    tool.check(
        &[&of("app")[..], &["--format", "hcl"]].concat(),
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: `--resource-policy` cannot be used with `--format hcl`
    "#]],
    );
    for missing in ["--role", "--region", "--account"] {
        let mut arguments = of("app");
        let position = arguments.iter().position(|argument| *argument == missing).unwrap();
        arguments.drain(position..position + 2);
        let output = tool.command(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{missing}");
    }
}

/// What IAM documents of the operators in this policy, applied to requests.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>
#[test]
fn the_resource_policy_denies_the_mark_to_everyone_else() {
    let tool = tool("iam-mark-denies");
    let ours = "arn:aws:iam::123456789012:role/referee";
    let arguments = ["iam", "--json", "--resource-policy", "app", "--role", ours];
    let arguments = [&arguments[..], &["--region", "eu-west-1", "--account", "123456789012"]];
    let output = tool.command(&arguments.concat()).output().unwrap();
    let policy: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let statement = &policy["Statement"][0];
    let has = |list: &serde_json::Value, text: &str| {
        list.as_array().unwrap().iter().any(|value| value == text)
    };
    let is_denied = |action: &str, attributes: &[&str], principal: &str| {
        let condition = &statement["Condition"];
        let marks = &condition["ForAnyValue:StringEquals"]["dynamodb:Attributes"];
        let exempt = &condition["ArnNotEquals"]["aws:PrincipalArn"];
        has(&statement["Action"], action)
            && attributes.iter().any(|attribute| has(marks, attribute))
            && !has(exempt, principal)
    };
    let theirs = "arn:aws:iam::123456789012:role/shop";
    let replication = "arn:aws:iam::123456789012:role/aws-service-role/\
        replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication";
    for action in ["PutItem", "UpdateItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate"] {
        let action = format!("dynamodb:{action}");
        assert!(is_denied(&action, &["pk", "_referee"], theirs), "{action}");
        assert!(!is_denied(&action, &["pk", "role"], theirs), "{action}");
        assert!(!is_denied(&action, &["pk", "_referee"], ours), "{action}");
        assert!(!is_denied(&action, &["pk", "_referee"], replication), "{action}");
    }
    assert!(!is_denied("dynamodb:GetItem", &["_referee"], theirs));
    assert_eq!(statement["Condition"]["BoolIfExists"]["aws:PrincipalIsAWSService"], "false");
}

#[test]
fn invalid_arguments_are_refused() {
    let tool = tool("iam-refusals");
    tool.check(
        &["iam", "--format", "hcl", "--json"],
        expect![[r#"
            exit code 2
            --- stdout
            --- stderr
            error: `--json` cannot be used with `--format hcl`
        "#]],
    );
    tool.check(&["iam", "--account", "1*"], expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value '1*' for '--account <ACCOUNT>': it must consist of letters, digits and `-_.`

        For more information, try '--help'.
    "#]]);
    tool.check(&["iam", "--namespace", "${x}"], expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: invalid value '${x}' for '--namespace <NAME>': it must consist of letters, digits, spaces and `.-_/#:`

        For more information, try '--help'.
    "#]]);
}

#[test]
fn repairs_need_the_actions_of_their_plans_and_of_undo() {
    let tool = tool("iam-repair");
    let arguments = ["--region", "eu-west-1", "--account", "123456789012"];
    let repair = ["iam", "--repair", "--json"];
    tool.check(&[&repair[..], &arguments].concat(), expect![[r#"
        exit code 0
        --- stdout
        {"Version":"2012-10-17","Statement":[{"Sid":"DescribeTables","Effect":"Allow","Action":["dynamodb:DescribeTable"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]},{"Sid":"ReadItems","Effect":"Allow","Action":["dynamodb:BatchGetItem"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]},{"Sid":"ScanItems","Effect":"Allow","Action":["dynamodb:Scan"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]},{"Sid":"WriteItemsDeletePutUpdate","Effect":"Allow","Action":["dynamodb:DeleteItem","dynamodb:PutItem","dynamodb:UpdateItem"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"],"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["user#*"]}}}]}
        --- stderr
    "#]]);
    let action = ["--action", "member_user=delete"];
    tool.check(&[&repair[..], &action, &arguments].concat(), expect![[r#"
        exit code 0
        --- stdout
        {"Version":"2012-10-17","Statement":[{"Sid":"DescribeTables","Effect":"Allow","Action":["dynamodb:DescribeTable"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]},{"Sid":"ReadItems","Effect":"Allow","Action":["dynamodb:BatchGetItem"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]},{"Sid":"ScanItems","Effect":"Allow","Action":["dynamodb:Scan"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]},{"Sid":"WriteItemsDeletePutUpdate","Effect":"Allow","Action":["dynamodb:DeleteItem","dynamodb:PutItem","dynamodb:UpdateItem"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"],"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["company#*","user#*"]}}},{"Sid":"CheckItems","Effect":"Allow","Action":["dynamodb:ConditionCheckItem"],"Resource":["arn:aws:dynamodb:eu-west-1:123456789012:table/app"]}]}
        --- stderr
    "#]]);
    tool.check(
        &["iam", "--repair", "--action", "none=delete"],
        expect![[r#"
        exit code 2
        --- stdout
        --- stderr
        error: the rule file has no rule `none`
    "#]],
    );
}

#[test]
fn a_queue_for_suspects_needs_permissions() {
    let tool = tool("iam-recheck");
    let arguments = ["iam", "--recheck", "referee-recheck", "--region", "eu-west-1"];
    let output = tool.command(&arguments).output().expect("the tool runs");
    let policy = String::from_utf8_lossy(&output.stdout);
    let statement = r#"{
      "Sid": "RecheckSuspects",
      "Effect": "Allow",
      "Action": [
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
        "sqs:SendMessage"
      ],
      "Resource": [
        "arn:aws:sqs:eu-west-1:*:referee-recheck"
      ]
    }"#;
    assert!(policy.contains(statement), "{policy}");
}
