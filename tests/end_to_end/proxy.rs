//! A proxy between the function and DynamoDB that injects faults.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use kit::runtime_api::KillSwitch;

/// The write operations.
pub(crate) const WRITES: &[&str] = &["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"];
/// Every operation.
pub(crate) const ALL: &[&str] = &[];

/// A fault to inject into a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// DynamoDB throttles the request because a limit of the table or the account is reached.
    Throttled,
    /// A transaction on the item is in progress.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
    Conflict,
    /// The answer has this status and no body.
    Status(u16),
    /// The request is executed, but the connection ends in the middle of the answer.
    CutOff,
    /// The connection ends before the request is executed.
    Dropped,
    /// The connection ends, and the request is executed after this many milliseconds.
    Late(u64),
    /// The connection ends, and the request is executed when [`Proxy::release`] is called.
    Held,
    /// The answer is delayed by this many milliseconds.
    Slow(u64),
    /// Half of the keys of a `BatchGetItem`, rounded up, are returned as unprocessed.
    Unprocessed,
    AccessDenied,
    ExpiredToken,
    /// The function's process is killed before or after the request is executed.
    KilledBefore(KillSwitch),
    KilledAfter(KillSwitch),
}

/// Which of the matching requests fail.
#[derive(Debug, Clone)]
pub(crate) enum When {
    Always,
    /// The next requests, up to this number.
    Next(u64),
    /// One request, after this many others have passed.
    After(u64),
    /// Each request with this probability.
    Chance(f64),
    /// Each request with this text in its body.
    Mentions(&'static str),
}

/// A proxy in front of DynamoDB.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    /// The server, which ends with the proxy.
    _server: JoinSet<()>,
}

/// A recorded request.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) operation: String,
    pub(crate) body: Json,
}

struct Shared {
    target: String,
    client: Client<HttpConnector, Body>,
    state: Mutex<Control>,
}

struct Control {
    plan: Vec<(&'static [&'static str], When, Fault)>,
    random: fastrand::Rng,
    requests: BTreeMap<String, u64>,
    faults: u64,
    held: Vec<(Parts, Bytes)>,
    /// How many late requests are still to be executed.
    late: usize,
    /// The requests so far, if recording is on.
    recorded: Option<Vec<Recorded>>,
}

impl Proxy {
    pub(crate) async fn start(target: &str, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let control = Control {
            plan: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
            requests: BTreeMap::new(),
            faults: 0,
            held: Vec::new(),
            late: 0,
            recorded: None,
        };
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            state: Mutex::new(control),
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, shared, _server: server }
    }

    /// Injects a fault into requests of these operations. If several faults apply to a request, the
    /// fault that was added first is used.
    pub(crate) fn inject(&self, operations: &'static [&'static str], when: When, fault: Fault) {
        self.shared.lock().plan.push((operations, when, fault));
    }

    /// Stops injecting faults.
    pub(crate) fn stop_faults(&self) {
        self.shared.lock().plan.clear();
    }

    /// Executes the held requests, and returns how many there were.
    pub(crate) async fn release(&self) -> usize {
        let held = std::mem::take(&mut self.shared.lock().held);
        for (parts, body) in &held {
            self.shared.forward(parts, body.clone()).await;
        }
        held.len()
    }

    /// Waits until every late request has been executed.
    pub(crate) async fn wait_for_late_requests(&self) {
        while self.shared.lock().late > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Returns the number of requests so far, by operation.
    pub(crate) fn requests(&self) -> BTreeMap<String, u64> {
        self.shared.lock().requests.clone()
    }

    /// Returns the number of requests into which a fault was injected.
    pub(crate) fn faults(&self) -> u64 {
        self.shared.lock().faults
    }

    /// Records every request from now on.
    pub(crate) fn record(&self) {
        self.shared.lock().recorded = Some(Vec::new());
    }

    /// Returns every request since [`Self::record`] was called.
    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.shared.lock().recorded.clone().unwrap_or_default()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Control> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Executes a request.
    async fn forward(&self, parts: &Parts, body: Bytes) -> Response {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = self.target.parse::<Uri>().unwrap();
        let headers = parts.headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH);
        request.headers_mut().extend(headers.map(|(name, value)| (name.clone(), value.clone())));
        let (mut parts, body) = match self.client.request(request).await {
            Ok(response) => response.into_parts(),
            Err(_) => return StatusCode::BAD_GATEWAY.into_response(),
        };
        let body = to_bytes(Body::new(body), usize::MAX).await.unwrap();
        parts.headers.remove(TRANSFER_ENCODING);
        // Removes the checksum of the body, because some faults change the body.
        parts.headers.remove(HeaderName::from_static("x-amz-crc32"));
        parts.headers.remove(CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(body))
    }
}

impl Control {
    /// Counts a request, and returns the fault to inject, if any.
    fn next_fault(&mut self, operation: &str, body: &Bytes) -> Option<Fault> {
        *self.requests.entry(operation.to_owned()).or_default() += 1;
        let text = std::str::from_utf8(body).unwrap_or_default();
        if let Some(recorded) = &mut self.recorded {
            let body = serde_json::from_str(text).unwrap_or_default();
            recorded.push(Recorded { operation: operation.to_owned(), body });
        }
        for (operations, when, fault) in &mut self.plan {
            let applies = (operations.is_empty() || operations.contains(&operation))
                && fault.is_possible(operation);
            if applies && when.is_now(&mut self.random, text) {
                self.faults += 1;
                return Some(fault.clone());
            }
        }
        None
    }
}

