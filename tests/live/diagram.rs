//! Tests `referee diagram system --live` against an emulator of DynamoDB, Lambda, CloudWatch and its
//! logs, if it runs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_cloudwatch::types::{ComparisonOperator, StateValue, Statistic};
use aws_sdk_dynamodb::types::StreamViewType;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use expect_test::expect;
use kit::endpoint;
use libtest_mimic::Trial;
use referee::aws::{Call, JSON_1_0, JSON_1_1, SdkConfig, Service, call};
use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::store::DynamoDb;
use referee::store::schema::TableSchema;
use serde_json::{Value as Json, json};

const LAMBDA: Service = Service { id: "Lambda", name: "lambda" };
const LOGS: Service = Service { id: "CloudWatch Logs", name: "logs" };
const SCHEDULER: Service = Service { id: "Scheduler", name: "scheduler" };
const SQS: Service = Service { id: "SQS", name: "sqs" };
const STATES: Service = Service { id: "SFN", name: "states" };
const REGION: &str = "eu-west-1";

pub(crate) fn trials() -> Vec<Trial> {
    let on_emulator = |name: &str, test: fn(&str)| {
        endpoint::trial_on(endpoint::S3, format!("diagram::{name}"), move |endpoint| {
            test(endpoint);
            Ok(())
        })
    };
    vec![
        on_emulator("what_is_deployed_is_drawn", deployed),
        on_emulator("nothing_deployed_is_drawn_as_broken", nothing),
        on_emulator("denied_rights_are_named_and_the_rest_is_drawn", denied),
    ]
}

