//! What errors of the streams' API mean to whoever follows a stream.

use aws_sdk_dynamodbstreams::error::ProvideErrorMetadata as _;

use crate::aws::error::{Unanswered, mend_of, unanswered};

/// An error of any operation.
type SdkError = aws_sdk_dynamodbstreams::error::SdkError<aws_sdk_dynamodbstreams::Error>;

/// Why a stream could not be read, by what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The same request may succeed later.
    #[error("{0}")]
    Retry(String),
    /// The shard iterator is older than 15 minutes: a new one leads on.
    #[error("{0}")]
    ExpiredIterator(String),
    /// What was to be read next has been trimmed: the stream goes on later than there.
    #[error("{0}")]
    Trimmed(String),
    /// The shard, or the whole stream, is no longer there.
    #[error("{0}")]
    Gone(String),
    /// No request of this kind can succeed until someone mends the set-up.
    #[error("{0}")]
    Fatal(String),
}

const REQUEST_HELP: &str =
    "what is asked for is not of this stream: a checkpoint of another stream leads nowhere";

/// What is to be done about an error of an operation on a stream, or on a table's streams.
///
/// What is not documented is tried again: a follower that stands still loses nothing for a day.
pub(super) fn class(operation: &str, subject: &str, error: &SdkError) -> StreamError {
    let told = |what: String| format!("`{operation}` on `{subject}`: {what}");
    let fatal = |what, help| StreamError::Fatal(format!("{}\nhelp: {help}", told(what)));
    let SdkError::ServiceError(answer) = error else {
        return match unanswered(error) {
            Unanswered::Lost(what) => StreamError::Retry(told(what)),
            Unanswered::SetUp(what, help) => fatal(what, help),
        };
    };
    let code = answer.err().code().unwrap_or("UnknownError");
    let message = answer.err().message().unwrap_or("no message");
    let what = format!("{code}: {message}");
    match code {
        "ExpiredIteratorException" => StreamError::ExpiredIterator(told(what)),
        "TrimmedDataAccessException" => StreamError::Trimmed(told(what)),
        "ResourceNotFoundException" => StreamError::Gone(told(what)),
        "ValidationException" | "SerializationException" => fatal(what, REQUEST_HELP),
        _ => match mend_of(code) {
            Some(help) => fatal(what, help),
            None => StreamError::Retry(told(what)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodbstreams::config::http::HttpResponse;
    use aws_sdk_dynamodbstreams::error::ErrorMetadata;
    use aws_sdk_dynamodbstreams::operation::get_records::GetRecordsError;
    use expect_test::expect;

    fn classed(code: &str) -> StreamError {
        let meta = ErrorMetadata::builder().code(code).message("why").build();
        let raw = HttpResponse::new(400.try_into().unwrap(), "".into());
        let error = SdkError::service_error(GetRecordsError::generic(meta).into(), raw);
        class("GetRecords", "arn", &error)
    }

    #[test]
    fn codes_are_told_apart() {
        let codes = [
            "ExpiredIteratorException",
            "TrimmedDataAccessException",
            "ResourceNotFoundException",
            "ValidationException",
            "AccessDeniedException",
            "ExpiredTokenException",
            "LimitExceededException",
            "ThrottlingException",
            "InternalServerError",
            "NeverHeardOfException",
        ];
        let name = |error: StreamError| {
            let debug = format!("{error:?}");
            debug.split('(').next().map(str::to_owned).unwrap()
        };
        let lines: Vec<_> =
            codes.iter().map(|code| format!("{code}: {}", name(classed(code)))).collect();
        expect![[r"
            ExpiredIteratorException: ExpiredIterator
            TrimmedDataAccessException: Trimmed
            ResourceNotFoundException: Gone
            ValidationException: Fatal
            AccessDeniedException: Fatal
            ExpiredTokenException: Fatal
            LimitExceededException: Retry
            ThrottlingException: Retry
            InternalServerError: Retry
            NeverHeardOfException: Retry"]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn an_operator_is_told_what_to_do() {
        expect![[r"
            `GetRecords` on `arn`: AccessDeniedException: why
            help: the role's policy must allow this operation on this table"]]
        .assert_eq(&classed("AccessDeniedException").to_string());
        let error = SdkError::construction_failure("an endpoint resolver failed");
        expect![[r"
            `ListStreams` on `app`: failed to construct request: an endpoint resolver failed
            help: check the endpoint, and the Region in AWS_REGION or the profile"]]
        .assert_eq(&class("ListStreams", "app", &error).to_string());
        assert!(matches!(
            class("ListStreams", "app", &SdkError::timeout_error("5 s")),
            StreamError::Retry(_)
        ));
    }
}
