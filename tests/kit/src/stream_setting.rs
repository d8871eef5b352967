//! Enables and disables a table's stream.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{StreamSpecification, StreamViewType};
use tokio::time::sleep;

const ATTEMPTS_MAX: usize = 100;
const PAUSE_MS: u64 = 50;

/// Enables a table's stream with this view type, or disables it.
///
/// Retries, because DynamoDB Local may fail while other tables are changed or written to. It may
/// have made the change although it reports an error.
pub async fn set_stream(client: &Client, table: &str, view: Option<StreamViewType>) {
    let stream = StreamSpecification::builder()
        .stream_enabled(view.is_some())
        .set_stream_view_type(view.clone())
        .build()
        .unwrap();
    for _ in 0..ATTEMPTS_MAX {
        let update = client.update_table().table_name(table);
        let updated = update.stream_specification(stream.clone()).send().await;
        if updated.is_ok() || stream_view(client, table).await == view {
            return;
        }
        sleep(Duration::from_millis(PAUSE_MS)).await;
    }
    panic!("the stream of `{table}` cannot be set");
}

async fn stream_view(client: &Client, table: &str) -> Option<StreamViewType> {
    let described = client.describe_table().table_name(table).send().await.unwrap();
    let stream = described.table.unwrap().stream_specification?;
    stream.stream_view_type.filter(|_| stream.stream_enabled)
}
