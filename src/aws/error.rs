//! Classifies the SDK errors that are common to all services.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;

/// Why a request got no usable answer. Each variant calls for a different reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It is unknown whether the request was carried out.
    Lost(String),
    /// The request cannot be sent until an operator fixes the configuration. Contains the error and
    /// a help text.
    Misconfigured(String, &'static str),
}

const CONFIGURATION_HELP: &str = "check the endpoint, and the Region in AWS_REGION or the profile";
const CREDENTIALS_HELP: &str = "provide credentials in the environment or a profile, renew expired credentials, and check the clock";
const SIGN_IN_HELP: &str = "sign in again (`aws sso login`), or check the source of credentials in the profile, such as `credential_process`";
const ACCESS_HELP: &str = "the role's policy must allow this operation on this table";

/// Classifies the error of a request that got no answer, or an unreadable one.
pub(crate) fn unanswered<E: Error + 'static, R: fmt::Debug + 'static>(
    error: &SdkError<E, R>,
) -> Unanswered {
    let lost = || Unanswered::Lost(brief(error));
    let misconfigured = |help| Unanswered::Misconfigured(Brief(error).to_string(), help);
    match error {
        // The request could not be built: no Region, or an invalid endpoint URL.
        SdkError::ConstructionFailure(_) => misconfigured(CONFIGURATION_HELP),
        SdkError::DispatchFailure(failure) => {
            match causes(error).find_map(|cause| cause.downcast_ref()) {
                Some(cause) if is_permanent(cause) => misconfigured(CREDENTIALS_HELP),
                // This may pass by itself: the source of credentials may be another service.
                Some(CredentialsError::ProviderError(_)) => {
                    Unanswered::Lost(format!("{}\nhelp: {SIGN_IN_HELP}", Brief(error)))
                }
                // The SDK does not classify errors that occur before anything is sent.
                None if failure.is_user() || failure.is_other() && failure.as_other().is_none() => {
                    misconfigured(CONFIGURATION_HELP)
                }
                _ => lost(),
            }
        }
        SdkError::ServiceError(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) | _ => {
            lost()
        }
    }
}

/// The error of a request without an answer, in words.
fn brief<E: Error + 'static, R: fmt::Debug + 'static>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::DispatchFailure(_) => {
            let root = causes(error).last().map(ToString::to_string);
            format!("no connection to the endpoint: {}", root.unwrap_or_default())
        }
        SdkError::ConstructionFailure(_)
        | SdkError::ResponseError(_)
        | SdkError::ServiceError(_)
        | SdkError::TimeoutError(_)
        | _ => Brief(error).to_string(),
    }
}

/// How an operator fixes an error with this code, if it concerns credentials or permissions.
/// These codes are the same for every service.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html>
pub(crate) fn fix_of(code: &str) -> Option<&'static str> {
    match code {
        "AccessDeniedException" | "NotAuthorized" | "OptInRequired" => Some(ACCESS_HELP),
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
        | "UnrecognizedClientException" => Some(CREDENTIALS_HELP),
        _ => None,
    }
}

/// Whether a retry cannot help: there are no credentials, or their configuration is invalid.
const fn is_permanent(error: &CredentialsError) -> bool {
    matches!(
        error,
        CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_)
    )
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// An error and its root cause. The causes between them may contain the whole request.
pub(crate) struct Brief<'e>(pub(crate) &'e (dyn Error + 'static));

impl fmt::Display for Brief<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        causes(self.0).last().map_or(Ok(()), |root| write!(formatter, ": {root}"))
    }
}
