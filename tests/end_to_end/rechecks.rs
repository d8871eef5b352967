//! Suspects that wait on a queue. The queue is an emulator's, and its messages are delivered as an
//! event source mapping does.

use std::time::Duration;

use expect_test::expect;
use kit::runtime_api::Invoked;
use referee::aws::{Call, JSON_1_0, SdkConfig, Service, call, configure};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use crate::audit::divergences;
use crate::rules;
use crate::stage::{Environment, Stage};

/// The time within which all messages are delivered, in milliseconds. The grace period is two
/// seconds.
const DELIVERED_MS_MAX: u64 = 20_000;

/// A queue, and its event source mapping.
struct Queue<'s> {
    stage: &'s Stage,
    config: SdkConfig,
    url: String,
}

/// A message that was received.
struct Message {
    id: String,
    /// With which it is deleted.
    handle: String,
    body: String,
}

impl<'s> Queue<'s> {
    /// Creates a queue for the function.
    async fn new(stage: &'s Stage, endpoint: &str) -> Self {
        let config = configure(Some(endpoint)).await;
        let created = request(&config, "CreateQueue", json!({ "QueueName": stage.table() })).await;
        let url = created["QueueUrl"].as_str().unwrap().to_owned();
        stage.lambda.set_env("AWS_ENDPOINT_URL_SQS", endpoint);
        stage.lambda.set_env("REFEREE_RECHECK_QUEUE", &url);
        Self { stage, config, url }
    }

    /// Sends a request about this queue.
    async fn request(&self, operation: &str, mut body: Json) -> Json {
        body["QueueUrl"] = json!(self.url);
        request(&self.config, operation, body).await
    }

    async fn send(&self, message: &str) {
        self.request("SendMessage", json!({ "MessageBody": message })).await;
    }

    /// Receives the messages that are visible now.
    async fn receive(&self) -> Vec<Message> {
        let body = json!({ "MaxNumberOfMessages": 10, "VisibilityTimeout": 1 });
        let answer = self.request("ReceiveMessage", body).await;
        let text = |message: &Json, name: &str| message[name].as_str().unwrap().to_owned();
        let message = |message| Message {
            id: text(message, "MessageId"),
            handle: text(message, "ReceiptHandle"),
            body: text(message, "Body"),
        };
        answer["Messages"].as_array().into_iter().flatten().map(message).collect()
    }

    /// Invokes the function with messages, and returns its answer.
    async fn invoke(&self, messages: &[Message]) -> Json {
        let record = |message: &Message| {
            json!({
                "messageId": message.id,
                "receiptHandle": message.handle,
                "body": message.body,
                "attributes": { "ApproximateReceiveCount": "1" },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:recheck",
                "awsRegion": "us-east-1",
            })
        };
        let records: Vec<Json> = messages.iter().map(record).collect();
        let invoked = self.stage.lambda.invoke(json!({ "Records": records }).to_string()).await;
        let Invoked::Answer(answer) = invoked else { panic!("{invoked:?}") };
        serde_json::from_slice(&answer).unwrap()
    }

    /// The number of messages on the queue, also of those that are delayed or invisible.
    async fn len(&self) -> u32 {
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        ];
        let answer = self.request("GetQueueAttributes", json!({ "AttributeNames": names })).await;
        let number = |name: &&str| answer["Attributes"][*name].as_str()?.parse::<u32>().ok();
        names.iter().map(|name| number(name).unwrap()).sum()
    }

    /// Delivers messages, each twice, until there are no more.
    async fn drain(&self) {
        let limit = Instant::now() + Duration::from_millis(DELIVERED_MS_MAX);
        while self.len().await > 0 {
            assert!(Instant::now() < limit, "messages are left");
            let messages = self.receive().await;
            if messages.is_empty() {
                sleep(Duration::from_millis(100)).await;
                continue;
            }
            for _ in 0..2 {
                assert_eq!(self.invoke(&messages).await, json!({ "batchItemFailures": [] }));
            }
            for message in &messages {
                self.request("DeleteMessage", json!({ "ReceiptHandle": message.handle })).await;
            }
        }
    }
}

