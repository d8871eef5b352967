//! Tables as they are, and what of them does not agree with the rules.

/// The view type that Referee needs of a stream.
pub const STREAM_VIEW: &str = "NEW_AND_OLD_IMAGES";

/// How a table's stream is turned on.
#[must_use]
pub fn stream_on(table: &str) -> String {
    format!(
        "turn it on: aws dynamodb update-table --table-name {table} --stream-specification \
         StreamEnabled=true,StreamViewType={STREAM_VIEW}"
    )
}

/// How a table's stream is replaced by one with the right view type, which cannot be changed.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_StreamSpecification.html>
#[must_use]
pub fn stream_off_and_on(table: &str) -> String {
    format!(
        "a stream's view type cannot be changed: turn the stream off, with aws dynamodb \
         update-table --table-name {table} --stream-specification StreamEnabled=false, and then \
         {}",
        stream_on(table)
    )
}
