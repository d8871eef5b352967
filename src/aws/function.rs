//! The configuration of the Lambda function: its environment variables.
//!
//! Lambda sets the Region and the credentials. The SDK's loader would also search profiles, metadata
//! of instances and tokens of web identities, none of which exist in Lambda, and would make the
//! package larger.
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::{http_client, retries, timeouts};

/// The services that the function uses, in the names of variables.
const SERVICES: [&str; 3] = ["CLOUDWATCH", "DYNAMODB", "SQS"];

/// The configuration that the function's AWS clients use.
pub(crate) fn configure_function(environment: &dyn Fn(&str) -> Option<String>) -> SdkConfig {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    let flag = |name: &str| variable(name).map(|value| value.eq_ignore_ascii_case("true"));
    let endpoint = |service| Some((service, variable(&format!("AWS_ENDPOINT_URL_{service}"))?));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(FixedCredentials::of(&variable)))
        .http_client(http_client())
        .timeout_config(timeouts())
        .retry_config(retries())
        .service_config(Endpoints(SERVICES.into_iter().filter_map(endpoint).collect()))
        .time_source(SystemTimeSource::new());
    config.set_sleep_impl(default_async_sleep());
    config.set_region(variable("AWS_REGION").map(Region::new));
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    config.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    config.build()
}

/// The credentials of the function's role, which are valid as long as its process runs; `Err` with
/// the variable that is not set.
#[derive(Debug)]
struct FixedCredentials(Result<Credentials, &'static str>);

impl FixedCredentials {
    fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).ok_or(name);
        let credentials = set("AWS_ACCESS_KEY_ID").and_then(|id| {
            let (secret, token) = (set("AWS_SECRET_ACCESS_KEY")?, variable("AWS_SESSION_TOKEN"));
            Ok(Credentials::new(id, secret, token, None, "environment variables"))
        });
        Self(credentials)
    }
}

impl ProvideCredentials for FixedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let unset = |name| CredentialsError::not_loaded(format!("{name} is not set"));
        future::ProvideCredentials::ready(self.0.clone().map_err(unset))
    }
}

/// The endpoints of single services.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
#[derive(Debug)]
struct Endpoints(Vec<(&'static str, String)>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        let service = key.service_id().to_uppercase();
        self.0.iter().find(|(name, _)| *name == service).map(|(_, url)| url.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::endpoint_of;

    fn configured(variables: &[(&str, &str)]) -> SdkConfig {
        configure_function(&|name| {
            let set = variables.iter().find(|(known, _)| *known == name);
            set.map(|(_, value)| (*value).to_owned())
        })
    }

    #[tokio::test]
    async fn credentials_and_region_are_those_of_the_environment() {
        let config = configured(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ]);
        assert_eq!(config.region(), Some(&Region::new("eu-west-1")));
        let credentials = config.credentials_provider().unwrap().provide_credentials().await;
        assert_eq!(credentials.unwrap().session_token(), Some("token"));
    }

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_named() {
        let config = configured(&[("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "")]);
        let error = config.credentials_provider().unwrap().provide_credentials().await;
        let CredentialsError::CredentialsNotLoaded(_) = error.unwrap_err() else {
            panic!("another error");
        };
    }

    #[test]
    fn the_endpoint_of_a_service_takes_precedence() {
        let config = configured(&[
            ("AWS_ENDPOINT_URL", "http://localhost:1"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:2"),
        ]);
        assert_eq!(endpoint_of(&config, "DynamoDB").as_deref(), Some("http://localhost:2"));
        assert_eq!(endpoint_of(&config, "SQS").as_deref(), Some("http://localhost:1"));
    }
}
