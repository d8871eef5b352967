//! What an application writes, and what becomes of it.

use expect_test::expect;

use crate::rules;
use crate::stage::{Place, Stage};

pub(crate) async fn mirrored(place: Place) {
    let stage = Stage::new(place, rules::company).await;
    stage.put(&[("pk", "company#acme"), ("sk", "company#")]).await;
    stage.put(&[("pk", "user#ada"), ("sk", "user#")]).await;
    stage.put(&[("pk", "company#acme"), ("sk", "user#ada"), ("role", "boss")]).await;
    let mut mapping = stage.mapping().await;
    mapping.drain().await;
    expect![[""]].assert_eq(&stage.dump().await);
    for line in stage.lambda.log.lines() { println!("{line}"); }
    println!("{:?} {:?}", mapping.counts, stage.proxy.requests());
}
