//! Requests to services whose SDK crate is not used.
//!
//! The function sends one kind of request to SQS, and `referee diagram system` asks Lambda and
//! CloudWatch Logs three questions. Their SDK crates have every operation of the service: each takes
//! half a minute of a processor to build, and makes the function's package a tenth larger. So these
//! requests are plain JSON, and everything else is the SDK's: its signer, its HTTP client, its
//! credentials, its timeouts and its configuration of endpoints.
//!
//! Invariant: no other module uses `aws_sigv4` or `aws_smithy_runtime`.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::timeout::TimeoutConfig;
use backon::Retryable as _;
use serde_json::Value as Json;

use super::backoff::exponential;
use super::error::{Unanswered, fix_of, unanswered};
use super::{SdkConfig, endpoint_of};

/// The waits before retries.
const DELAY_MS_MIN: u64 = 100;
const DELAY_MS_MAX: u64 = 2_000;

/// A service.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its name in the configuration of endpoints, such as `CloudWatch Logs`.
    pub id: &'static str,
    /// Its name in host names and signatures.
    pub name: &'static str,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Call<'c> {
    /// The service.
    pub service: Service,
    /// Its endpoint, unless the configuration has one or requires FIPS; `None` for the one of the
    /// Region.
    pub endpoint: Option<&'c str>,
    /// The name of the operation, for messages.
    pub operation: &'c str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path and the query, encoded.
    pub path: String,
    /// Headers besides those of the signature.
    pub headers: Vec<(&'static str, &'c str)>,
    /// The body.
    pub body: String,
}

/// The content type of version 1.0 of AWS's JSON protocol.
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>
pub const JSON_1_0: &str = "application/x-amz-json-1.0";
/// The content type of version 1.1 of AWS's JSON protocol.
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>
pub const JSON_1_1: &str = "application/x-amz-json-1.1";

impl<'c> Call<'c> {
    /// A request in a version of AWS's JSON protocol. `target` ends with the name of the operation,
    /// such as `AmazonSQS.SendMessage`.
    #[must_use]
    pub fn json(service: Service, version: &'c str, target: &'c str, body: &Json) -> Self {
        Self {
            service,
            endpoint: None,
            operation: target.rsplit('.').next().unwrap_or(target),
            method: "POST",
            path: "/".to_owned(),
            headers: vec![("content-type", version), ("x-amz-target", target)],
            body: body.to_string(),
        }
    }

    /// A request for what is at a path.
    #[must_use]
    pub const fn get(service: Service, operation: &'c str, path: String) -> Self {
        Self {
            service,
            endpoint: None,
            operation,
            method: "GET",
            path,
            headers: Vec::new(),
            body: String::new(),
        }
    }
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The caller lacks a permission.
    #[error("{0}")]
    Denied(String),
    /// What it asks about does not exist.
    #[error("{0}")]
    Missing(String),
    /// The same request may succeed later.
    #[error("{0}")]
    MayPass(String),
    /// It fails for another reason.
    #[error("{0}")]
    Failed(String),
}

/// Sends a request, and again if that may help, at most `retries_max` times.
pub async fn call(
    config: &SdkConfig,
    call: &Call<'_>,
    retries_max: usize,
) -> Result<Json, CallError> {
    let schedule = exponential(DELAY_MS_MIN, DELAY_MS_MAX).with_max_times(retries_max);
    let attempt = || async { attempt(config, call).await };
    let may_pass = |error: &CallError| matches!(error, CallError::MayPass(_));
    attempt.retry(schedule.with_jitter()).when(may_pass).await
}

/// A request with its signature.
#[derive(Debug)]
struct Signed {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// An answer of the service.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// The kind of error that a header names.
    kind: Option<String>,
    body: Vec<u8>,
}

async fn attempt(config: &SdkConfig, call: &Call<'_>) -> Result<Json, CallError> {
    let failed =
        |what: &dyn fmt::Display| CallError::Failed(format!("`{}`: {what}", call.operation));
    let region = config.region().ok_or_else(|| {
        failed(&"there is no Region\nhelp: set AWS_REGION, or the region of the profile")
    })?;
    let is_fips = config.use_fips() == Some(true);
    let endpoint = endpoint_of(config, call.service.id)
        .or_else(|| call.endpoint.filter(|_| !is_fips).map(str::to_owned))
        .unwrap_or_else(|| default_endpoint(call.service, region.as_ref(), is_fips));
    let endpoint = endpoint.trim_end_matches('/');
    let signed = signed(config, call, endpoint, region.as_ref()).await;
    let signed = signed.map_err(|error| failed(&error))?;
    let http = config.http_client().ok_or_else(|| failed(&"there is no HTTP client"))?;
    let mut operation = Operation::builder()
        .service_name(call.service.name)
        .operation_name(call.operation.to_owned())
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(endpoint)
        .no_auth()
        .no_retry()
        .timeout_config(config.timeout_config().cloned().unwrap_or_else(no_timeouts));
    if let Some(sleep) = config.sleep_impl() {
        operation = operation.sleep_impl(sleep);
    }
    if let Some(time) = config.time_source() {
        operation = operation.time_source(time);
    }
    let operation = operation
        .serializer(|signed: Signed| signed.request())
        .deserializer::<Answer, fmt::Error>(|response: &HttpResponse| {
            Ok(Answer {
                status: response.status().as_u16(),
                kind: response.headers().get("x-amzn-errortype").map(str::to_owned),
                body: response.body().bytes().unwrap_or_default().to_owned(),
            })
        })
        .build();
    match operation.invoke(signed).await {
        Ok(answer) => answer.json(call.operation),
        Err(error) => Err(match unanswered(&error) {
            Unanswered::Lost(what) => CallError::MayPass(format!("`{}`: {what}", call.operation)),
            Unanswered::Misconfigured(what, help) => failed(&format!("{what}\nhelp: {help}")),
        }),
    }
}

