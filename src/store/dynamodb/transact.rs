//! `TransactWriteItems`.

use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::{
    self as sdk, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use aws_sdk_dynamodb::{Client, Error};
use backon::BackoffBuilder as _;

use super::error::Request;
use super::expression::Numbered;
use super::persist::{back_off, persist};
use super::value::{from_sdk, to_sdk};
use super::write::{ON_FAILURE, write_units};
use crate::store::expression::Placeholders as _;
use crate::store::{Action, Answer, CancellationReason, StoreError, Transacted, Units, Write};

/// Makes writes and checks, all or none.
///
/// A transaction that only met other requests on its items, or too many of them, is made again.
pub(super) async fn transact(
    client: &Client,
    actions: Vec<Write>,
) -> Result<Answer<Transacted>, StoreError> {
    let request =
        Request::new("TransactWriteItems", actions.iter().map(|write| write.table.as_str()));
    let items = actions
        .into_iter()
        .map(|write| item(write).map_err(|error| StoreError::Rejected(request.told(error))))
        .collect::<Result<Vec<_>, _>>()?;
    let transaction = client
        .transact_write_items()
        .set_transact_items(Some(items))
        .return_consumed_capacity(ReturnConsumedCapacity::Total);
    let mut delays = back_off().build();
    loop {
        // An attempt whose answer was lost is told by its token when it comes again, so that it is
        // not made twice; one that was cancelled is over.
        // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
        let token = format!("{:032x}", fastrand::u128(..));
        let attempt = transaction.clone().client_request_token(token);
        let answer = persist(|| send(&request, attempt.clone())).await?;
        match (&answer.value, delays.next()) {
            (Transacted::Canceled(reasons), Some(delay)) if is_passing(reasons) => {
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
            let reasons = canceled.cancellation_reasons().iter().map(|told| reason(request, told));
            let reasons = aligned(request, actions, reasons.collect::<Result<_, _>>()?)?;
            // What a cancelled transaction consumed is not told.
            Ok(Answer { value: Transacted::Canceled(reasons), units: Units::default() })
        }
        _ => Err(request.class(&error)),
    }
}

/// The reasons, if there is one for each action; else nobody knows which is whose.
fn aligned(
    request: &Request,
    actions: usize,
    reasons: Vec<CancellationReason>,
) -> Result<Vec<CancellationReason>, StoreError> {
    if reasons.len() == actions {
        return Ok(reasons);
    }
    let words: Vec<_> = reasons.iter().map(in_words).collect();
    let words = words.join(", ");
    let what = request.told(format_args!("the transaction was cancelled: {words}"));
    let is_invalid = |reason: &CancellationReason| matches!(reason, CancellationReason::Invalid(_));
    Err(if reasons.iter().any(is_invalid) {
        StoreError::Rejected(what)
    } else {
        StoreError::Retry(what)
    })
}

/// A reason as DynamoDB names it, without the item that comes with it: this goes to the log.
fn in_words(reason: &CancellationReason) -> &str {
    match reason {
        CancellationReason::None => "None",
        CancellationReason::ConditionFailed(_) => "ConditionalCheckFailed",
        CancellationReason::Conflict => "TransactionConflict",
        CancellationReason::Throttled => "ThrottlingError",
        CancellationReason::Invalid(message) => message,
    }
}

/// Whether nothing but the moment was wrong.
fn is_passing(reasons: &[CancellationReason]) -> bool {
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
    told: &sdk::CancellationReason,
) -> Result<CancellationReason, StoreError> {
    let message = told.message().unwrap_or("no message");
    match told.code().unwrap_or("None") {
        "None" => Ok(CancellationReason::None),
        "ConditionalCheckFailed" => {
            let item = told.item.clone().filter(|item| !item.is_empty());
            Ok(CancellationReason::ConditionFailed(item.map(from_sdk).transpose()?))
        }
        "TransactionConflict" => Ok(CancellationReason::Conflict),
        "ProvisionedThroughputExceeded" | "ThrottlingError" => Ok(CancellationReason::Throttled),
        "ValidationError" | "ItemCollectionSizeLimitExceeded" => {
            Ok(CancellationReason::Invalid(message.to_owned()))
        }
        unknown => Err(StoreError::Retry(
            request.told(format_args!("the transaction was cancelled: {unknown}: {message}")),
        )),
    }
}

/// One action of a transaction. A check or an update of nothing is refused by DynamoDB, not here.
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
