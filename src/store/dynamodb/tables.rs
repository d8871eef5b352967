//! `DescribeTable`, `DescribeTimeToLive` and `CreateTable`.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata as _};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, IndexStatus, KeySchemaElement, KeyType,
    Projection, ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
    TableDescription, TableStatus, TimeToLiveStatus,
};

use super::DynamoDb;
use super::error::Request;
use super::retry::retrying;
use crate::data::{KeyAttribute, KeyKind, KeySchema};
use crate::store::StoreError;
use crate::store::description::{
    ACTIVE, Described, DescribedIndex, Description, ReadCapacity, Size, TimeToLive,
};
use crate::store::schema::TableSchema;

impl DynamoDb {
    /// Describes a table.
    pub async fn describe(&self, table: &str) -> Result<Described, StoreError> {
        let request = Request::new("DescribeTable", [table]);
        let attempt = self.client.describe_table().table_name(table);
        let described = retrying(|| async {
            let error = match attempt.clone().send().await {
                Ok(output) => {
                    let description = output.table.and_then(description);
                    return Ok(description.map_or(Described::Missing, Described::Table));
                }
                Err(error) => error.map_service_error(aws_sdk_dynamodb::Error::from),
            };
            match error.as_service_error().and_then(|error| error.code()) {
                Some("ResourceNotFoundException") => Ok(Described::Missing),
                Some("AccessDeniedException") => {
                    Ok(Described::Hidden(request.error(&error).to_string()))
                }
                _ => Err(request.error(&error)),
            }
        });
        self.in_time(Box::pin(described)).await
    }

    /// A table's setting of TTL.
    pub async fn time_to_live(&self, table: &str) -> Result<TimeToLive, StoreError> {
        let request = Request::new("DescribeTimeToLive", [table]);
        let attempt = self.client.describe_time_to_live().table_name(table);
        let described = retrying(|| async {
            let error = match attempt.clone().send().await {
                Ok(output) => {
                    let on = [TimeToLiveStatus::Enabled, TimeToLiveStatus::Enabling];
                    let is_on = |status: &TimeToLiveStatus| on.contains(status);
                    let described = output.time_to_live_description;
                    let described =
                        described.filter(|it| it.time_to_live_status.as_ref().is_some_and(is_on));
                    let attribute = described.and_then(|it| it.attribute_name);
                    return Ok(attribute.map_or(TimeToLive::Off, TimeToLive::On));
                }
                Err(error) => error.map_service_error(aws_sdk_dynamodb::Error::from),
            };
            match error.as_service_error().and_then(|error| error.code()) {
                Some("AccessDeniedException") => Ok(TimeToLive::Hidden),
                _ => Err(request.error(&error)),
            }
        });
        self.in_time(Box::pin(described)).await
    }

    /// Creates a table with its indexes and a stream of new and old images.
    pub async fn create(&self, schema: &TableSchema) -> Result<(), StoreError> {
        let request = Request::new("CreateTable", [schema.name.as_str()]);
        let invalid = |error: BuildError| StoreError::Rejected(request.message(error));
        let attributes = schema.key.attributes();
        let attributes =
            attributes.chain(schema.indexes.iter().flat_map(|index| index.key.attributes()));
        let mut definitions: Vec<AttributeDefinition> = Vec::new();
        for attribute in attributes {
            if definitions.iter().all(|known| known.attribute_name != attribute.name) {
                definitions.push(definition(attribute).map_err(invalid)?);
            }
        }
        let all = Projection::builder().projection_type(ProjectionType::All).build();
        let indexes = schema.indexes.iter().map(|index| {
            GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(elements(&index.key)?))
                .projection(all.clone())
                .build()
        });
        let indexes: Vec<_> = indexes.collect::<Result<_, _>>().map_err(invalid)?;
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages);
        let attempt = self
            .client
            .create_table()
            .table_name(&schema.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(definitions))
            .set_key_schema(Some(elements(&schema.key).map_err(invalid)?))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
            .stream_specification(stream.build().map_err(invalid)?);
        let created = retrying(|| async {
            let sent = attempt.clone().send().await;
            sent.map_err(|error| request.error(&error.map_service_error(Into::into)))
        });
        self.in_time(Box::pin(created)).await.map(|_| ())
    }
}

