//! What the SDK's errors mean to whoever made the request.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;

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
            // The request never became one: no Region, an endpoint that is no URL.
            SdkError::ConstructionFailure(_) => self.fatal(error, SET_UP_HELP),
            SdkError::DispatchFailure(failure) => match credentials_error(error) {
                Some(cause) if is_lasting(cause) => self.fatal(error, CREDENTIALS_HELP),
                // The SDK gives no kind to what fails before anything is sent.
                None if failure.is_user() || failure.is_other() && failure.as_other().is_none() => {
                    self.fatal(error, SET_UP_HELP)
                }
                _ => self.lost(error),
            },
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) | _ => self.lost(error),
        }
    }

    /// An error after which nobody knows whether the request was carried out.
    fn lost(&self, error: &SdkError) -> StoreError {
        StoreError::Retry(self.told(Brief(error)))
    }

    fn fatal(&self, error: &SdkError, help: &str) -> StoreError {
        StoreError::Fatal(format!("{}\nhelp: {help}", self.told(Brief(error))))
    }

    /// What went wrong, and with what.
    pub(super) fn told(&self, what: impl fmt::Display) -> String {
        format!("`{}` on `{}`: {what}", self.operation, self.tables.join("`, `"))
    }
}

const SET_UP_HELP: &str = "check the endpoint, and the Region in AWS_REGION or the profile";
const CREDENTIALS_HELP: &str =
    "give credentials in the environment or a profile, renew expired ones, and check the clock";
const ACCESS_HELP: &str = "the role's policy must allow this operation on this table";
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
        "ValidationException" if message.contains("does not have the specified index") => {
            Class::Fatal(TABLE_HELP)
        }
        "ValidationException"
        | "SerializationException"
        | "ItemCollectionSizeLimitExceededException"
        | "IdempotentParameterMismatchException" => Class::Rejected,
        "AccessDeniedException" | "NotAuthorized" | "OptInRequired" => Class::Fatal(ACCESS_HELP),
        "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Class::Fatal(CREDENTIALS_HELP),
        _ => Class::Retry,
    }
}

fn credentials_error(error: &SdkError) -> Option<&CredentialsError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Whether there are no credentials at all, rather than none at this moment.
const fn is_lasting(error: &CredentialsError) -> bool {
    matches!(
        error,
        CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)
    )
}

fn causes(error: &SdkError) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// An error and its root. What lies between may hold the whole request.
struct Brief<'e>(&'e SdkError);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        causes(self.0).last().map_or(Ok(()), |root| write!(formatter, ": {root}"))
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
