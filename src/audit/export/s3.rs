//! Exports in S3, through the AWS SDK.
//!
//! Invariant: no other module uses the SDK's S3 types.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::thread;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use backon::Retryable as _;
use bytes::Bytes;
use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::{mpsc, oneshot};

use super::objects::{Entry, ObjectError, Objects, Source, within};
use crate::aws::backoff::exponential;
use crate::aws::error::{Brief, Unanswered, fix_of, unanswered};
use crate::aws::{SdkConfig, configure, endpoint_of};

/// The maximum number of retries of a request.
const RETRIES_MAX: usize = 7;
/// The shortest and the longest wait before a retry.
const DELAY_MS_MIN: u64 = 50;
const DELAY_MS_MAX: u64 = 5_000;

/// How many pieces of a file may wait for its reader. A piece has some tens of kilobytes.
const PIECES_MAX: usize = 16;

/// How often a download that breaks without any progress is resumed.
const RESUMES_MAX: usize = 5;

const ACCESS_HELP: &str = "allow s3:GetObject and s3:ListBucket on the bucket, and kms:Decrypt if it is encrypted with a key of KMS; \
                           without s3:ListBucket, S3 also denies access to files that do not exist";
const BUCKET_HELP: &str = "check the bucket's name";
const NETWORK_HELP: &str = "check the network and the endpoint, and run it again";

/// Access to S3: a thread that downloads, for any number of readers.
#[derive(Debug)]
pub struct S3Connection {
    client: Client,
    handle: Handle,
    /// The thread ends when this is dropped.
    _running: oneshot::Sender<()>,
}

/// A bucket.
#[derive(Clone)]
pub struct S3 {
    connection: Arc<S3Connection>,
    bucket: String,
}

impl S3Connection {
    /// Connects as the environment says; an endpoint given here takes precedence.
    ///
    /// `AWS_ENDPOINT_URL_S3` selects another endpoint for S3 alone.
    pub fn from_environment(endpoint: Option<&str>) -> io::Result<Arc<Self>> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let config = runtime.block_on(configure(endpoint));
        Self::start(runtime, &config)
    }

    /// Connects with this configuration.
    pub fn new(config: &SdkConfig) -> io::Result<Arc<Self>> {
        Self::start(runtime::Builder::new_current_thread().enable_all().build()?, config)
    }

    /// Starts the thread that downloads. It is not the caller's runtime, because readers block their
    /// threads while they wait.
    fn start(runtime: Runtime, config: &SdkConfig) -> io::Result<Arc<Self>> {
        let handle = runtime.handle().clone();
        let client = Client::from_conf(with_s3(config));
        let (running, ended) = oneshot::channel();
        thread::Builder::new().name("s3".to_owned()).spawn(move || {
            // It ends when the sender is dropped, which is an error here.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Arc::new(Self { client, handle, _running: running }))
    }

    /// A bucket.
    #[must_use]
    pub fn bucket(self: &Arc<Self>, name: &str) -> S3 {
        S3 { connection: Arc::clone(self), bucket: name.to_owned() }
    }

    /// Runs a future on the thread for downloads, and waits for its result.
    fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, ObjectError>> + Send + 'static,
        address: &str,
    ) -> Result<T, ObjectError> {
        let (sender, receiver) = oneshot::channel();
        self.handle.spawn(async move {
            // The receiver waits until there is a result.
            let _ = sender.send(future.await);
        });
        let ended = || ObjectError::Unreadable {
            address: address.to_owned(),
            error: "the request was abandoned".to_owned(),
        };
        receiver.blocking_recv().unwrap_or_else(|_| Err(ended()))
    }
}

/// The client's configuration.
fn with_s3(config: &SdkConfig) -> aws_sdk_s3::Config {
    Builder::from(config)
        // An emulator has no host name for each bucket.
        .force_path_style(endpoint_of(config, "s3").is_some())
        // The manifest's checksums are compared instead.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build()
}

impl fmt::Debug for S3 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("S3").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

impl Objects for S3 {
    fn open(&self, path: &str) -> Result<Source, ObjectError> {
        let object = Object {
            client: self.connection.client.clone(),
            bucket: self.bucket.clone(),
            key: path.to_owned(),
            address: self.address(path),
        };
        let started = object.clone();
        let output =
            self.connection.wait(async move { started.get(0, None).await }, &object.address)?;
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        self.connection.handle.spawn(object.download(output, sender));
        Ok(Box::new(Download {
            pieces,
            piece: Bytes::new(),
            _connection: Arc::clone(&self.connection),
        }))
    }

    fn list(&self, folder: &str) -> Result<Vec<Entry>, ObjectError> {
        let prefix = if folder.is_empty() { String::new() } else { within(folder, "") };
        let address = self.address(folder);
        let (client, bucket) = (self.connection.client.clone(), self.bucket.clone());
        let listing = {
            let address = address.clone();
            async move { list(&client, &bucket, &prefix, &address).await }
        };
        self.connection.wait(listing, &address)
    }

    fn parent(&self, folder: &str) -> String {
        folder.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned()
    }

    fn address(&self, path: &str) -> String {
        format!("s3://{}/{path}", self.bucket)
    }
}

