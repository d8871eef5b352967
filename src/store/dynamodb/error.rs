//! Classifies the SDK's errors by what the caller can do about them.

use std::fmt;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;

use crate::aws::error::{Unanswered, fix_of, unanswered};
use crate::store::StoreError;

/// An error of any operation.
pub(super) type SdkError = aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::Error>;

/// A request's operation and tables, for error messages.
#[derive(Debug, Clone)]
pub(super) struct Request {
    operation: &'static str,
    tables: Vec<String>,
}

impl Request {
    /// An operation on these tables. Each table is named only once.
    pub(super) fn new<'t>(
        operation: &'static str,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Self {
        let mut tables: Vec<_> = tables.into_iter().map(str::to_owned).collect();
        tables.sort_unstable();
        tables.dedup();
        Self { operation, tables }
    }

    /// The error for the caller.
    ///
    /// An error that DynamoDB does not document is retried. If the retries fail, the record is
    /// returned to the stream for redelivery. No record is skipped because of an unknown error.
    pub(super) fn error(&self, error: &SdkError) -> StoreError {
        match error {
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or("UnknownError");
                let message = answer.err().message().unwrap_or("no message");
                let what = self.message(format_args!("{code}: {message}"));
                match class_of(code, message) {
                    Class::Retry => StoreError::Retry(what),
                    Class::Throttled => StoreError::Throttled(what),
                    Class::Rejected => StoreError::Rejected(what),
                    Class::Fatal(help) => StoreError::Fatal(format!("{what}\nhelp: {help}")),
                }
            }
            SdkError::ConstructionFailure(_)
            | SdkError::DispatchFailure(_)
            | SdkError::TimeoutError(_)
            | SdkError::ResponseError(_)
            | _ => match unanswered(error) {
                Unanswered::Lost(what) => StoreError::Retry(self.message(what)),
                Unanswered::Misconfigured(what, help) => {
                    StoreError::Fatal(format!("{}\nhelp: {help}", self.message(what)))
                }
            },
        }
    }

    /// A message that names the operation and the tables.
    pub(super) fn message(&self, what: impl fmt::Display) -> String {
        format!("`{}` on `{}`: {what}", self.operation, self.tables.join("`, `"))
    }
}

const TABLE_HELP: &str =
    "check the table's `name` and its indexes in the rule file, the account and the Region";

/// What to do about an error.
#[derive(Debug, PartialEq)]
enum Class {
    Retry,
    Throttled,
    Rejected,
    /// An operator must fix the cause. Contains a help text.
    Fatal(&'static str),
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html>
fn class_of(code: &str, message: &str) -> Class {
    match code {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded" => Class::Throttled,
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
        _ => fix_of(code).map_or(Class::Retry, Class::Fatal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::config::http::HttpResponse;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use expect_test::{Expect, expect};

    /// The error for an answer with this code and message.
    fn answered(code: &str, message: &str) -> StoreError {
        let meta = ErrorMetadata::builder().code(code).message(message).build();
        let raw = HttpResponse::new(400.try_into().unwrap(), "".into());
        of_request(SdkError::service_error(PutItemError::generic(meta).into(), raw))
    }

    #[expect(clippy::needless_pass_by_value, reason = "each caller makes an error for this")]
    fn of_request(error: SdkError) -> StoreError {
        Request::new("PutItem", ["orders", "app", "app"]).error(&error)
    }

    fn check(error: &StoreError, expected: &Expect) {
        expected.assert_eq(&format!("{}: {error}", name(error)));
    }

    fn name(error: &StoreError) -> &'static str {
        match error {
            StoreError::Retry(_) => "retry",
            StoreError::Throttled(_) => "throttled",
            StoreError::Rejected(_) => "rejected",
            StoreError::Fatal(_) => "fatal",
        }
    }

    #[test]
    fn error_codes_are_classified() {
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
            codes.iter().map(|code| format!("{}: {code}", name(&answered(code, "")))).collect();
        expect![[r"
            throttled: ProvisionedThroughputExceededException
            throttled: ThrottlingException
            throttled: RequestLimitExceeded
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
    fn a_problem_with_an_index_does_not_reject_a_record() {
        let read = |message| name(&answered("ValidationException", message));
        assert_eq!(read("The table does not have the specified index: by_owner"), "fatal");
        assert_eq!(read("Query condition missed key schema element: owner"), "fatal");
        let builds = "Cannot read from backfilling global secondary index: by_owner";
        assert_eq!(read(builds), "retry");
    }

    #[test]
    fn fatal_errors_contain_a_fix() {
        check(
            &answered("ResourceNotFoundException", "Requested resource not found"),
            &expect![[r"
                fatal: `PutItem` on `app`, `orders`: ResourceNotFoundException: Requested resource not found
                help: check the table's `name` and its indexes in the rule file, the account and the Region"]],
        );
        check(
            &answered(
                "ValidationException",
                "The table does not have the specified index: by_city",
            ),
            &expect![[r"
                fatal: `PutItem` on `app`, `orders`: ValidationException: The table does not have the specified index: by_city
                help: check the table's `name` and its indexes in the rule file, the account and the Region"]],
        );
        check(
            &of_request(SdkError::construction_failure("an endpoint resolver failed")),
            &expect![[r"
                fatal: `PutItem` on `app`, `orders`: failed to construct request: an endpoint resolver failed
                help: check the endpoint, and the Region in AWS_REGION or the profile"]],
        );
    }

    #[test]
    fn timeouts_and_broken_responses_are_retried() {
        check(
            &of_request(SdkError::timeout_error("5 s")),
            &expect!["retry: `PutItem` on `app`, `orders`: request has timed out: 5 s"],
        );
        let raw = HttpResponse::new(200.try_into().unwrap(), "".into());
        check(
            &of_request(SdkError::response_error("cut short", raw)),
            &expect!["retry: `PutItem` on `app`, `orders`: response error: cut short"],
        );
    }
}
