//! What the SDKs' errors mean, whichever service was asked.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;

/// Why a request has no answer, by what is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// Nobody knows whether the request was carried out.
    Lost(String),
    /// The request never became one, and only an operator can mend that: what is wrong, and how.
    SetUp(String, &'static str),
}

const SET_UP_HELP: &str = "check the endpoint, and the Region in AWS_REGION or the profile";
const CREDENTIALS_HELP: &str =
    "give credentials in the environment or a profile, renew expired ones, and check the clock";
const ACCESS_HELP: &str = "the role's policy must allow this operation on this table";

/// Why a request has no answer, or none that could be read.
pub(crate) fn unanswered<E: Error + 'static, R: fmt::Debug + 'static>(
    error: &SdkError<E, R>,
) -> Unanswered {
    let lost = || Unanswered::Lost(Brief(error).to_string());
    let set_up = |help| Unanswered::SetUp(Brief(error).to_string(), help);
    match error {
        // The request never became one: no Region, an endpoint that is no URL.
        SdkError::ConstructionFailure(_) => set_up(SET_UP_HELP),
        SdkError::DispatchFailure(failure) => {
            match causes(error).find_map(|cause| cause.downcast_ref()) {
                Some(cause) if is_lasting(cause) => set_up(CREDENTIALS_HELP),
                // The SDK gives no kind to what fails before anything is sent.
                None if failure.is_user() || failure.is_other() && failure.as_other().is_none() => {
                    set_up(SET_UP_HELP)
                }
                _ => lost(),
            }
        }
        SdkError::ServiceError(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_) | _ => {
            lost()
        }
    }
}

/// How an operator mends what an error of this code says, if it is about who asks: every service
/// has these codes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html>
pub(crate) fn mend_of(code: &str) -> Option<&'static str> {
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

/// Whether there are no credentials at all, rather than none at this moment.
const fn is_lasting(error: &CredentialsError) -> bool {
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

/// An error and its root. What lies between may hold the whole request.
pub(crate) struct Brief<'e>(pub(crate) &'e (dyn Error + 'static));

impl fmt::Display for Brief<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        causes(self.0).last().map_or(Ok(()), |root| write!(formatter, ": {root}"))
    }
}