/// Converts a description; `None` if it has no usable key, for example while the table is being
/// deleted.
fn description(table: TableDescription) -> Option<Description> {
    let count = |number: Option<i64>| number.and_then(|it| u64::try_from(it).ok()).unwrap_or(0);
    let size = Size { items: count(table.item_count), bytes: count(table.table_size_bytes) };
    let reads = read_capacity(&table);
    let definitions = table.attribute_definitions.unwrap_or_default();
    let key = schema(&table.key_schema.unwrap_or_default(), &definitions)?;
    let key_of = |elements: Option<Vec<_>>| schema(&elements.unwrap_or_default(), &definitions);
    let global = table.global_secondary_indexes.unwrap_or_default().into_iter();
    let global = global.filter_map(|index| {
        let status = index.index_status.as_ref().map_or("", IndexStatus::as_str).to_owned();
        let key = key_of(index.key_schema);
        Some(DescribedIndex { name: index.index_name?, is_global: true, status, key })
    });
    // A local index is created with its table and has no status of its own.
    let local = table.local_secondary_indexes.unwrap_or_default().into_iter();
    let local = local.filter_map(|index| {
        let (status, key) = (ACTIVE.to_owned(), key_of(index.key_schema));
        Some(DescribedIndex { name: index.index_name?, is_global: false, status, key })
    });
    let stream = table.stream_specification.filter(|stream| stream.stream_enabled);
    Some(Description {
        status: table.table_status.as_ref().map_or("", TableStatus::as_str).to_owned(),
        key,
        indexes: global.chain(local).collect(),
        stream_arn: table.latest_stream_arn,
        stream_view: stream.and_then(|it| it.stream_view_type).map(|view| view.as_str().to_owned()),
        size,
        reads,
    })
}

/// The capacity for reads. A table that was never on demand has no summary of its billing mode.
fn read_capacity(table: &TableDescription) -> ReadCapacity {
    let mode = table.billing_mode_summary.as_ref().and_then(|it| it.billing_mode.as_ref());
    if mode == Some(&BillingMode::PayPerRequest) {
        let limits = table.on_demand_throughput.as_ref();
        // A table without a limit has -1.
        let limit = limits.and_then(|it| it.max_read_request_units).filter(|limit| *limit > 0);
        let units_per_second_max = limit.and_then(|limit| u64::try_from(limit).ok());
        return ReadCapacity::OnDemand { units_per_second_max };
    }
    let units = table.provisioned_throughput.as_ref().and_then(|it| it.read_capacity_units);
    let units_per_second = units.and_then(|units| u64::try_from(units).ok()).unwrap_or(0);
    ReadCapacity::Provisioned { units_per_second }
}

/// A key with one partition key and at most one sort key; `None` for any other key.
fn schema(elements: &[KeySchemaElement], definitions: &[AttributeDefinition]) -> Option<KeySchema> {
    let of_kind = |kind: KeyType| {
        let names = elements.iter().filter(|element| element.key_type == kind);
        names
            .map(|element| attribute(&element.attribute_name, definitions))
            .collect::<Option<Vec<_>>>()
    };
    let (mut partition, mut sort) = (of_kind(KeyType::Hash)?, of_kind(KeyType::Range)?);
    if partition.len() != 1 || sort.len() > 1 {
        return None;
    }
    Some(KeySchema { partition: partition.pop()?, sort: sort.pop() })
}

fn attribute(name: &str, definitions: &[AttributeDefinition]) -> Option<KeyAttribute> {
    let definition = definitions.iter().find(|definition| definition.attribute_name == name)?;
    let kind = match definition.attribute_type.as_str() {
        "S" => KeyKind::S,
        "N" => KeyKind::N,
        "B" => KeyKind::B,
        _ => return None,
    };
    Some(KeyAttribute { name: name.to_owned(), kind })
}

fn definition(attribute: &KeyAttribute) -> Result<AttributeDefinition, BuildError> {
    let kind = match attribute.kind {
        KeyKind::S => ScalarAttributeType::S,
        KeyKind::N => ScalarAttributeType::N,
        KeyKind::B => ScalarAttributeType::B,
    };
    AttributeDefinition::builder().attribute_name(&attribute.name).attribute_type(kind).build()
}

fn elements(key: &KeySchema) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element = |attribute: &KeyAttribute, kind| {
        KeySchemaElement::builder().attribute_name(&attribute.name).key_type(kind).build()
    };
    let sort = key.sort.iter().map(|sort| element(sort, KeyType::Range));
    std::iter::once(element(&key.partition, KeyType::Hash)).chain(sort).collect()
}