fn no_timeouts() -> TimeoutConfig {
    TimeoutConfig::disabled()
}

/// AWS's own endpoint, or the one whose cryptography is validated by FIPS 140.
/// <https://docs.aws.amazon.com/general/latest/gr/rande.html>
fn default_endpoint(service: Service, region: &str, is_fips: bool) -> String {
    let variant = if is_fips { "-fips" } else { "" };
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{}{variant}.{region}.{suffix}", service.name)
}

async fn signed(
    config: &SdkConfig,
    call: &Call<'_>,
    endpoint: &str,
    region: &str,
) -> Result<Signed, Box<dyn Error + Send + Sync>> {
    let credentials = config.credentials_provider().ok_or("there are no credentials")?;
    let identity = credentials.provide_credentials().await?.into();
    let time = config.time_source().ok_or("there is no clock")?.now();
    let params: SigningParams<'_> = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(call.service.name)
        .time(time)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let url = format!("{endpoint}{}", call.path);
    let body = SignableBody::Bytes(call.body.as_bytes());
    let request = SignableRequest::new(call.method, url, call.headers.iter().copied(), body)?;
    let (signature, _) = sign(request, &params)?.into_parts();
    let own = call.headers.iter().copied().chain(signature.headers());
    let headers = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Signed { method: call.method, path: call.path.clone(), headers, body: call.body.clone() })
}

impl Signed {
    fn request(self) -> Result<HttpRequest, Box<dyn Error + Send + Sync>> {
        let mut request = HttpRequest::new(self.body.into());
        request.set_method(self.method)?;
        request.set_uri(self.path)?;
        for (name, value) in self.headers {
            request.headers_mut().try_insert(name, value)?;
        }
        Ok(request)
    }
}

impl Answer {
    /// The content of a successful answer, which some operations leave empty.
    fn json(&self, operation: &str) -> Result<Json, CallError> {
        let content = match self.body.as_slice() {
            [] => Some(Json::Null),
            body => serde_json::from_slice(body).ok(),
        };
        if (200..300).contains(&self.status) {
            return content.ok_or_else(|| {
                CallError::Failed(format!("`{operation}`: the answer is not JSON"))
            });
        }
        let text = |names: [&str; 3]| {
            let content = content.as_ref()?;
            names.iter().find_map(|name| content.get(*name)?.as_str().map(str::to_owned))
        };
        // `com.amazonaws.logs#ResourceNotFoundException`, or `ThrottlingException:http://…`
        let kind = self.kind.clone().or_else(|| text(["__type", "code", "Code"]));
        let kind = kind.unwrap_or_else(|| format!("status {}", self.status));
        let kind = kind.rsplit('#').next().unwrap_or_default();
        let kind = kind.split(':').next().unwrap_or_default();
        let message = text(["message", "Message", "errorMessage"]);
        let message = message.unwrap_or_else(|| "no message".to_owned());
        let what = format!("`{operation}`: {kind}: {message}");
        Err(match (kind, self.status) {
            ("AccessDeniedException" | "AccessDenied", _) => CallError::Denied(what),
            ("ResourceNotFoundException" | "QueueDoesNotExist" | "StateMachineDoesNotExist", _)
            | (_, 404) => CallError::Missing(what),
            ("ThrottlingException" | "TooManyRequestsException", _) | (_, 429 | 500..) => {
                CallError::MayPass(what)
            }
            (kind, _) => CallError::Failed(match fix_of(kind) {
                Some(help) => format!("{what}\nhelp: {help}"),
                None => what,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, kind: Option<&str>, body: &str) -> Result<Json, CallError> {
        let kind = kind.map(str::to_owned);
        Answer { status, kind, body: body.as_bytes().to_owned() }.json("GetFunction")
    }

    #[test]
    fn errors_are_classified_by_the_name_that_the_service_gives_them() {
        let denied = answer(403, Some("AccessDeniedException:http://x/"), r#"{"Message":"no"}"#);
        let expected = "`GetFunction`: AccessDeniedException: no".to_owned();
        assert_eq!(denied, Err(CallError::Denied(expected)));
        let missing = r#"{"__type":"com.amazonaws.logs#ResourceNotFoundException"}"#;
        assert!(matches!(answer(400, None, missing), Err(CallError::Missing(_))));
        assert!(matches!(answer(404, None, ""), Err(CallError::Missing(_))));
        assert!(matches!(answer(429, None, "{}"), Err(CallError::MayPass(_))));
        assert!(matches!(answer(500, None, ""), Err(CallError::MayPass(_))));
        let expired = answer(403, Some("ExpiredTokenException"), "{}");
        assert!(matches!(expired, Err(CallError::Failed(text)) if text.contains("help: ")));
        assert!(matches!(answer(200, None, "<html>"), Err(CallError::Failed(_))));
        assert_eq!(answer(200, None, "{}"), Ok(serde_json::json!({})));
        assert_eq!(answer(200, None, ""), Ok(Json::Null));
    }

    #[test]
    fn the_host_depends_on_the_partition_and_on_fips() {
        let lambda = Service { id: "Lambda", name: "lambda" };
        let endpoint = default_endpoint(lambda, "cn-north-1", false);
        assert_eq!(endpoint, "https://lambda.cn-north-1.amazonaws.com.cn");
        let endpoint = default_endpoint(lambda, "us-east-1", true);
        assert_eq!(endpoint, "https://lambda-fips.us-east-1.amazonaws.com");
    }
}
