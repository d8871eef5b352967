//! What the SDK's errors mean to whoever made the request.

use std::fmt;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;

use crate::aws::error::{Unanswered, mend_of, unanswered};
use crate::store::StoreError;

/// An error of any operation.
pub(super) type SdkError = aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::Error>;

/// What was asked, for messages.
#[derive(Debug, Clone)]
pub(super) struct Request {
    operation: &'static str,
    tables: Vec<String>,
}

impl Request {
    /// An operation on these tables, each named once.
    pub(super) fn new<'t>(
        operation: &'static str,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Self {
        let mut tables: Vec<_> = tables.into_iter().map(str::to_owned).collect();
        tables.sort_unstable();
        tables.dedup();
        Self { operation, tables }
    }

    /// What is to be done about an error.
    ///
    /// What DynamoDB does not document is tried again, and so handed back to the stream in the
    /// end: nothing is skipped that is not understood.
    pub(super) fn class(&self, error: &SdkError) -> StoreError {
        match error {
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or("UnknownError");
                let message = answer.err().message().unwrap_or("no message");
                let what = self.told(format_args!("{code}: {message}"));
                match class_of(code, message) {
                    Class::Retry => StoreError::Retry(what),
                    Class::Rejected => StoreError::Rejected(what),
                    Class::Fatal(help) => StoreError::Fatal(format!("{what}\nhelp: {help}")),
                }
            }
            SdkError::ConstructionFailure(_)
            | SdkError::DispatchFailure(_)
            | SdkError::TimeoutError(_)
            | SdkError::ResponseError(_)
            | _ => match unanswered(error) {
                Unanswered::Lost(what) => StoreError::Retry(self.told(what)),
                Unanswered::SetUp(what, help) => {
                    StoreError::Fatal(format!("{}\nhelp: {help}", self.told(what)))
                }
            },
        }
    }

    /// What went wrong, and with what.
    pub(super) fn told(&self, what: impl fmt::Display) -> String {
        format!("`{}` on `{}`: {what}", self.operation, self.tables.join("`, `"))
    }
}

const TABLE_HELP: &str =
    "check the table's `name` and its indexes in the rule file, the account and the Region";

/// What is to be done about an error, by who must do it.
#[derive(Debug, PartialEq)]
enum Class {
    Retry,
    Rejected,
    /// Only an operator can mend it, and this is how.
    Fatal(&'static str),
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html>
fn class_of(code: &str, message: &str) -> Class {
    match code {
        "ResourceNotFoundException" | "IndexNotFoundException" => Class::Fatal(TABLE_HELP),
        "ValidationException"
            if message.contains("does not have the specified index")
                || message.contains("missed key schema element") =>
        {
            Class::Fatal(TABLE_HELP)
        }
        // "You can't run queries on the index until it's built."
        // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html>
        "ValidationException" if message.contains("backfilling") => Class::Retry,
        "ValidationException"
        | "SerializationException"
        | "ItemCollectionSizeLimitExceededException"
        | "IdempotentParameterMismatchException" => Class::Rejected,
        _ => mend_of(code).map_or(Class::Retry, Class::Fatal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use expect_test::{Expect, expect};

    /// What becomes of an error that DynamoDB answers with.
    fn classed(code: &str, message: &str) -> StoreError {
        let meta = ErrorMetadata::builder().code(code).message(message).build();
        let raw = HttpResponse::new(400.try_into().unwrap(), "".into());
        class(SdkError::service_error(PutItemError::generic(meta).into(), raw))
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is made for this")]
    fn class(error: SdkError) -> StoreError {
        Request::new("PutItem", ["orders", "app", "app"]).class(&error)
    }

    fn check(error: &StoreError, expected: &Expect) {
        expected.assert_eq(&format!("{}: {error}", name(error)));
    }

    fn name(error: &StoreError) -> &'static str {
        match error {
            StoreError::Retry(_) => "retry",
            StoreError::Rejected(_) => "rejected",
            StoreError::Fatal(_) => "fatal",
        }
    }

    #[test]
    fn codes_are_told_apart() {
        let codes = [
            "ProvisionedThroughputExceededException",
            "ThrottlingException",
            "RequestLimitExceeded",
            "InternalServerError",
            "ServiceUnavailable",
            "TransactionConflictException",
            "TransactionInProgressException",
            "ReplicatedWriteConflictException",
            "NeverHeardOfException",
            "ValidationException",
            "ItemCollectionSizeLimitExceededException",
            "ResourceNotFoundException",
            "AccessDeniedException",
            "ExpiredTokenException",
            "UnrecognizedClientException",
        ];
        let lines: Vec<_> =
            codes.iter().map(|code| format!("{}: {code}", name(&classed(code, "")))).collect();
        expect![[r"
            retry: ProvisionedThroughputExceededException
            retry: ThrottlingException
            retry: RequestLimitExceeded
            retry: InternalServerError
            retry: ServiceUnavailable
            retry: TransactionConflictException
            retry: TransactionInProgressException
            retry: ReplicatedWriteConflictException
            retry: NeverHeardOfException
            rejected: ValidationException
            rejected: ItemCollectionSizeLimitExceededException
            fatal: ResourceNotFoundException
            fatal: AccessDeniedException
            fatal: ExpiredTokenException
            fatal: UnrecognizedClientException"]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn what_is_wrong_with_an_index_is_no_fault_of_a_record() {
        let read = |message| name(&classed("ValidationException", message));
        assert_eq!(read("The table does not have the specified index: by_owner"), "fatal");
        assert_eq!(read("Query condition missed key schema element: owner"), "fatal");
        let builds = "Cannot read from backfilling global secondary index: by_owner";
        assert_eq!(read(builds), "retry");
    }

    #[test]
    fn an_operator_is_told_what_to_do() {
        check(
            &classed("ResourceNotFoundException", "Requested resource not found"),
            &expect![[r"
                fatal: `PutItem` on `app`, `orders`: ResourceNotFoundException: Requested resource not found
                help: check the table's `name` and its indexes in the rule file, the account and the Region"]],
        );
        check(
            &classed("ValidationException", "The table does not have the specified index: by_city"),
            &expect![[r"
                fatal: `PutItem` on `app`, `orders`: ValidationException: The table does not have the specified index: by_city
                help: check the table's `name` and its indexes in the rule file, the account and the Region"]],
        );
        check(
            &class(SdkError::construction_failure("an endpoint resolver failed")),
            &expect![[r"
                fatal: `PutItem` on `app`, `orders`: failed to construct request: an endpoint resolver failed
                help: check the endpoint, and the Region in AWS_REGION or the profile"]],
        );
    }

    #[test]
    fn what_got_lost_is_tried_again() {
        check(
            &class(SdkError::timeout_error("5 s")),
            &expect!["retry: `PutItem` on `app`, `orders`: request has timed out: 5 s"],
        );
        let raw = HttpResponse::new(200.try_into().unwrap(), "".into());
        check(
            &class(SdkError::response_error("cut short", raw)),
            &expect!["retry: `PutItem` on `app`, `orders`: response error: cut short"],
        );
    }
}
