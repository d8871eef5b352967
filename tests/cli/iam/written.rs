//! Policies in JSON and in HCL.

use std::io::Write as _;
use std::process::{Command, Stdio};

use expect_test::expect;
use referee::iam::{self, Deployment};

use crate::iam::{deployment, load, members, orders};

fn whole() -> iam::Policy {
    let anywhere = Deployment {
        region: None,
        account: None,
        namespace: Some("App ${stage}".to_owned()),
        failures_bucket: Some("failed-records".to_owned()),
        audits: false,
        ..deployment()
    };
    iam::policy(&load(&orders("on_missing: unset\n    on_delete: cascade")), &anywhere)
}

#[test]
fn a_policy_in_json() {
    expect![[r#"
        {
          "Version": "2012-10-17",
          "Statement": [
            {
              "Sid": "ReadStreams",
              "Effect": "Allow",
              "Action": [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator"
              ],
              "Resource": [
                "arn:aws:dynamodb:*:*:table/customers/stream/*",
                "arn:aws:dynamodb:*:*:table/orders/stream/*"
              ]
            },
            {
              "Sid": "ListStreams",
              "Effect": "Allow",
              "Action": [
                "dynamodb:ListStreams"
              ],
              "Resource": [
                "*"
              ]
            },
            {
              "Sid": "ReadItems",
              "Effect": "Allow",
              "Action": [
                "dynamodb:BatchGetItem"
              ],
              "Resource": [
                "arn:aws:dynamodb:*:*:table/customers",
                "arn:aws:dynamodb:*:*:table/orders"
              ]
            },
            {
              "Sid": "QueryItems",
              "Effect": "Allow",
              "Action": [
                "dynamodb:Query"
              ],
              "Resource": [
                "arn:aws:dynamodb:*:*:table/orders/index/by_customer"
              ]
            },
            {
              "Sid": "WriteItemsDeleteUpdate",
              "Effect": "Allow",
              "Action": [
                "dynamodb:DeleteItem",
                "dynamodb:UpdateItem"
              ],
              "Resource": [
                "arn:aws:dynamodb:*:*:table/orders"
              ]
            },
            {
              "Sid": "CheckItems",
              "Effect": "Allow",
              "Action": [
                "dynamodb:ConditionCheckItem"
              ],
              "Resource": [
                "arn:aws:dynamodb:*:*:table/customers"
              ]
            },
            {
              "Sid": "PublishMetrics",
              "Effect": "Allow",
              "Action": [
                "cloudwatch:PutMetricData"
              ],
              "Resource": [
                "*"
              ],
              "Condition": {
                "StringEquals": {
                  "cloudwatch:namespace": "App ${stage}"
                }
              }
            },
            {
              "Sid": "WriteLogs",
              "Effect": "Allow",
              "Action": [
                "logs:CreateLogStream",
                "logs:PutLogEvents"
              ],
              "Resource": [
                "arn:aws:logs:*:*:log-group:/aws/lambda/referee:*"
              ]
            },
            {
              "Sid": "FindFailures",
              "Effect": "Allow",
              "Action": [
                "s3:ListBucket"
              ],
              "Resource": [
                "arn:aws:s3:::failed-records"
              ]
            },
            {
              "Sid": "KeepFailures",
              "Effect": "Allow",
              "Action": [
                "s3:PutObject"
              ],
              "Resource": [
                "arn:aws:s3:::failed-records/*"
              ]
            }
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&whole()).unwrap());
}

#[test]
fn a_policy_in_hcl() {
    let hcl = whole().to_hcl();
    expect![[r#"
        data "aws_iam_policy_document" "referee" {
          statement {
            sid = "ReadStreams"
            actions = [
              "dynamodb:DescribeStream",
              "dynamodb:GetRecords",
              "dynamodb:GetShardIterator",
            ]
            resources = [
              "arn:aws:dynamodb:*:*:table/customers/stream/*",
              "arn:aws:dynamodb:*:*:table/orders/stream/*",
            ]
          }

          statement {
            sid       = "ListStreams"
            actions   = ["dynamodb:ListStreams"]
            resources = ["*"]
          }

          statement {
            sid     = "ReadItems"
            actions = ["dynamodb:BatchGetItem"]
            resources = [
              "arn:aws:dynamodb:*:*:table/customers",
              "arn:aws:dynamodb:*:*:table/orders",
            ]
          }

          statement {
            sid       = "QueryItems"
            actions   = ["dynamodb:Query"]
            resources = ["arn:aws:dynamodb:*:*:table/orders/index/by_customer"]
          }

          statement {
            sid = "WriteItemsDeleteUpdate"
            actions = [
              "dynamodb:DeleteItem",
              "dynamodb:UpdateItem",
            ]
            resources = ["arn:aws:dynamodb:*:*:table/orders"]
          }

          statement {
            sid       = "CheckItems"
            actions   = ["dynamodb:ConditionCheckItem"]
            resources = ["arn:aws:dynamodb:*:*:table/customers"]
          }

          statement {
            sid       = "PublishMetrics"
            actions   = ["cloudwatch:PutMetricData"]
            resources = ["*"]

            condition {
              test     = "StringEquals"
              variable = "cloudwatch:namespace"
              values   = ["App $${stage}"]
            }
          }

          statement {
            sid = "WriteLogs"
            actions = [
              "logs:CreateLogStream",
              "logs:PutLogEvents",
            ]
            resources = ["arn:aws:logs:*:*:log-group:/aws/lambda/referee:*"]
          }

          statement {
            sid       = "FindFailures"
            actions   = ["s3:ListBucket"]
            resources = ["arn:aws:s3:::failed-records"]
          }

          statement {
            sid       = "KeepFailures"
            actions   = ["s3:PutObject"]
            resources = ["arn:aws:s3:::failed-records/*"]
          }
        }
    "#]]
    .assert_eq(&hcl);
    for text in [hcl, iam::policy(&load(&members("")), &deployment()).to_hcl()] {
        assert_formatted(&text);
    }
}

/// Asserts that `terraform fmt` leaves the text unchanged, if Terraform is installed.
fn assert_formatted(hcl: &str) {
    let mut command = Command::new("terraform");
    command.args(["fmt", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut fmt) = command.spawn() else { return };
    fmt.stdin.take().unwrap().write_all(hcl.as_bytes()).unwrap();
    let formatted = fmt.wait_with_output().unwrap();
    assert!(formatted.status.success());
    assert_eq!(String::from_utf8(formatted.stdout).unwrap(), hcl);
}