/// Sends a request to SQS.
async fn request(config: &SdkConfig, operation: &str, body: Json) -> Json {
    let (sqs, target) = (Service { id: "SQS", name: "sqs" }, format!("AmazonSQS.{operation}"));
    call(config, &Call::json(sqs, JSON_1_0, &target, &body), 0).await.unwrap()
}

/// Suspects do not delay the mirrors of later records, and are reported and repaired after their
/// grace period, once for each id.
pub(crate) async fn waited(environment: Environment) {
    let endpoint = environment.cloudwatch.clone().unwrap();
    let stage = Stage::new(environment, rules::cascading).await;
    let queue = Queue::new(&stage, &endpoint).await;
    stage.populate(1, 2).await;
    let mut mapping = stage.mapping().await.dating_records();
    mapping.drain().await;
    // A task whose owner is missing, a user whose tasks and memberships are deleted with it, and a
    // mirror that somebody deletes.
    stage.put(&[("pk", "task#1"), ("sk", "task#"), ("owner", "ghost")]).await;
    stage.put(&[("pk", "task#2"), ("sk", "task#"), ("owner", "0")]).await;
    stage.delete("user#0", "user#").await;
    stage.delete("user#1", "company#0").await;
    stage.put(&[("pk", "company#0"), ("sk", "user#1"), ("role", "last")]).await;
    mapping.drain().await;
    assert_eq!(stage.violations(), "");
    let batches = stage.logged("batch processed");
    let slowest_ms = batches.iter().filter_map(|line| line["duration_ms"].as_u64()).max();
    assert!(slowest_ms < Some(2_000), "a batch waited for a grace period: {batches:?}");
    let queued: u64 = batches.iter().filter_map(|line| line["queued"].as_u64()).sum();
    assert!(queued >= 3, "{batches:?}");
    assert!(stage.logged("suspects not queued").is_empty());

    assert!(queue.len().await > 0);
    queue.drain().await;
    mapping.drain().await;
    expect![[r#"
        company#0 / company#
        company#0 / user#1 role=last
        * user#1 / company#0 role=last
        user#1 / user#
    "#]]
    .assert_eq(&stage.dump().await);
    assert_eq!(divergences(&stage).await, Vec::<String>::new());
    expect![[r#"
        member_user orphaned: company#0 / user#0 -> user#0 / user#: repaired
        task_owner dangling_reference: task#1 / task# -> user#ghost / user#: repaired
        task_owner dangling_reference: task#2 / task# -> user#0 / user#: repaired
    "#]]
    .assert_eq(&stage.violations());

    // A message that cannot be read is not deleted. In AWS, it reaches the dead-letter queue.
    queue.send("nonsense").await;
    let messages = queue.receive().await;
    let answer = queue.invoke(&messages).await;
    let id = &messages[0].id;
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": id }] }));
    assert_eq!(stage.logged("message rejected").len(), 1);
}

/// If the queue is down, suspects wait in their batch, and nothing is lost.
pub(crate) async fn down(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    // Nobody listens there.
    stage.lambda.set_env("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9");
    stage.lambda.set_env("REFEREE_RECHECK_QUEUE", "http://127.0.0.1:9/000000000000/recheck");
    let mut mapping = stage.mapping().await.dating_records();
    stage.put(&[("pk", "company#0"), ("sk", "user#8"), ("role", "ghost")]).await;
    mapping.drain().await;
    expect![[r#"
        member_company dangling_reference: company#0 / user#8 -> company#0 / company#: reported
        member_user dangling_reference: company#0 / user#8 -> user#8 / user#: reported
    "#]]
    .assert_eq(&stage.violations());
    let lines = stage.logged("suspects not queued");
    assert_eq!(lines[0]["suspects"], 2, "{lines:?}");
}
