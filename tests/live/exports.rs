//! Exports in S3: on an emulator, if it runs, and on an endpoint that fails as S3 does.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use expect_test::expect;
use kit::endpoint;
use kit::export::{DataFile, Export};
use kit::sample::Sample;
use libtest_mimic::Trial;
use referee::audit::export::{ObjectError, Objects, Place, S3Connection, open};
use referee::aws::SdkConfig;
use referee::rules::{self, RuleSource};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        endpoint::trial_on(endpoint::S3, "exports::an_export_is_read_from_s3", |endpoint| {
            emulated(endpoint);
            Ok(())
        }),
        Trial::test("exports::errors_of_s3_say_what_to_do", || {
            errors();
            Ok(())
        }),
        Trial::test("exports::a_download_that_breaks_is_resumed", || {
            resumed();
            Ok(())
        }),
    ]
}

/// The configuration for an endpoint, without the environment.
async fn config(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .load()
        .await
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn connection(endpoint: &str) -> Arc<S3Connection> {
    S3Connection::new(&runtime().block_on(config(endpoint))).unwrap()
}

/// Copies a folder to a bucket.
async fn upload(client: &Client, bucket: &str, root: &Path, folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            Box::pin(upload(client, bucket, root, &path)).await;
            continue;
        }
        let key = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let body = ByteStream::from(std::fs::read(&path).unwrap());
        client.put_object().bucket(bucket).key(key).body(body).send().await.unwrap();
    }
}

fn emulated(endpoint: &str) {
    let folder = tempfile::tempdir().unwrap();
    let sample = Sample { files: 4, ..Sample::new(20_000) };
    sample.write(folder.path());
    let export = Export::full("shop", "02-other", "2026-11-20T09:00:00.000Z");
    export.write(folder.path(), &[DataFile::new(&[])]);
    runtime().block_on(async {
        let config = aws_sdk_s3::config::Builder::from(&config(endpoint).await);
        let client = Client::from_conf(config.force_path_style(true).build());
        client.create_bucket().bucket("exports").send().await.unwrap();
        upload(&client, "exports", folder.path(), &folder.path().join("nightly")).await;
    });
    let connection = connection(endpoint);
    let source = RuleSource { name: "rules".to_owned(), text: kit::sample::RULES.to_owned() };
    let rules = rules::load(&source, &|_| None).rules.unwrap();
    let mut connect = |bucket: &str| -> Result<Arc<dyn Objects>, ObjectError> {
        Ok(Arc::new(connection.bucket(bucket)))
    };
    let mut open = |address: &str| open(&[Place::parse(address).unwrap()], &rules, &mut connect);

    let address = "s3://exports/nightly/AWSDynamoDB/01763625600000-5a3d1e00/";
    let table = open(address).unwrap().pop().unwrap().prepare(1).unwrap();
    thread::scope(|scope| {
        for (file, lines) in (0..).zip(sample.lines()) {
            let table = &table;
            scope.spawn(move || {
                let checked = table
                    .read(file, |row, item| {
                        let expected = &lines[row as usize];
                        assert_eq!(item, &expected.as_bytes()[8..expected.len() - 1]);
                        Ok(())
                    })
                    .unwrap();
                assert_eq!((checked.rows as usize, checked.problems), (lines.len(), vec![]));
            });
        }
    });
    let error = |result: Result<_, referee::audit::export::ExportError>| {
        result.map(|_| ()).unwrap_err().to_string()
    };
    expect![[r"
        `s3://exports/nightly` contains 2 exports
        help: pass the one to read:
          s3://exports/nightly/AWSDynamoDB/01763625600000-5a3d1e00: table `shop`, full, 2026-11-20T08:00:00Z, 20000 items
          s3://exports/nightly/AWSDynamoDB/02-other: table `shop`, full, 2026-11-20T09:00:00Z, 0 items"]]
    .assert_eq(&error(open("s3://exports/nightly")));
    expect![[r"
        there is no export at `s3://exports/nightly/AWSDynamoDB/03`
        help: pass the folder that contains `manifest-summary.json`"]]
    .assert_eq(&error(open("s3://exports/nightly/AWSDynamoDB/03")));
    expect![[r"
        cannot read `s3://exporst/nightly/manifest-summary.json`: NoSuchBucket: The specified bucket does not exist
        help: check the bucket's name"]]
    .assert_eq(&error(open("s3://exporst/nightly")));
}

/// Starts an endpoint that answers for S3, and returns its address. The answer depends on the number
/// of the request, its path, and the offset at which the download begins.
fn serve(answer: fn(usize, &str, usize) -> String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, connection) in listener.incoming().enumerate() {
            let mut connection = BufReader::new(connection.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && connection.read_line(&mut head).unwrap() > 0 {}
            let path = head.split(' ').nth(1).unwrap();
            let range = head.split("range: bytes=").nth(1).and_then(|it| it.split('-').next());
            let offset = range.map_or(0, |offset| offset.parse().unwrap());
            connection.get_mut().write_all(answer(number, path, offset).as_bytes()).unwrap();
        }
    });
    endpoint
}

/// An answer, after which the connection is closed.
fn response(status: u16, headers: &str, length: usize, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} \r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

fn failure(status: u16, code: &str) -> String {
    let body = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    response(status, "x-amz-bucket-region: eu-west-1\r\n", body.len(), &body)
}

fn errors() {
    let endpoint = serve(|_, path, _| match path.split('/').nth(1).unwrap() {
        "denied" => failure(403, "AccessDenied"),
        "expired" => failure(400, "ExpiredToken"),
        "elsewhere" => failure(301, "PermanentRedirect"),
        "archived" => failure(403, "InvalidObjectState"),
        _ => failure(404, "NoSuchKey"),
    });
    let connection = connection(&endpoint);
    let error =
        |bucket: &str| connection.bucket(bucket).open("x").map(|_| ()).unwrap_err().to_string();
    expect![[r"
        cannot read `s3://denied/x`: AccessDenied: no
        help: allow s3:GetObject and s3:ListBucket on the bucket, and kms:Decrypt if it is encrypted with a key of KMS; without s3:ListBucket, S3 also denies access to files that do not exist"]]
    .assert_eq(&error("denied"));
    expect![[r"
        cannot read `s3://expired/x`: ExpiredToken: no
        help: provide credentials in the environment or a profile, renew expired credentials, and check the clock"]]
    .assert_eq(&error("expired"));
    expect![[r"
        cannot read `s3://elsewhere/x`: PermanentRedirect: no
        help: set AWS_REGION to the bucket's Region, eu-west-1"]]
    .assert_eq(&error("elsewhere"));
    expect!["cannot read `s3://archived/x`: InvalidObjectState: no: it is archived, and must be restored first"]
        .assert_eq(&error("archived"));
    expect!["`s3://other/x` does not exist"].assert_eq(&error("other"));
}

const CONTENT: &str = "0123456789abcdefghijklmnopqrstuvwxyz";

/// Each answer breaks off after ten bytes, and every other time the service is busy.
fn breaking(number: usize, _: &str, offset: usize) -> String {
    if number % 2 == 1 {
        return failure(503, "SlowDown");
    }
    let rest = &CONTENT[offset..];
    let status = if offset == 0 { 200 } else { 206 };
    response(status, "etag: \"one\"\r\n", rest.len(), &rest[..rest.len().min(10)])
}

fn resumed() {
    let connection = connection(&serve(breaking));
    let mut content = Vec::new();
    connection.bucket("exports").open("x").unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, CONTENT.as_bytes());
}