async fn list(
    client: &Client,
    bucket: &str,
    prefix: &str,
    address: &str,
) -> Result<Vec<Entry>, ObjectError> {
    let mut entries = Vec::new();
    let mut token = None;
    loop {
        let page = retrying(address, || {
            let request = client.list_objects_v2().bucket(bucket).prefix(prefix).delimiter("/");
            request.set_continuation_token(token.clone()).send()
        })
        .await?;
        let files = page.contents().iter().filter_map(|object| object.key());
        let folders = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
        let entry = |path: &str, is_folder| {
            let name = path.strip_prefix(prefix)?.trim_end_matches('/');
            (!name.is_empty()).then(|| Entry { name: name.to_owned(), is_folder })
        };
        entries.extend(files.filter_map(|path| entry(path, false)));
        entries.extend(folders.filter_map(|path| entry(path, true)));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            entries.sort_unstable();
            return Ok(entries);
        }
    }
}

/// An object of a bucket.
#[derive(Clone)]
struct Object {
    client: Client,
    bucket: String,
    key: String,
    address: String,
}

impl Object {
    /// Begins a download at an offset. The object must still have this `ETag`.
    async fn get(&self, offset: u64, etag: Option<&str>) -> Result<GetObjectOutput, ObjectError> {
        retrying(&self.address, || {
            let request = self.client.get_object().bucket(&self.bucket).key(&self.key);
            let range = (offset > 0).then(|| format!("bytes={offset}-"));
            request.set_range(range).set_if_match(etag.map(str::to_owned)).send()
        })
        .await
    }

    /// Passes an object on, piece by piece. If the connection breaks, the download is resumed.
    async fn download(
        self,
        output: GetObjectOutput,
        sender: mpsc::Sender<Result<Bytes, ObjectError>>,
    ) {
        let etag = output.e_tag;
        let mut body = output.body;
        let mut offset = 0;
        let mut resumes = 0;
        loop {
            match body.try_next().await {
                Ok(Some(piece)) => {
                    offset += piece.len() as u64;
                    resumes = 0;
                    if sender.send(Ok(piece)).await.is_err() {
                        // The reader has stopped.
                        return;
                    }
                    continue;
                }
                Ok(None) => return,
                Err(error) if resumes == RESUMES_MAX => {
                    let error = ObjectError::Unreachable {
                        address: self.address,
                        error: Brief(&error).to_string(),
                        help: NETWORK_HELP.to_owned(),
                    };
                    let _ = sender.send(Err(error)).await;
                    return;
                }
                Err(_) => resumes += 1,
            }
            match self.get(offset, etag.as_deref()).await {
                Ok(output) => body = output.body,
                Err(error) => {
                    let _ = sender.send(Err(error)).await;
                    return;
                }
            }
        }
    }
}

/// The reader of a download.
struct Download {
    pieces: mpsc::Receiver<Result<Bytes, ObjectError>>,
    piece: Bytes,
    /// Keeps the thread that downloads.
    _connection: Arc<S3Connection>,
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let count = self.piece.as_ref().read(buffer)?;
        drop(self.piece.split_to(count));
        Ok(count)
    }
}

/// Why an attempt failed.
enum Failed {
    Retry(String),
    Final(ObjectError),
}

/// Sends a request until it succeeds, fails permanently, or has been retried [`RETRIES_MAX`] times.
async fn retrying<T, E, F>(address: &str, mut attempt: impl FnMut() -> F) -> Result<T, ObjectError>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let schedule =
        exponential(DELAY_MS_MIN, DELAY_MS_MAX).with_max_times(RETRIES_MAX).with_jitter();
    let send = || {
        let attempt = attempt();
        async { attempt.await.map_err(|error| classify(address, &error)) }
    };
    let done = send.retry(schedule).when(|failed| matches!(failed, Failed::Retry(_))).await;
    done.map_err(|failed| match failed {
        Failed::Final(error) => error,
        Failed::Retry(error) => ObjectError::Unreachable {
            address: address.to_owned(),
            error,
            help: NETWORK_HELP.to_owned(),
        },
    })
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
fn classify<E>(address: &str, error: &SdkError<E, HttpResponse>) -> Failed
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let address = address.to_owned();
    let SdkError::ServiceError(answer) = error else {
        return match unanswered(error) {
            Unanswered::Lost(error) => Failed::Retry(error),
            Unanswered::Misconfigured(error, help) => {
                Failed::Final(ObjectError::Unreachable { address, error, help: help.to_owned() })
            }
        };
    };
    let code = answer.err().code().unwrap_or("UnknownError");
    let error = match answer.err().message() {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    };
    let unreachable = |error, help: &str| {
        Failed::Final(ObjectError::Unreachable {
            address: address.clone(),
            error,
            help: help.to_owned(),
        })
    };
    match code {
        "NoSuchKey" => Failed::Final(ObjectError::Missing(address)),
        "NoSuchBucket" => unreachable(error, BUCKET_HELP),
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => unreachable(error, ACCESS_HELP),
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => {
            let region = answer.raw().headers().get("x-amz-bucket-region");
            let help = match region {
                Some(region) => format!("set AWS_REGION to the bucket's Region, {region}"),
                None => "set AWS_REGION to the bucket's Region".to_owned(),
            };
            unreachable(error, &help)
        }
        "InvalidObjectState" => Failed::Final(ObjectError::Unreadable {
            address,
            error: format!("{error}: it is archived, and must be restored first"),
        }),
        "PreconditionFailed" => Failed::Final(ObjectError::Unreadable {
            address,
            error: "it was overwritten while it was read".to_owned(),
        }),
        _ => match fix_of(code) {
            Some(help) => unreachable(error, help),
            None => Failed::Retry(error),
        },
    }
}
