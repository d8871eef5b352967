//! Endpoints that cannot be used: the message comes at once, and says which endpoint and what to do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::needless_raw_string_hashes, reason = "`expect!` writes its texts so")]

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use kit::transcript::transcript;

/// Checks the output, in which `PORT` stands for the port of an endpoint.
#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
#[expect(clippy::disallowed_methods, reason = "a test of how long a command takes")]
fn check(command: &str, environment: &[(&str, &str)], port: u16, expected: Expect) {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/events/company-user/referee.yaml");
    let url = format!("http://127.0.0.1:{port}");
    let arguments = command.split(' ').chain(["--rules", rules, "--endpoint-url", &url]);
    let mut process = Command::new(env!("CARGO_BIN_EXE_referee"));
    process.args(arguments).env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    process.envs(environment.iter().copied());
    let began = Instant::now();
    let text = transcript(&mut process);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    expected.assert_eq(&text.replace(&port.to_string(), "PORT"));
}

const CREDENTIALS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "any"), ("AWS_SECRET_ACCESS_KEY", "any")];

/// A listener that answers no request, and its port.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[test]
fn an_endpoint_that_nothing_listens_at_is_named_at_once() {
    let (listener, port) = listener();
    drop(listener);
    let refused = || {
        expect![[r#"
            exit code 3
            --- stdout
            --- stderr
            error: incomplete: no connection to `http://127.0.0.1:PORT`: Connection refused (os error 111)
            help: start DynamoDB Local there, or correct the endpoint
        "#]]
    };
    check("watch", &CREDENTIALS, port, refused());
    check("check", &CREDENTIALS, port, refused());
    check("audit", &CREDENTIALS, port, refused());
}

#[test]
fn a_local_endpoint_accepts_any_credentials_and_any_region() {
    let (_listener, port) = listener();
    check(
        "watch",
        &CREDENTIALS,
        port,
        expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: incomplete: there is no Region for `http://127.0.0.1:PORT`
        help: a local endpoint accepts any: set AWS_REGION=eu-west-1
    "#]],
    );
    check(
        "watch",
        &[("AWS_REGION", "eu-west-1")],
        port,
        expect![[r#"
        exit code 3
        --- stdout
        --- stderr
        error: incomplete: there are no credentials for `http://127.0.0.1:PORT`
        help: a local endpoint accepts any: set AWS_ACCESS_KEY_ID=local and AWS_SECRET_ACCESS_KEY=local
    "#]],
    );
}
