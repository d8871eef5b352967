//! `Scan`.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::error::Request;
use super::expression::Numbered;
use super::read::read_units;
use super::retry::retrying;
use super::value::{from_sdk, to_sdk};
use crate::store::scan::Scan;
use crate::store::{Answer, Page, StoreError};

/// Reads one page of a segment.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>
pub(super) async fn scan(client: &Client, scan: Scan) -> Result<Answer<Page>, StoreError> {
    let request = Request::new("Scan", [scan.table.as_str()]);
    let mut placeholders = Numbered::default();
    let projection = scan.attributes.map(|names| {
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        placeholders.projection(names)
    });
    let signed = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let page = client
        .scan()
        .table_name(scan.table)
        .segment(signed(scan.segment))
        .total_segments(signed(scan.segments))
        .consistent_read(scan.is_consistent)
        .set_projection_expression(projection)
        .set_expression_attribute_names(placeholders.into_sdk().0)
        .set_limit(scan.limit.map(signed))
        .set_exclusive_start_key(scan.start.map(to_sdk))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let output = retrying(|| async {
        let sent = page.clone().send().await;
        sent.map_err(|error| request.error(&error.map_service_error(Into::into)))
    })
    .await?;
    let units = read_units(&output.consumed_capacity);
    let items = output.items.into_iter().flatten().map(from_sdk).collect::<Result<_, _>>()?;
    let next = output.last_evaluated_key.map(from_sdk).transpose()?;
    Ok(Answer { value: Page { items, next }, units })
}
