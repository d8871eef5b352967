//! `Query`.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

use super::error::Request;
use super::expression::Numbered;
use super::retry::retrying;
use super::value::{SdkItem, from_sdk, to_sdk};
use crate::store::{Answer, Page, Query, StoreError, Units};

/// Reads one page of a partition.
pub(super) async fn query(client: &Client, query: Query) -> Result<Answer<Page>, StoreError> {
    let request = Request::new("Query", [query.table.as_str()]);
    let mut placeholders = Numbered::default();
    let key_condition = placeholders.key_condition(query.partition, query.sort);
    let projection = query.attributes.map(|names| placeholders.projection(distinct(&names)));
    let (names, values) = placeholders.into_sdk();
    let request_page = client
        .query()
        .table_name(query.table)
        // Only the table itself, not an index, supports strongly consistent reads.
        .consistent_read(query.index.is_none())
        .set_index_name(query.index)
        .key_condition_expression(key_condition)
        .set_projection_expression(projection)
        .set_expression_attribute_names(names)
        .set_expression_attribute_values(values)
        .set_limit(query.limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
        .set_exclusive_start_key(query.start.map(to_sdk))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let output = retrying(|| async {
        let sent = request_page.clone().send().await;
        sent.map_err(|error| request.error(&error.map_service_error(Into::into)))
    })
    .await?;
    page(output.items, output.last_evaluated_key, output.consumed_capacity.as_ref())
}

/// The distinct names of a projection: DynamoDB refuses a name that occurs twice.
pub(super) fn distinct(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

/// The page of a `Query` or a `Scan`.
pub(super) fn page(
    items: Option<Vec<SdkItem>>,
    last_evaluated_key: Option<SdkItem>,
    consumed: Option<&ConsumedCapacity>,
) -> Result<Answer<Page>, StoreError> {
    let items = items.into_iter().flatten().map(from_sdk).collect::<Result<_, _>>()?;
    let next = last_evaluated_key.map(from_sdk).transpose()?;
    Ok(Answer { value: Page { items, next }, units: read_units(consumed) })
}

/// The read units of an answer.
fn read_units(consumed: Option<&ConsumedCapacity>) -> Units {
    let read = consumed.and_then(|capacity| capacity.capacity_units).unwrap_or_default();
    Units { read, write: 0.0 }
}
