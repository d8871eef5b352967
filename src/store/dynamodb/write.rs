//! `PutItem`, `UpdateItem` and `DeleteItem`.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure,
};
use aws_sdk_dynamodb::{Client, Error};

use super::error::Request;
use super::expression::Numbered;
use super::retry::retrying;
use super::value::{from_sdk, to_sdk};
use crate::data::{Item, item_bytes};
use crate::store::expression::Placeholders as _;
use crate::store::{Action, Answer, StoreError, Units, Write, Written};

/// The bytes that one write unit covers.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
const WRITE_UNIT_BYTES: usize = 1024;

/// What DynamoDB returns if a condition fails, in single writes and in transactions.
pub(super) const ON_FAILURE: ReturnValuesOnConditionCheckFailure =
    ReturnValuesOnConditionCheckFailure::AllOld;
/// The consumed capacity that every write returns.
const CAPACITY: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;

/// Writes one item.
pub(super) async fn write(client: &Client, write: Write) -> Result<Answer<Written>, StoreError> {
    let Write { table, action, condition } = write;
    let mut placeholders = Numbered::default();
    let condition = condition.map(|condition| placeholders.condition(condition));
    match action {
        Action::Put(item) => {
            let request = Request::new("PutItem", [table.as_str()]);
            let (names, values) = placeholders.into_sdk();
            let put = client
                .put_item()
                .table_name(table)
                .set_item(Some(to_sdk(item)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(ON_FAILURE)
                .return_consumed_capacity(CAPACITY);
            retrying(|| async {
                let sent = put.clone().send().await;
                request.written(sent.map(|output| output.consumed_capacity))
            })
            .await
        }
        Action::Update { key, clauses } => {
            let request = Request::new("UpdateItem", [table.as_str()]);
            let update = placeholders.update(clauses);
            let (names, values) = placeholders.into_sdk();
            let update = client
                .update_item()
                .table_name(table)
                .set_key(Some(to_sdk(key)))
                .set_update_expression(update)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(ON_FAILURE)
                .return_consumed_capacity(CAPACITY);
            retrying(|| async {
                let sent = update.clone().send().await;
                request.written(sent.map(|output| output.consumed_capacity))
            })
            .await
        }
        Action::Delete(key) => {
            let request = Request::new("DeleteItem", [table.as_str()]);
            let (names, values) = placeholders.into_sdk();
            let delete = client
                .delete_item()
                .table_name(table)
                .set_key(Some(to_sdk(key)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(ON_FAILURE)
                .return_consumed_capacity(CAPACITY);
            retrying(|| async {
                let sent = delete.clone().send().await;
                request.written(sent.map(|output| output.consumed_capacity))
            })
            .await
        }
        Action::Check(_) => {
            let message = "condition checks are allowed only in transactions";
            Err(StoreError::Rejected(message.to_owned()))
        }
    }
}

/// The write units that a request consumed, as DynamoDB reports them.
pub(super) fn write_units<'c>(consumed: impl IntoIterator<Item = &'c ConsumedCapacity>) -> Units {
    let write = consumed.into_iter().filter_map(|capacity| capacity.capacity_units).sum();
    Units { read: 0.0, write }
}

impl Request {
    /// The result of a write: applied, a failed condition, or an error.
    fn written<E>(
        &self,
        sent: Result<Option<ConsumedCapacity>, SdkError<E>>,
    ) -> Result<Answer<Written>, StoreError>
    where
        Error: From<E>,
    {
        let error = match sent {
            Ok(consumed) => {
                return Ok(Answer { value: Written::Applied, units: write_units(&consumed) });
            }
            Err(error) => error.map_service_error(Error::from),
        };
        match error.as_service_error() {
            Some(Error::ConditionalCheckFailedException(failed)) => {
                let item = failed.item.clone().map(from_sdk).transpose()?;
                let units = failed_condition_units(item.as_ref());
                Ok(Answer { value: Written::ConditionFailed(item), units })
            }
            _ => Err(self.error(&error)),
        }
    }
}

/// The cost of a write with a failed condition: DynamoDB bills the current item's size, but does
/// not report it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate>
fn failed_condition_units(item: Option<&Item<'_>>) -> Units {
    let units = item.map_or(0, item_bytes).div_ceil(WRITE_UNIT_BYTES).max(1);
    // An item has at most 400 KB, so the units always fit in a `u32`.
    Units { read: 0.0, write: u32::try_from(units).map_or(f64::INFINITY, f64::from) }
}