impl Fault {
    /// Whether this fault is possible for an operation.
    fn is_possible(&self, operation: &str) -> bool {
        !matches!(self, Self::Unprocessed) || operation == "BatchGetItem"
    }
}

impl When {
    fn is_now(&mut self, random: &mut fastrand::Rng, body: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Next(count) => {
                let is_now = *count > 0;
                *count = count.saturating_sub(1);
                is_now
            }
            Self::After(0) => {
                *self = Self::Next(0);
                true
            }
            Self::After(others) => {
                *others -= 1;
                false
            }
            Self::Chance(chance) => random.f64() < *chance,
            Self::Mentions(text) => body.contains(*text),
        }
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { hang_up() };
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.split('.').next_back()).unwrap_or_default();
    let fault = shared.lock().next_fault(operation, &body);
    let Some(fault) = fault else { return shared.forward(&parts, body).await };
    match fault {
        Fault::Throttled if operation == "TransactWriteItems" => refuse(
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded",
        ),
        Fault::Throttled => {
            refuse("com.amazon.coral.availability#ThrottlingException", "slow down")
        }
        Fault::Conflict if operation == "TransactWriteItems" => canceled(&body),
        Fault::Conflict => refuse(
            "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "Transaction is ongoing for the item",
        ),
        Fault::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Fault::CutOff => cut_off(shared.forward(&parts, body).await).await,
        Fault::Dropped => hang_up(),
        Fault::Late(delay_ms) => {
            shared.lock().late += 1;
            tokio::spawn(async move {
                sleep(Duration::from_millis(delay_ms)).await;
                shared.forward(&parts, body).await;
                shared.lock().late -= 1;
            });
            hang_up()
        }
        Fault::Held => {
            shared.lock().held.push((parts, body));
            hang_up()
        }
        Fault::Slow(delay_ms) => {
            let response = shared.forward(&parts, body).await;
            sleep(Duration::from_millis(delay_ms)).await;
            response
        }
        Fault::Unprocessed => unprocessed(&shared, &parts, &body).await,
        Fault::AccessDenied => refuse(
            "com.amazon.coral.service#AccessDeniedException",
            "User: referee is not authorized to perform this operation",
        ),
        Fault::ExpiredToken => refuse(
            "com.amazon.coral.service#ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        Fault::KilledBefore(switch) => {
            switch.kill();
            hang_up()
        }
        Fault::KilledAfter(switch) => {
            shared.forward(&parts, body).await;
            switch.kill();
            hang_up()
        }
    }
}

/// Ends the connection without an answer.
fn hang_up() -> ! {
    // The only way for the server to end a connection is to end its task. The panic hook does not
    // report this panic.
    std::panic::resume_unwind(Box::new("hung up"))
}

/// Returns an error as DynamoDB would.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn refuse(kind: &str, message: &str) -> Response {
    let body = json!({ "__type": kind, "message": message });
    answer(StatusCode::BAD_REQUEST, &body)
}

fn answer(status: StatusCode, body: &Json) -> Response {
    (status, [("Content-Type", "application/x-amz-json-1.0")], body.to_string()).into_response()
}

/// Returns the answer to a cancelled transaction whose first action conflicts with another
/// transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
fn canceled(body: &Bytes) -> Response {
    let request: Json = serde_json::from_slice(body).unwrap();
    let count = request["TransactItems"].as_array().unwrap().len();
    let mut reasons = vec![json!({ "Code": "None" }); count];
    reasons[0] = json!({
        "Code": "TransactionConflict",
        "Message": "Transaction is ongoing for the item",
    });
    let codes: Vec<_> = reasons.iter().map(|reason| reason["Code"].as_str().unwrap()).collect();
    let codes = codes.join(", ");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"),
        "CancellationReasons": reasons,
    });
    answer(StatusCode::BAD_REQUEST, &body)
}

/// Returns the first half of an answer, whose header contains the full length.
async fn cut_off(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    parts.headers.insert(CONTENT_LENGTH, body.len().max(2).into());
    let half = body.slice(..body.len() / 2);
    let pieces = [Ok(half), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    Response::from_parts(parts, Body::from_stream(stream::iter(pieces)))
}

/// Returns half of the keys of each table as unprocessed.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
async fn unprocessed(shared: &Shared, parts: &Parts, body: &Bytes) -> Response {
    let mut request: Json = serde_json::from_slice(body).unwrap();
    let mut left = request["RequestItems"].clone();
    for (table, wanted) in request["RequestItems"].as_object_mut().unwrap() {
        let keys = wanted["Keys"].as_array_mut().unwrap();
        let rest = keys.split_off(keys.len() / 2);
        left[table]["Keys"] = rest.into();
    }
    request["RequestItems"]
        .as_object_mut()
        .unwrap()
        .retain(|_, wanted| wanted["Keys"] != json!([]));
    let mut body = json!({ "Responses": {} });
    if request["RequestItems"] != json!({}) {
        let response = shared.forward(parts, request.to_string().into()).await;
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        body = serde_json::from_slice(&bytes).unwrap();
    }
    body["UnprocessedKeys"] = left;
    answer(StatusCode::OK, &body)
}
