//! `Scan`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::error::Request;
use super::expression::Numbered;
use super::read::{distinct, page};
use super::retry::retrying;
use super::value::to_sdk;
use crate::store::scan::Scan;
use crate::store::{Answer, Page, StoreError};

/// Reads one page of a segment.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>
pub(super) async fn scan(client: &Client, scan: Scan) -> Result<Answer<Page>, StoreError> {
    let request = Request::new("Scan", [scan.table.as_str()]);
    let mut placeholders = Numbered::default();
    let projection = scan.attributes.map(|names| placeholders.projection(distinct(&names)));
    let signed = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let request_page = client
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
        let sent = request_page.clone().send().await;
        sent.map_err(|error| request.error(&error.map_service_error(Into::into)))
    })
    .await?;
    page(output.items, output.last_evaluated_key, output.consumed_capacity.as_ref())
}
