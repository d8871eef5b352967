//! `TransactWriteItems`.

use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::{
    self as sdk, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use aws_sdk_dynamodb::{Client, Error};

use super::error::Request;
use super::expression::Numbered;
use super::retry::{delays, retrying};
use super::value::{from_sdk, to_sdk};
use super::write::{ON_FAILURE, write_units};
use crate::store::expression::Placeholders as _;
use crate::store::{Action, Answer, CancellationReason, StoreError, Transacted, Units, Write};

/// Carries out writes and checks, all or none.
///
/// A transaction that was cancelled only because of conflicts or throttling is retried.
pub(super) async fn transact(
    client: &Client,
    actions: Vec<Write>,
) -> Result<Answer<Transacted>, StoreError> {
    let request =
        Request::new("TransactWriteItems", actions.iter().map(|write| write.table.as_str()));
    let items = actions
        .into_iter()
        .map(|write| item(write).map_err(|error| StoreError::Rejected(request.message(error))))
        .collect::<Result<Vec<_>, _>>()?;
    let transaction = client
        .transact_write_items()
        .set_transact_items(Some(items))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let mut delays = delays();
    loop {
        // If an answer is lost, the token identifies the repeated attempt, so that the transaction
        // is not applied twice. A cancelled attempt is complete, so the next attempt needs a new
        // token.
        // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
        let token = format!("{:032x}", fastrand::u128(..));
        let attempt = transaction.clone().client_request_token(token);
        let answer = retrying(|| send(&request, attempt.clone())).await?;
        match (&answer.value, delays.next()) {
            (Transacted::Canceled(reasons), Some(delay)) if are_transient(reasons) => {
                tokio::time::sleep(delay).await;
            }
            _ => return Ok(answer),
        }
    }
}

async fn send(
    request: &Request,
    transaction: TransactWriteItemsFluentBuilder,
) -> Result<Answer<Transacted>, StoreError> {
    let actions = transaction.get_transact_items().as_ref().map_or(0, Vec::len);
    let error = match transaction.send().await {
        Ok(output) => {
            let units = write_units(output.consumed_capacity.iter().flatten());
            return Ok(Answer { value: Transacted::Applied, units });
        }
        Err(error) => error.map_service_error(Error::from),
    };
    match error.as_service_error() {
        Some(Error::TransactionCanceledException(canceled)) => {
            let reasons = canceled.cancellation_reasons().iter().map(|it| reason(request, it));
            let reasons = aligned(request, actions, reasons.collect::<Result<_, _>>()?)?;
            // DynamoDB does not report the capacity of a cancelled transaction.
            Ok(Answer { value: Transacted::Canceled(reasons), units: Units::default() })
        }
        _ => Err(request.error(&error)),
    }
}

/// The reasons, if there is one for each action. Otherwise it is unknown which action each one
/// belongs to.
fn aligned(
    request: &Request,
    actions: usize,
    reasons: Vec<CancellationReason>,
) -> Result<Vec<CancellationReason>, StoreError> {
    if reasons.len() == actions {
        return Ok(reasons);
    }
    let names: Vec<_> = reasons.iter().map(name_of).collect();
    let names = names.join(", ");
    let what = request.message(format_args!("the transaction was cancelled: {names}"));
    let is_invalid = |reason: &CancellationReason| matches!(reason, CancellationReason::Invalid(_));
    Err(if reasons.iter().any(is_invalid) {
        StoreError::Rejected(what)
    } else {
        StoreError::Retry(what)
    })
}

/// A reason's name in DynamoDB's API, without the item, because the name is logged.
fn name_of(reason: &CancellationReason) -> &str {
    match reason {
        CancellationReason::None => "None",
        CancellationReason::ConditionFailed(_) => "ConditionalCheckFailed",
        CancellationReason::Conflict => "TransactionConflict",
        CancellationReason::Throttled => "ThrottlingError",
        CancellationReason::Invalid(message) => message,
    }
}

/// Whether the same transaction may succeed later.
fn are_transient(reasons: &[CancellationReason]) -> bool {
    reasons.iter().all(|reason| match reason {
        CancellationReason::None | CancellationReason::Conflict | CancellationReason::Throttled => {
            true
        }
        CancellationReason::ConditionFailed(_) | CancellationReason::Invalid(_) => false,
    })
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors>
fn reason(
    request: &Request,
    reason: &sdk::CancellationReason,
) -> Result<CancellationReason, StoreError> {
    let message = reason.message().unwrap_or("no message");
    match reason.code().unwrap_or("None") {
        "None" => Ok(CancellationReason::None),
        "ConditionalCheckFailed" => {
            let item = reason.item.clone().filter(|item| !item.is_empty());
            Ok(CancellationReason::ConditionFailed(item.map(from_sdk).transpose()?))
        }
        "TransactionConflict" => Ok(CancellationReason::Conflict),
        "ProvisionedThroughputExceeded" | "ThrottlingError" => Ok(CancellationReason::Throttled),
        "ValidationError" | "ItemCollectionSizeLimitExceeded" => {
            Ok(CancellationReason::Invalid(message.to_owned()))
        }
        unknown => Err(StoreError::Retry(
            request.message(format_args!("the transaction was cancelled: {unknown}: {message}")),
        )),
    }
}

/// Converts one action of a transaction. DynamoDB itself rejects a check without a condition and an
/// update without clauses.
fn item(write: Write) -> Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError> {
    let Write { table, action, condition } = write;
    let mut placeholders = Numbered::default();
    let condition = condition.map(|condition| placeholders.condition(condition));
    let item = TransactWriteItem::builder();
    Ok(match action {
        Action::Put(new) => {
            let (names, values) = placeholders.into_sdk();
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(to_sdk(new)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(ON_FAILURE);
            item.put(put.build()?)
        }
        Action::Update { key, clauses } => {
            let update = placeholders.update(clauses).unwrap_or_default();
            let (names, values) = placeholders.into_sdk();
            let update = Update::builder()
                .table_name(table)
                .set_key(Some(to_sdk(key)))
                .update_expression(update)
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(ON_FAILURE);
            item.update(update.build()?)
        }
        Action::Delete(key) => {
            let (names, values) = placeholders.into_sdk();
            let delete = Delete::builder()
                .table_name(table)
                .set_key(Some(to_sdk(key)))
                .set_condition_expression(condition)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(ON_FAILURE);
            item.delete(delete.build()?)
        }
        Action::Check(key) => {
            let (names, values) = placeholders.into_sdk();
            let check = ConditionCheck::builder()
                .table_name(table)
                .set_key(Some(to_sdk(key)))
                .condition_expression(condition.unwrap_or_default())
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(ON_FAILURE);
            item.condition_check(check.build()?)
        }
    }
    .build())
}
