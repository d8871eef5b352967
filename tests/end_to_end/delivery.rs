//! How the mapping delivers batches, and how the function handles them.

use expect_test::expect;
use futures_util::future::join;
use serde_json::{Value as Json, json};

use crate::audit::divergences;
use crate::mapping::Settings;
use crate::proxy::{Fault, WRITES, When};
use crate::rules;
use crate::stage::{Environment, Stage};
use kit::runtime_api::Invoked;

pub(crate) async fn redelivered(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.populate(3, 5).await;
    stage.set("company#0", "user#0", "role", "boss").await;
    stage.delete("company#1", "user#1").await;
    stage.put(&[("pk", "company#1"), ("sk", "user#1"), ("role", "back")]).await;
    stage.delete("company#2", "user#2").await;
    let mut first = stage.mapping().await;
    first.drain().await;
    let (once, violations) = (stage.rows().await, stage.logged("violation").len());
    assert_eq!(divergences(&stage).await, Vec::<String>::new());

    // Delivers all records again from the beginning of the stream, in other batches, and most of
    // them several times.
    let settings = Settings { batch_size: 7, ..Settings::default() };
    let mut again = stage.mapping_of(&stage.table(), settings).await.losing_answers(1, 0.7);
    again.drain().await;
    assert_eq!(stage.rows().await, once);
    assert_eq!(stage.logged("violation").len(), violations);
    // Almost nothing was written again. The exception is a deleted mirror: it has no fence, so it
    // may be written and deleted again, at most twice.
    assert!(again.counts.records <= first.counts.records + 4, "{:?}", again.counts);
    assert!(again.counts.redelivered > 20, "{:?}", again.counts);
}

pub(crate) async fn poison(environment: Environment) {
    let whole = |table: &str| {
        let mut rules = rules::company(table);
        rules["mirrors"]["membership"]["copy"] = "all".into();
        rules
    };
    let stage = Stage::new(environment, whole).await;
    stage.populate(1, 2).await;
    // A membership of the maximum size of an item. Its mirror, which also has a mark, would exceed
    // this size.
    let item_bytes_max = 400 << 10;
    let filling = "x".repeat(item_bytes_max - "pkcompany#0skuser#9note".len());
    stage.put(&[("pk", "user#9"), ("sk", "user#")]).await;
    stage.put(&[("pk", "company#0"), ("sk", "user#9"), ("note", &filling)]).await;
    stage.put(&[("pk", "user#2"), ("sk", "user#")]).await;
    stage.put(&[("pk", "company#0"), ("sk", "user#2"), ("role", "after")]).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;

    assert_eq!(mapping.counts.failures, 0);
    assert_eq!(divergences(&stage).await, ["company#0 / user#9 has no mirror"]);
    assert!((stage.metric("RecordsRejected", 1.0).await - 1.0).abs() < f64::EPSILON);
    let lines = stage.logged("record rejected");
    assert!(lines.iter().all(|line| line["level"] == "ERROR"));
    // The log contains the complete payload, divided among as many lines as needed.
    let payload: String = lines.iter().map(|line| line["payload"].as_str().unwrap()).collect();
    let record: Json = serde_json::from_str(&payload).unwrap();
    assert_eq!(record["dynamodb"]["NewImage"]["note"]["S"], filling.as_str());
    let error = lines[0]["error"].as_str().unwrap().replace(&stage.table(), "app");
    expect![
        "`PutItem` on `app`: ValidationException: Item size has exceeded the maximum allowed size"
    ]
    .assert_eq(&error);
}