/// A system with names of its own.
struct Stage {
    endpoint: String,
    folder: PathBuf,
    name: &'static str,
    config: SdkConfig,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new(endpoint: &str, name: &'static str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let root = env!("CARGO_MANIFEST_DIR");
        let rules = fs::read_to_string(format!("{root}/events/company-user/referee.yaml"));
        let named = format!("  app:\n    name: {name}\n");
        fs::write(folder.join("referee.yaml"), rules.unwrap().replace("  app:\n", &named)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .load();
        let config = runtime.block_on(config);
        Self { endpoint: endpoint.to_owned(), folder, name, config, runtime }
    }

    /// Creates the table, and returns the ARN of its stream.
    fn table(&self) -> String {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let key = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
        let schema = TableSchema { name: self.name.to_owned(), key, indexes: Vec::new() };
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        self.runtime.block_on(async {
            DynamoDb::new(&self.config).create(&schema).await.unwrap();
            let table = client.describe_table().table_name(self.name).send().await.unwrap();
            let table = table.table.unwrap();
            let view = table.stream_specification.unwrap().stream_view_type;
            assert_eq!(view, Some(StreamViewType::NewAndOldImages));
            table.latest_stream_arn.unwrap()
        })
    }

    fn lambda(&self, path: &str, body: &Json) -> Json {
        self.post(LAMBDA, format!("/2015-03-31/{path}"), body)
    }

    fn function(&self, name: &str, variables: &Json) {
        let zip = fs::read(format!("{}/infra/placeholder.zip", env!("CARGO_MANIFEST_DIR")));
        let code = json!({ "ZipFile": BASE64_STANDARD.encode(zip.unwrap()) });
        let function = json!({
            "FunctionName": name,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Role": "arn:aws:iam::000000000000:role/referee",
            "Code": code,
            "Timeout": 60,
            "MemorySize": 512,
            "Environment": { "Variables": variables },
        });
        self.lambda("functions", &function);
    }

    fn mapping(&self, function: &str, source: &str, types: &[&str]) {
        let mapping = json!({
            "FunctionName": function,
            "EventSourceArn": source,
            "StartingPosition": "TRIM_HORIZON",
            "BatchSize": 100,
            "BisectBatchOnFunctionError": true,
            "FunctionResponseTypes": types,
            "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:s3:::failed" } },
        });
        self.lambda("event-source-mappings", &mapping);
    }

    fn log_group(&self) {
        let group = format!("/aws/lambda/{}", self.name);
        for (operation, body) in [
            ("CreateLogGroup", json!({ "logGroupName": group })),
            ("PutRetentionPolicy", json!({ "logGroupName": group, "retentionInDays": 30 })),
        ] {
            self.json(LOGS, &format!("Logs_20140328.{operation}"), &body);
        }
    }

    /// Creates a queue, with another one for what is received too often, and returns its ARN.
    fn queue(&self) -> String {
        let arn = |name: &str| format!("arn:aws:sqs:{REGION}:000000000000:{name}");
        let dead = format!("{}-dead", self.name);
        self.json(SQS, "AmazonSQS.CreateQueue", &json!({ "QueueName": dead }));
        let policy = json!({ "deadLetterTargetArn": arn(&dead), "maxReceiveCount": 3 });
        let name = format!("{}-recheck", self.name);
        let attributes = json!({ "RedrivePolicy": policy.to_string() });
        let body = json!({ "QueueName": name, "Attributes": attributes });
        self.json(SQS, "AmazonSQS.CreateQueue", &body);
        arn(&name)
    }

    /// Creates a state machine that invokes the function, and a schedule that starts it.
    fn audit(&self) {
        let role = "arn:aws:iam::000000000000:role/referee";
        let function = format!("arn:aws:lambda:{REGION}:000000000000:function:{}", self.name);
        let states = json!({ "Audit": { "Type": "Task", "Resource": function, "End": true } });
        let definition = json!({ "StartAt": "Audit", "States": states }).to_string();
        let name = format!("{}-audit", self.name);
        let body = json!({ "name": name, "definition": definition, "roleArn": role });
        let machine = self.json(STATES, "AWSStepFunctions.CreateStateMachine", &body);
        let schedule = json!({
            "ScheduleExpression": "cron(0 3 * * ? *)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": { "Arn": machine.get("stateMachineArn"), "RoleArn": role },
        });
        self.post(SCHEDULER, format!("/schedules/{name}"), &schedule);
    }

    fn json(&self, service: Service, target: &str, body: &Json) -> Json {
        let version = if service.name == "logs" { JSON_1_1 } else { JSON_1_0 };
        self.answer(&Call::json(service, version, target, body))
    }

    /// Creates what belongs at a path.
    fn post(&self, service: Service, path: String, body: &Json) -> Json {
        self.answer(&Call {
            method: "POST",
            headers: vec![("content-type", "application/json")],
            body: body.to_string(),
            ..Call::get(service, "Create", path)
        })
    }

    fn answer(&self, request: &Call<'_>) -> Json {
        let answer = self.runtime.block_on(call(&self.config, request, 0));
        answer.unwrap_or_else(|error| panic!("{:?} {}: {error}", request.service, request.path))
    }

    fn alarm(&self, name: &str, action: Option<&str>, state: StateValue) {
        let client = aws_sdk_cloudwatch::Client::new(&self.config);
        let alarm = client
            .put_metric_alarm()
            .alarm_name(name)
            .namespace(self.name)
            .metric_name("Violations")
            .statistic(Statistic::Sum)
            .period(60)
            .evaluation_periods(1)
            .threshold(0.0)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .set_alarm_actions(action.map(|action| vec![action.to_owned()]));
        let state = client.set_alarm_state().alarm_name(name).state_value(state);
        self.runtime.block_on(async {
            alarm.send().await.unwrap();
            state.state_reason("test").send().await.unwrap();
        });
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_referee"));
        command.current_dir(&self.folder).env_clear();
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", REGION),
            ("AWS_ENDPOINT_URL", &self.endpoint),
        ] {
            command.env(name, value);
        }
        command.args(["diagram", "system", "--live", "--function", self.name]);
        command
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn deployed(endpoint: &str) {
    let stage = Stage::new(endpoint, "diagram-deployed");
    let stream = stage.table();
    stage.function(stage.name, &json!({ "REFEREE_NAMESPACE": stage.name, "TOKEN": "hunter2" }));
    stage.mapping(stage.name, &stream, &[]);
    for other in ["diagram-search", "diagram-analytics"] {
        stage.function(other, &json!({}));
        stage.mapping(other, &stream, &["ReportBatchItemFailures"]);
    }
    stage.mapping(stage.name, &stage.queue(), &["ReportBatchItemFailures"]);
    stage.audit();
    stage.log_group();
    let topic = format!("arn:aws:sns:{REGION}:000000000000:on-call");
    stage.alarm("diagram-deployed-violations", Some(&topic), StateValue::Ok);
    stage.alarm("diagram-deployed-silent", None, StateValue::Alarm);
    let output = stage.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        flowchart LR
            n0["table<br/><b>diagram-deployed</b><br/>warning<br/>key: pk (S), sk (S)<br/>stream: NEW#95;AND#95;OLD#95;IMAGES<br/>TTL: off"]
            n1["function<br/><b>diagram-deployed</b><br/>runtime: provided.al2023<br/>memory: 512 MB<br/>timeout: 60 s"]
            n2["event source mapping<br/><b>diagram-deployed → diagram-deployed</b><br/>broken<br/>state: enabled<br/>batch: 100 records<br/>batch item failures: not reported<br/>failed batches: halved<br/>repeated: until the stream deletes it<br/>filter: none<br/>begins at: TRIM#95;HORIZON<br/>given up: failed"]
            n3["bucket<br/><b>failed</b>"]
            n4["other function<br/><b>diagram-analytics</b>"]
            n5["other function<br/><b>diagram-search</b>"]
            n6["queue<br/><b>diagram-deployed-recheck</b><br/>receives: at most 3<br/>state: enabled<br/>batch: 100 messages<br/>batch item failures: reported"]
            n7["queue<br/><b>diagram-deployed-dead</b>"]
            n8["log group<br/><b>/aws/lambda/diagram-deployed</b><br/>kept: 30 days"]
            n9["metrics<br/><b>CloudWatch</b><br/>diagram-deployed: 2 alarms"]
            n10["alarms<br/><b>CloudWatch</b><br/>broken<br/>silent: ALARM, notifies nobody<br/>violations: OK"]
            n11["topic<br/><b>on-call</b>"]
            n12["state machine<br/><b>diagram-deployed-audit</b>"]
            n13["schedule<br/><b>audit</b><br/>starts at: cron(0 3 #42; #42; ? #42;)<br/>time zone: Europe/Berlin"]
            n0 -->|"stream"| n2
            n2 -->|"batches"| n1
            n2 -->|"given up"| n3
            n0 -->|"stream"| n4
            n0 -->|"stream"| n5
            n1 -->|"mirror membership"| n0
            n1 -->|"suspects"| n6
            n6 -->|"after the grace period"| n1
            n6 -->|"dead letters"| n7
            n1 -->|"violations"| n8
            n1 -->|"counts"| n9
            n9 -->|"thresholds"| n10
            n10 -->|"notify"| n11
            n12 -->|"audits"| n1
            n13 -->|"starts"| n12
            classDef warning stroke:#b37400,stroke-width:2px
            class n0 warning
            classDef broken stroke:#c2302b,stroke-width:3px
            class n2,n10 broken
    "#]].assert_eq(&String::from_utf8(output.stdout.clone()).unwrap());
    expect![[r#"
        broken[no_batch_item_failures]: the event source mapping from table `diagram-deployed` does not have ReportBatchItemFailures, so what the function returns for redelivery is lost
        help: set `function_response_types = ["ReportBatchItemFailures"]`

        broken[alarm_without_action]: the alarm `diagram-deployed-silent` has no enabled action, so it notifies nobody
        help: set `alarm_actions` to the ARN of an SNS topic

        warning[too_many_readers]: 3 functions read the stream of table `diagram-deployed`, but each shard allows 2 readers: `diagram-analytics`, `diagram-deployed`, `diagram-search`
        help: let one function pass the records on, for example through EventBridge

        warning[alarm_fires]: the alarm `diagram-deployed-silent` is in the state ALARM
        help: the description of each alarm says what to do

    "#]].assert_eq(&stderr(&output));
    let page = stage.command().args(["--format", "html"]).output().unwrap();
    assert!(!String::from_utf8(page.stdout).unwrap().contains("hunter2"));
}

fn nothing(endpoint: &str) {
    let stage = Stage::new(endpoint, "diagram-nothing");
    let output = stage.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        broken[table_missing]: table `diagram-nothing` does not exist
        help: check the `name` of the table in the rule file, the account and the Region

        broken[function_missing]: there is no function `diagram-nothing`
        help: deploy it, or name it with --function

    "#]]
    .assert_eq(&stderr(&output));
}

fn denied(endpoint: &str) {
    let stage = Stage::new(endpoint, "diagram-denied");
    stage.table();
    let refusing = refusing();
    let mut command = stage.command();
    for service in ["LAMBDA", "CLOUDWATCH", "CLOUDWATCH_LOGS", "SCHEDULER"] {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), &refusing);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stdout.clone()).unwrap().contains("<b>diagram-denied</b>"));
    expect![[r#"
        note: not in the picture: function `diagram-denied`: `GetFunction`: AccessDeniedException: not authorized

        note: not in the picture: the event source mappings: `ListEventSourceMappings`: AccessDeniedException: not authorized

        note: not in the picture: the log group `/aws/lambda/diagram-denied`: `DescribeLogGroups`: AccessDeniedException: not authorized

        note: not in the picture: the regular audit: `ListSchedules`: AccessDeniedException: not authorized

        note: not in the picture: the alarms: `DescribeAlarms`: AccessDenied: not authorized

        error: incomplete: the picture lacks function `diagram-denied`, the event source mappings, the log group `/aws/lambda/diagram-denied`, the regular audit, the alarms
    "#]].assert_eq(&stderr(&output));
}

/// An endpoint at which nothing is allowed.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let (mut length, mut is_cbor) = (0, false);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                let line = line.to_ascii_lowercase();
                is_cbor |= line.starts_with("smithy-protocol:");
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            // CloudWatch speaks CBOR: a map with two texts.
            let json =
                br#"{"__type":"AccessDeniedException","Message":"not authorized"}"#.as_slice();
            let cbor = b"\xa2\x66__type\x6cAccessDenied\x67message\x6enot authorized".as_slice();
            let (kind, body) = if is_cbor { ("cbor", cbor) } else { ("json", json) };
            let head = "HTTP/1.1 403 Forbidden\r\nsmithy-protocol: rpc-v2-cbor\r\n";
            let (length, close) = (body.len(), "connection: close");
            let _ = write!(
                &stream,
                "{head}content-type: application/{kind}\r\n{close}\r\ncontent-length: {length}\r\n\r\n"
            );
            let _ = (&stream).write_all(body);
        }
    });
    url
}
