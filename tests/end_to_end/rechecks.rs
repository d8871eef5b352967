//! Suspects that wait on a queue. The queue is an emulator's, and its messages are delivered as an
//! event source mapping does.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use expect_test::expect;
use kit::runtime_api::Invoked;
use referee::aws::{SdkConfig, configure};
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
    client: Client,
    url: String,
}

impl<'s> Queue<'s> {
    /// Creates a queue for the function.
    async fn new(stage: &'s Stage, endpoint: &str) -> Self {
        let config: SdkConfig = configure(Some(endpoint)).await;
        let client = Client::new(&config);
        let created = client.create_queue().queue_name(stage.table()).send().await.unwrap();
        let url = created.queue_url.unwrap();
        stage.lambda.set_env("AWS_ENDPOINT_URL_SQS", endpoint);
        stage.lambda.set_env("REFEREE_RECHECK_QUEUE", &url);
        Self { stage, client, url }
    }

    async fn send(&self, message: &str) {
        let request = self.client.send_message().queue_url(&self.url);
        request.message_body(message).send().await.unwrap();
    }

    /// Receives the messages that are visible now.
    async fn receive(&self) -> Vec<Message> {
        let request = self.client.receive_message().queue_url(&self.url);
        let received = request.max_number_of_messages(10).visibility_timeout(1).send().await;
        received.unwrap().messages.unwrap_or_default()
    }

    /// Invokes the function with messages, and returns its answer.
    async fn invoke(&self, messages: &[Message]) -> Json {
        let record = |message: &Message| {
            json!({
                "messageId": message.message_id,
                "receiptHandle": message.receipt_handle,
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
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.set_attribute_names(Some(names.to_vec())).send().await.unwrap();
        let numbers = answer.attributes.unwrap_or_default();
        numbers.values().map(|number| number.parse::<u32>().unwrap()).sum()
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
                let request = self.client.delete_message().queue_url(&self.url);
                let handle = message.receipt_handle.as_ref().unwrap();
                request.receipt_handle(handle).send().await.unwrap();
            }
        }
    }
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
    let id = messages[0].message_id.as_ref().unwrap();
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
