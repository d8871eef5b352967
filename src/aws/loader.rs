//! The configuration of the command-line tool: environment variables and profiles.

use aws_config::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::{http_client, retries, timeouts};

/// Loads the configuration that every AWS client uses.
///
/// The SDK resolves credentials, Region and endpoints from the environment and the shared
/// configuration files. An endpoint given here takes precedence.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/creds-config-files.html>
pub async fn configure(endpoint: Option<&str>) -> SdkConfig {
    configure_in(endpoint, None).await
}

/// Loads the same configuration for another Region, if one is given.
pub async fn configure_in(endpoint: Option<&str>, region: Option<&str>) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client())
        .timeout_config(timeouts())
        .retry_config(retries());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}
