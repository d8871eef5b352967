//! What `BatchGetItem` found, read from the text of its answer.
//!
//! The SDK reads each item into types of its own, which would then be converted. That is a tenth of
//! the work of an invocation that mostly reads, so an interceptor replaces the SDK's deserializer of
//! this operation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use serde::Deserialize;

use super::value::unreadable;
use crate::data::{Item, JsonItem, into_owned};
use crate::store::{StoreError, Units};

/// The answer.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The items by table, in no particular order.
    pub(super) items: Vec<(String, Vec<Item<'static>>)>,
    /// The keys by table that DynamoDB did not process.
    pub(super) unprocessed: Vec<(String, Vec<Item<'static>>)>,
    /// What the request cost.
    pub(super) units: Units,
}

/// An interceptor that keeps the answer of a request. The SDK's output is then empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Finder(Arc<Mutex<Option<Result<Found, StoreError>>>>);

impl Finder {
    /// Takes the answer of the request, which has succeeded.
    pub(super) fn take(&self) -> Result<Found, StoreError> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        found.unwrap_or_else(|| Err(unreadable("it was not read")))
    }
}

impl Intercept for Finder {
    fn name(&self) -> &'static str {
        "Finder"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The SDK reads errors.
        if context.response().status().is_success() {
            config.interceptor_state().store_put(SharedResponseDeserializer::new(self.clone()));
        }
        Ok(())
    }
}

impl DeserializeResponse for Finder {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = response.body().bytes().unwrap_or_default();
        let found = read(body).map_err(|error| OrchestratorError::response(error.into()))?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(Output::erase(BatchGetItemOutput::builder().build()))
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    #[serde(borrow)]
    responses: Option<HashMap<String, Vec<JsonItem<'a>>>>,
    #[serde(borrow)]
    unprocessed_keys: Option<HashMap<String, Unprocessed<'a>>>,
    consumed_capacity: Option<Vec<Consumed>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unprocessed<'a> {
    #[serde(borrow)]
    keys: Vec<JsonItem<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Consumed {
    capacity_units: Option<f64>,
}

/// Reads an answer. An answer that is no JSON was cut short, and the request can be repeated. A value
/// that is not as documented will not change, so it is the result.
fn read(body: &[u8]) -> Result<Result<Found, StoreError>, serde_json::Error> {
    let body: Body<'_> = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) if error.is_data() => return Ok(Err(unreadable(error))),
        Err(error) => return Err(error),
    };
    let owned =
        |items: Vec<JsonItem<'_>>| items.into_iter().map(|item| into_owned(item.0)).collect();
    let consumed = body.consumed_capacity.into_iter().flatten();
    let read = consumed.filter_map(|consumed| consumed.capacity_units).sum();
    let (found, unprocessed) = (body.responses, body.unprocessed_keys);
    Ok(Ok(Found {
        items: found.into_iter().flatten().map(|(table, items)| (table, owned(items))).collect(),
        unprocessed: unprocessed
            .into_iter()
            .flatten()
            .map(|(table, unprocessed)| (table, owned(unprocessed.keys)))
            .collect(),
        units: Units { read, write: 0.0 },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_cut_short_is_no_result() {
        assert!(read(br#"{"Responses": {"app": [{"pk": {"S": "1"}}"#).is_err());
        assert!(read(b"").is_err());
    }

    #[test]
    fn a_value_of_an_unknown_type_is_rejected() {
        let found = read(br#"{"Responses": {"app": [{"pk": {"X": "1"}}]}}"#).unwrap();
        assert!(matches!(found, Err(StoreError::Rejected(_))), "{found:?}");
    }

    #[test]
    fn nothing_found_is_an_answer() {
        let found = read(br#"{"Responses": {"app": []}, "UnprocessedKeys": {}}"#).unwrap().unwrap();
        assert_eq!(found.items, [("app".to_owned(), Vec::new())]);
        assert_eq!(found.unprocessed, []);
    }

    #[test]
    fn what_is_null_is_absent() {
        let body = br#"{"Responses": null, "UnprocessedKeys": null, "ConsumedCapacity": null}"#;
        let found = read(body).unwrap().unwrap();
        assert_eq!((found.items, found.unprocessed), (Vec::new(), Vec::new()));
        assert_eq!(found.units, Units::default());
    }
}
