//! Classifies errors of the DynamoDB Streams API by what a reader of a stream can do about them.

use aws_sdk_dynamodbstreams::error::ProvideErrorMetadata as _;

use crate::aws::error::{Unanswered, fix_of, unanswered};

/// An error of any operation.
type SdkError = aws_sdk_dynamodbstreams::error::SdkError<aws_sdk_dynamodbstreams::Error>;

/// Why a request to a stream failed. Each variant calls for a different reaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The same request may succeed later.
    #[error("{0}")]
    Retry(String),
    /// The shard iterator is older than 15 minutes; a new one is needed.
    #[error("{0}")]
    ExpiredIterator(String),
    /// The next record was trimmed; only later records can be read.
    #[error("{0}")]
    Trimmed(String),
    /// The shard or the whole stream no longer exists.
    #[error("{0}")]
    Gone(String),
    /// No request of this kind can succeed until an operator fixes the configuration.
    #[error("{0}")]
    Fatal(String),
}

const REQUEST_HELP: &str =
    "this shard or sequence number belongs to another stream: use a checkpoint of this stream";

/// Converts the SDK's error of an operation on a stream or on a table's streams.
///
/// Undocumented errors are retried. Records remain in the stream for a day, so a reader that waits
/// less than that loses none.
pub(super) fn stream_error(operation: &str, subject: &str, error: &SdkError) -> StreamError {
    let message = |what: String| format!("`{operation}` on `{subject}`: {what}");
    let fatal = |what, help| StreamError::Fatal(format!("{}\nhelp: {help}", message(what)));
    let SdkError::ServiceError(answer) = error else {
        return match unanswered(error) {
            Unanswered::Lost(what) => StreamError::Retry(message(what)),
            Unanswered::Misconfigured(what, help) => fatal(what, help),
        };
    };
    let code = answer.err().code().unwrap_or("UnknownError");
    let what = format!("{code}: {}", answer.err().message().unwrap_or("no message"));
    match code {
        "ExpiredIteratorException" => StreamError::ExpiredIterator(message(what)),
        "TrimmedDataAccessException" => StreamError::Trimmed(message(what)),
        "ResourceNotFoundException" => StreamError::Gone(message(what)),
        "ValidationException" | "SerializationException" => fatal(what, REQUEST_HELP),
        _ => match fix_of(code) {
            Some(help) => fatal(what, help),
            None => StreamError::Retry(message(what)),
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

    fn answered(code: &str) -> StreamError {
        let meta = ErrorMetadata::builder().code(code).message("why").build();
        let raw = HttpResponse::new(400.try_into().unwrap(), "".into());
        let error = SdkError::service_error(GetRecordsError::generic(meta).into(), raw);
        stream_error("GetRecords", "arn", &error)
    }

    #[test]
    fn error_codes_are_classified() {
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
            codes.iter().map(|code| format!("{code}: {}", name(answered(code)))).collect();
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
    fn fatal_errors_contain_a_fix() {
        expect![[r"
            `GetRecords` on `arn`: AccessDeniedException: why
            help: the role's policy must allow this operation on this table"]]
        .assert_eq(&answered("AccessDeniedException").to_string());
        let error = SdkError::construction_failure("an endpoint resolver failed");
        expect![[r"
            `ListStreams` on `app`: failed to construct request: an endpoint resolver failed
            help: check the endpoint, and the Region in AWS_REGION or the profile"]]
        .assert_eq(&stream_error("ListStreams", "app", &error).to_string());
        assert!(matches!(
            stream_error("ListStreams", "app", &SdkError::timeout_error("5 s")),
            StreamError::Retry(_)
        ));
    }
}
