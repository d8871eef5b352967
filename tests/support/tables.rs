//! Tables at a real endpoint.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};
use referee::data::{KeyAttribute, KeyKind, KeySchema};
use referee::store::memory::TableSchema;

/// Makes a table with a stream of new and old images.
pub(crate) async fn create(client: &Client, schema: TableSchema) {
    let mut attributes: Vec<&KeyAttribute> = schema.key.attributes().collect();
    attributes.extend(schema.indexes.iter().flat_map(|index| index.key.attributes()));
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let indexes: Vec<_> = schema
        .indexes
        .iter()
        .map(|index| {
            GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(key_schema(&index.key)))
                .projection(all.clone())
                .build()
                .unwrap()
        })
        .collect();
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()
        .unwrap();
    client
        .create_table()
        .table_name(&schema.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.into_iter().map(definition).collect()))
        .set_key_schema(Some(key_schema(&schema.key)))
        .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
        .stream_specification(stream)
        .send()
        .await
        .unwrap();
}

fn definition(attribute: &KeyAttribute) -> AttributeDefinition {
    let kind = match attribute.kind {
        KeyKind::S => ScalarAttributeType::S,
        KeyKind::N => ScalarAttributeType::N,
        KeyKind::B => ScalarAttributeType::B,
    };
    let definition = AttributeDefinition::builder();
    definition.attribute_name(&attribute.name).attribute_type(kind).build().unwrap()
}

fn key_schema(key: &KeySchema) -> Vec<KeySchemaElement> {
    let element = |attribute: &KeyAttribute, kind| {
        KeySchemaElement::builder().attribute_name(&attribute.name).key_type(kind).build().unwrap()
    };
    let mut elements = vec![element(&key.partition, KeyType::Hash)];
    elements.extend(key.sort.iter().map(|sort| element(sort, KeyType::Range)));
    elements
}
