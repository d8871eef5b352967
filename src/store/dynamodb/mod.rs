//! DynamoDB, accessed through the AWS SDK.
//!
//! Invariant: no other module uses the SDK's DynamoDB types.

mod batch_get;
mod error;
mod expression;
mod found;
mod read;
mod retry;
mod scan;
mod tables;
mod transact;
mod value;
mod write;

use std::pin::Pin;

use aws_sdk_dynamodb::Client;
use tokio::time::Instant;

use super::scan::{Scan, Scanner};
use super::{Answer, Page, Query, Read, Store, StoreError, Transacted, Write, Written};
use crate::aws::SdkConfig;
use crate::data::Item;

/// Tables in AWS, or behind any endpoint that implements DynamoDB's API.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    client: Client,
    deadline: Option<Instant>,
}

impl DynamoDb {
    /// The tables of this configuration's account and Region, or of its endpoint.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config), deadline: None }
    }

    /// Returns the same tables, over the same connections, with a deadline. A request that is not
    /// answered by then fails with [`StoreError::Retry`].
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        Self { client: self.client.clone(), deadline: Some(deadline) }
    }

    /// Waits for a request, but not beyond the deadline. The request is boxed because the SDK's
    /// futures take kilobytes each and the engine waits for many at once.
    async fn in_time<T>(
        &self,
        request: Pin<Box<impl Future<Output = Result<T, StoreError>>>>,
    ) -> Result<T, StoreError> {
        let Some(deadline) = self.deadline else { return request.await };
        let late = || StoreError::Retry("the deadline passed before DynamoDB answered".to_owned());
        if Instant::now() >= deadline {
            // Do not send the request: it might be carried out although it is reported as failed.
            return Err(late());
        }
        tokio::time::timeout_at(deadline, request).await.unwrap_or_else(|_| Err(late()))
    }
}

impl Store for DynamoDb {
    async fn batch_get(
        &self,
        reads: Vec<Read>,
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        self.in_time(Box::pin(batch_get::batch_get(&self.client, &reads))).await
    }

    async fn query(&self, query: Query) -> Result<Answer<Page>, StoreError> {
        self.in_time(Box::pin(read::query(&self.client, query))).await
    }

    async fn write(&self, write: Write) -> Result<Answer<Written>, StoreError> {
        self.in_time(Box::pin(write::write(&self.client, write))).await
    }

    async fn transact(&self, actions: Vec<Write>) -> Result<Answer<Transacted>, StoreError> {
        self.in_time(Box::pin(transact::transact(&self.client, actions))).await
    }
}

impl Scanner for DynamoDb {
    async fn scan(&self, scan: Scan) -> Result<Answer<Page>, StoreError> {
        self.in_time(Box::pin(scan::scan(&self.client, scan))).await
    }
}

#[cfg(test)]
mod tests;