pub(crate) async fn unreadable(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    let stream =
        format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}/stream/x", stage.table());
    let record = |number: u32, image: Json| {
        json!({
            "eventName": "INSERT",
            "eventSourceARN": stream,
            "dynamodb": {
                "Keys": { "pk": { "S": "company#acme" }, "sk": { "S": format!("user#{number}") } },
                "NewImage": image,
                "SequenceNumber": format!("{number:021}"),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        })
    };
    let image = |user: &str, role: Json| json!({ "pk": { "S": "company#acme" }, "sk": { "S": user }, "role": role });
    let records = [
        record(1, image("user#1", json!({ "S": "first" }))),
        record(2, image("user#2", json!({ "X": "broken" }))),
        record(3, image("user#3", json!({ "S": "last" }))),
    ];
    let answer = stage.lambda.invoke(json!({ "Records": records }).to_string()).await;
    assert_eq!(answer, Invoked::Answer(r#"{"batchItemFailures":[]}"#.into()));
    let rejected = stage.logged("record rejected");
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0]["level"], "ERROR");
    let payload: Json = serde_json::from_str(rejected[0]["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload, records[1]);
    expect![[r#"
        * user#1 / company#acme role=first
        * user#3 / company#acme role=last
    "#]]
    .assert_eq(&stage.dump().await);
}

pub(crate) async fn deadline(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.populate(10, 20).await;
    stage.lambda.set_timeout_ms(1_500);
    stage.proxy.inject(&["PutItem"], When::Always, Fault::Slow(400));
    let mut mapping = stage
        .mapping_of(&stage.table(), Settings { batch_size: 1_000, ..Settings::default() })
        .await;
    mapping.drain().await;
    assert_eq!(divergences(&stage).await, Vec::<String>::new());
    // Whenever the function could not process all records, it still answered in time.
    assert!(mapping.counts.failures >= 2, "{:?}", mapping.counts);
    assert!(matches!(mapping.last_failure, Some(Invoked::Answer(_))), "{:?}", mapping.last_failure);
    assert_eq!(stage.lambda.inits(), 1);
    assert_eq!(stage.logged("records handed back").len(), mapping.counts.failures);
}

pub(crate) async fn killed_when_late(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.populate(1, 3).await;
    // The function's timeout is so short that Lambda ends it before it can answer.
    stage.lambda.set_timeout_ms(1);
    let mut mapping = stage.mapping().await;
    while mapping.counts.failures < 3 {
        mapping.round().await;
    }
    assert_eq!(mapping.last_failure, Some(Invoked::TimedOut));
    stage.lambda.set_timeout_ms(10_000);
    mapping.drain().await;
    assert_eq!(divergences(&stage).await, Vec::<String>::new());
}

pub(crate) async fn several_tables(environment: Environment) {
    let orders = format!("e2e-{}-orders", std::process::id());
    let customers = format!("e2e-{}-customers", std::process::id());
    let rules = json!({
        "version": 1,
        "tables": {
            "orders": { "name": orders, "key": ["pk", "sk"] },
            "customers": { "name": customers, "key": ["pk", "sk"] },
        },
        "entities": {
            "order": {
                "table": "orders",
                "key": { "pk": "customer#{customer}", "sk": "order#{order}" },
            },
            "customer": {
                "table": "customers",
                "key": { "pk": "customer#{customer}", "sk": "customer#" },
            },
        },
        "references": {
            "order_customer": { "from": "order", "to": "customer" },
        },
    });
    let stage = Stage::without_tables(environment, &rules).await;
    stage.create(&orders).await;
    stage.create(&customers).await;
    for customer in ["customer#1", "customer#2"] {
        stage.put_into(&customers, &[("pk", customer), ("sk", "customer#")]).await;
        for order in ["order#1", "order#2"] {
            stage.put_into(&orders, &[("pk", customer), ("sk", order)]).await;
        }
    }
    stage.put_into(&orders, &[("pk", "customer#3"), ("sk", "order#1")]).await;
    let mut of_orders = stage.mapping_of(&orders, Settings::default()).await;
    let mut of_customers = stage.mapping_of(&customers, Settings::default()).await;
    join(of_orders.drain(), of_customers.drain()).await;
    stage.delete_from(&customers, "customer#1", "customer#").await;
    join(of_orders.drain(), of_customers.drain()).await;
    expect![[r#"
        order_customer dangling_reference: customer#3 / order#1 -> customer#3 / customer#: reported
        order_customer orphaned: customer#1 / order#1 -> customer#1 / customer#: reported
    "#]]
    .assert_eq(&stage.violations());
}

pub(crate) async fn every_setting(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    let settings = Settings {
        batch_size: 10,
        maximum_batching_window_seconds: 1,
        parallelization_factor: 3,
        filters: vec![
            r#"{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"company#"}]}}}}"#,
            r#"{"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"user#"}]}}}}"#,
        ],
        ..Settings::default()
    };
    let mut mapping = stage.mapping_of(&stage.table(), settings).await;
    for number in 0..20 {
        stage.put(&[("pk", "order#1"), ("sk", &format!("line#{number}"))]).await;
    }
    stage.populate(2, 20).await;
    mapping.drain().await;
    assert_eq!(divergences(&stage).await, Vec::<String>::new());
    assert_eq!(mapping.counts.filtered_out, 20);
    assert!(stage.lambda.inits() > 1);
}

pub(crate) async fn given_up(environment: Environment) {
    let stage = Stage::new(environment, rules::company).await;
    stage.populate(1, 20).await;
    // The role lacks the permission to write one item.
    let denied = When::Mentions(r#""S":"user#13""#);
    stage.proxy.inject(WRITES, denied, Fault::AccessDenied);
    let settings = Settings {
        bisect_batch_on_function_error: true,
        maximum_retry_attempts: Some(2),
        ..Settings::default()
    };
    let mut mapping = stage.mapping_of(&stage.table(), settings).await;
    mapping.drain().await;
    assert_eq!(divergences(&stage).await, ["company#0 / user#13 has no mirror"]);
    assert_eq!(mapping.counts.discarded, 1);
    let [given_up] = mapping.destination.as_slice() else { panic!("{:?}", mapping.destination) };
    assert_eq!(given_up["requestContext"]["condition"], "RetryAttemptsExhausted");
    let payload: Json = serde_json::from_str(given_up["payload"].as_str().unwrap()).unwrap();
    let [record] = payload["Records"].as_array().unwrap().as_slice() else { panic!("{payload}") };
    assert_eq!(record["dynamodb"]["Keys"]["sk"]["S"], "user#13");

    // The payload is an event. Once the permission is restored, invoking the function with it
    // applies the change.
    stage.proxy.stop_faults();
    let answer = stage.lambda.invoke(payload.to_string()).await;
    assert_eq!(answer, Invoked::Answer(r#"{"batchItemFailures":[]}"#.into()));
    assert_eq!(divergences(&stage).await, Vec::<String>::new());
}
