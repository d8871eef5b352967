//! Whether an endpoint other than AWS's own can be used, before any request is sent to it: a request
//! would be repeated for seconds, and its error names neither the endpoint nor the reason.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;

use super::{SdkConfig, endpoint_of};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// Why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The URL has no host, or the port is not a number.
    #[error("`{0}` is not the URL of an endpoint\nhelp: write it as `http://localhost:8000`")]
    Url(String),
    /// Nothing accepts connections there.
    #[error(
        "no connection to `{url}`: {error}\nhelp: start DynamoDB Local there, or correct the endpoint"
    )]
    Unreachable {
        /// The endpoint.
        url: String,
        /// Why there is no connection.
        error: String,
    },
    /// There are no credentials for a local endpoint.
    #[error(
        "there are no credentials for `{0}`\nhelp: a local endpoint accepts any: set \
         AWS_ACCESS_KEY_ID=local and AWS_SECRET_ACCESS_KEY=local"
    )]
    Credentials(String),
    /// There is no Region for a local endpoint.
    #[error(
        "there is no Region for `{0}`\nhelp: a local endpoint accepts any: set AWS_REGION=eu-west-1"
    )]
    Region(String),
}

/// Checks the endpoint of DynamoDB, if it is not AWS's own: that something accepts connections, and
/// that a local one gets a Region and credentials.
///
/// `has_proxy` says whether requests take another way, so that a connection says nothing.
pub async fn check_endpoint(config: &SdkConfig, has_proxy: bool) -> Result<(), EndpointError> {
    let Some(url) = endpoint_of(config, "DynamoDB") else { return Ok(()) };
    let (host, port) = address(&url).ok_or_else(|| EndpointError::Url(url.clone()))?;
    if !has_proxy {
        connect(&host, port)
            .map_err(|error| EndpointError::Unreachable { url: url.clone(), error })?;
    }
    let is_local = host == "localhost" || host == "::1" || host.starts_with("127.");
    if !is_local {
        return Ok(());
    }
    if config.region().is_none() {
        return Err(EndpointError::Region(url));
    }
    let Some(credentials) = config.credentials_provider() else { return Ok(()) };
    match credentials.provide_credentials().await {
        Err(CredentialsError::CredentialsNotLoaded(_)) => Err(EndpointError::Credentials(url)),
        // What is wrong with a profile is known from the first request.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Connects to any of the host's addresses.
fn connect(host: &str, port: u16) -> Result<(), String> {
    let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let mut error = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(_) => return Ok(()),
            Err(failed) => error = failed.to_string(),
        }
    }
    Err(error)
}

/// The host and the port of a URL.
fn address(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, default),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_url_is_its_host_and_its_port() {
        for (url, expected) in [
            ("http://localhost:8000", Some(("localhost", 8000))),
            ("http://localhost:8000/path:1", Some(("localhost", 8000))),
            (
                "https://dynamodb.eu-west-1.amazonaws.com",
                Some(("dynamodb.eu-west-1.amazonaws.com", 443)),
            ),
            ("http://[::1]:8000", Some(("::1", 8000))),
            ("http://[::1]", Some(("::1", 80))),
            ("http://:8000", None),
            ("http://localhost:x", None),
            ("localhost", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(address(url), expected, "{url}");
        }
    }
}
