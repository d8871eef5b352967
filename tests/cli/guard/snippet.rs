use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use aws_sdk_dynamodb::{Client, Error};

async fn write(client: &Client) -> Result<(), Error> {
    client
        .transact_write_items()
        // the `thing` to write
        .transact_items(
            TransactWriteItem::builder()
                .put(
                    Put::builder()
                        .table_name("things")
                        .item("id", AttributeValue::S("thing#1".to_owned()))
                        .item("a-b", AttributeValue::S("x".to_owned()))
                        .item("kind", AttributeValue::S("thing".to_owned()))
                        .item(
                            "label",
                            AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new([0u8, 1u8, 2u8, 3u8])),
                        )
                        .item("new", AttributeValue::Bool(false))
                        .item(
                            "next",
                            AttributeValue::S("it's \"2\"\n\\ ${x} {y} é".to_owned()),
                        )
                        .item(
                            "numbers",
                            AttributeValue::Ns(vec!["1".to_owned(), "2.5".to_owned()]),
                        )
                        .item(
                            "of",
                            AttributeValue::M(std::collections::HashMap::from([("no".to_owned(), AttributeValue::Null(true)), ("size".to_owned(), AttributeValue::N("1".to_owned()))])),
                        )
                        .item("part", AttributeValue::N("7".to_owned()))
                        .item(
                            "some",
                            AttributeValue::L(vec![AttributeValue::S("a".to_owned()), AttributeValue::Bool(true)]),
                        )
                        .item(
                            "sums",
                            AttributeValue::Bs(vec![aws_sdk_dynamodb::primitives::Blob::new([255u8])]),
                        )
                        .item(
                            "texts",
                            AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()]),
                        )
                        .build()?,
                )
                .build(),
        )
        // thing_part: the `part` exists
        .transact_items(
            TransactWriteItem::builder()
                .condition_check(
                    ConditionCheck::builder()
                        .table_name("parts")
                        .key(
                            "digest",
                            AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new([0u8, 1u8, 2u8, 3u8])),
                        )
                        .key("part", AttributeValue::N("7".to_owned()))
                        .condition_expression("attribute_exists(#digest)")
                        .expression_attribute_names("#digest", "digest")
                        .build()?,
                )
                .build(),
        )
        // thing_next: the `thing` exists
        .transact_items(
            TransactWriteItem::builder()
                .condition_check(
                    ConditionCheck::builder()
                        .table_name("things")
                        .key(
                            "id",
                            AttributeValue::S("thing#it's \"2\"\n\\ ${x} {y} é".to_owned()),
                        )
                        .condition_expression("attribute_exists(#id) AND #kind = :kind AND #of.#size = :size")
                        .expression_attribute_names("#id", "id")
                        .expression_attribute_names("#kind", "kind")
                        .expression_attribute_names("#of", "of")
                        .expression_attribute_names("#size", "size")
                        .expression_attribute_values(":kind", AttributeValue::S("thing".to_owned()))
                        .expression_attribute_values(":size", AttributeValue::N("1".to_owned()))
                        .build()?,
                )
                .build(),
        )
        .send()
        .await?;
    Ok(())
}
