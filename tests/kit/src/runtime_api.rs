//! Emulates Lambda's Runtime API, and starts and ends the function's processes as Lambda does.
//!
//! As in Lambda, a process handles one invocation after the other. A process that exceeds the
//! timeout is killed, and the next invocation starts a new process.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>

use std::future::{Ready, ready};
use std::io;
use std::net::Ipv4Addr;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The maximum time until a process requests its first invocation, as in Lambda.
const INIT_MS_MAX: u64 = 10_000;

/// The maximum time until a printed line appears in the log.
const LOG_MS_MAX: u64 = 5_000;

/// A command and its environment. The process gets no variables except these, the variables that
/// Lambda sets, and `PATH`.
#[derive(Debug, Clone)]
pub struct Program {
    command: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Program {
    /// Creates a program from its path and arguments.
    pub fn new<T: Into<String>>(command: impl IntoIterator<Item = T>) -> Self {
        let command = command.into_iter().map(Into::into).collect();
        Self { command, environment: Vec::new() }
    }

    /// Sets an environment variable, replacing an earlier value.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn spawn(&self, runtime_api: &str) -> io::Result<Child> {
        let (program, arguments) = self.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "referee")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/referee")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invoked {
    /// The function's response.
    Answer(Bytes),
    /// The function reported an error. Its process continues.
    FunctionError(FunctionError),
    /// The process failed before it requested the invocation.
    InitFailed(FunctionError),
    /// The process did not answer in time, and was killed.
    TimedOut,
    /// The process ended before it answered.
    Crashed(ExitStatus),
}

/// The error that a function reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// The `errorType`.
    pub kind: String,
    /// The `errorMessage`.
    pub message: String,
}

impl FunctionError {
    fn read(body: &[u8]) -> Self {
        let json: Json = serde_json::from_slice(body).unwrap_or_default();
        let text = |name| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        Self { kind: text("errorType"), message: text("errorMessage") }
    }

    fn new(kind: &str, message: impl std::fmt::Display) -> Self {
        Self { kind: kind.to_owned(), message: message.to_string() }
    }
}

/// A function, with at most one process at a time.
#[derive(Debug)]
pub struct Function {
    program: Program,
    process: Option<Process>,
    /// The number of processes that have been started.
    inits: usize,
    kill: KillSwitch,
    log: Log,
}

impl Function {
    /// Creates a function, without a process.
    pub fn new(program: Program) -> Self {
        Self::sharing(program, KillSwitch::default(), Log::default())
    }

    /// Creates a function that shares its kill switch and log with other functions.
    pub fn sharing(program: Program, kill: KillSwitch, log: Log) -> Self {
        Self { program, process: None, inits: 0, kill, log }
    }

    /// Starts a process if there is none, and waits until it requests an invocation.
    pub async fn initialize(&mut self) -> Result<(), FunctionError> {
        if self.process.as_mut().is_some_and(Process::is_alive) {
            return Ok(());
        }
        self.process = None;
        self.inits += 1;
        let mut process = Process::start(&self.program, &self.kill, &self.log)
            .await
            .map_err(|error| FunctionError::new("Runtime.InvalidEntrypoint", error))?;
        match process.wait_until_ready().await {
            Ok(()) => {
                self.process = Some(process);
                Ok(())
            }
            Err(error) => {
                process.stop(&self.kill).await;
                Err(error)
            }
        }
    }

    /// Runs one invocation.
    pub async fn invoke(&mut self, payload: impl Into<Bytes>, limit: Duration) -> Invoked {
        if let Err(error) = self.initialize().await {
            return Invoked::InitFailed(error);
        }
        let Some(mut process) = self.process.take() else { unreachable!("it is initialized") };
        let invoked = process.invoke(payload.into(), limit).await;
        match invoked {
            Invoked::Answer(_) | Invoked::FunctionError(_) => self.process = Some(process),
            Invoked::TimedOut => process.stop(&self.kill).await,
            Invoked::Crashed(_) | Invoked::InitFailed(_) => {}
        }
        invoked
    }

    /// Ends the process, as Lambda ends idle processes. The next invocation starts a new process.
    pub async fn recycle(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(&self.kill).await;
        }
    }

    /// Returns the id of the process, if there is one.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.id)
    }

    /// Returns the number of processes that have been started so far.
    pub fn inits(&self) -> usize {
        self.inits
    }

    /// Returns the output of all processes of this function, on stdout and stderr.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

/// Kills the processes of the functions that share this switch, with SIGKILL.
#[derive(Debug, Clone, Default)]
pub struct KillSwitch(Arc<Notify>);

impl KillSwitch {
    pub fn kill(&self) {
        // This notifies only running processes, so a process that starts later is not killed.
        self.0.notify_waiters();
    }
}

/// A function's log, line by line.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Returns the lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the first matching line. Returns `None` if it does not appear in time.
    pub async fn line(&self, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
        let deadline = Instant::now() + Duration::from_millis(LOG_MS_MAX);
        loop {
            let found = self.lines().into_iter().find(|line| is_wanted(line));
            if found.is_some() || Instant::now() > deadline {
                return found;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn push(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// An event in the life of a process.
#[derive(Debug)]
enum Report {
    /// The process requests an invocation.
    Ready,
    InitFailed(Bytes),
    Answered(String, Bytes),
    Failed(String, Bytes),
    Exited(ExitStatus),
}

#[derive(Debug)]
struct Invocation {
    id: String,
    deadline_ms: u128,
    payload: Bytes,
}

/// A process. It has its own Runtime API, which leftover requests of an earlier process cannot
/// reach.
#[derive(Debug)]
struct Process {
    id: u32,
    invocations: mpsc::UnboundedSender<Invocation>,
    reports: mpsc::UnboundedReceiver<Report>,
    /// The API's server, and the tasks that read the output. They end when this set is dropped.
    _tasks: JoinSet<()>,
    /// The task that waits for the process to end. Dropping it kills the process.
    life: JoinSet<()>,
}

impl Process {
    async fn start(program: &Program, kill: &KillSwitch, log: &Log) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (invocations, queue) = mpsc::unbounded_channel();
        let (report, reports) = mpsc::unbounded_channel();
        let api = Arc::new(Api { queue: AsyncMutex::new(queue), report: report.clone() });
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _ = axum::serve(listener, api.router()).await;
        });
        let mut child = program.spawn(&address)?;
        if let Some(stdout) = child.stdout.take() {
            tasks.spawn(read_lines(stdout, log.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tasks.spawn(read_lines(stderr, log.clone()));
        }
        let id = child.id().unwrap_or_default();
        let mut life = JoinSet::new();
        life.spawn(wait_for_end(child, kill.clone(), report));
        Ok(Self { id, invocations, reports, _tasks: tasks, life })
    }

    /// Whether the process is still running.
    fn is_alive(&mut self) -> bool {
        while let Ok(report) = self.reports.try_recv() {
            if matches!(report, Report::Exited(_)) {
                return false;
            }
        }
        true
    }

    async fn wait_until_ready(&mut self) -> Result<(), FunctionError> {
        let limit = Duration::from_millis(INIT_MS_MAX);
        match timeout(limit, self.reports.recv()).await {
            Ok(Some(Report::Ready)) => Ok(()),
            Ok(Some(Report::InitFailed(body))) => Err(FunctionError::read(&body)),
            Ok(Some(Report::Exited(status))) => {
                Err(FunctionError::new("Runtime.ExitError", status))
            }
            Ok(other) => Err(FunctionError::new("Runtime.Unknown", format!("{other:?}"))),
            Err(_) => Err(FunctionError::new("Sandbox.Timedout", "the init took too long")),
        }
    }

    async fn invoke(&mut self, payload: Bytes, limit: Duration) -> Invoked {
        let (id, deadline) = (request_id(), Instant::now() + limit);
        let deadline_ms = now_ms() + limit.as_millis();
        // The server's task owns the receiver, so sending cannot fail. If the process has ended,
        // the loop receives the report of its end.
        let _ = self.invocations.send(Invocation { id: id.clone(), deadline_ms, payload });
        loop {
            match timeout_at(deadline, self.reports.recv()).await {
                Ok(Some(Report::Answered(of, body))) if of == id => return Invoked::Answer(body),
                Ok(Some(Report::Failed(of, body))) if of == id => {
                    return Invoked::FunctionError(FunctionError::read(&body));
                }
                Ok(Some(Report::Exited(status))) => return Invoked::Crashed(status),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Invoked::TimedOut,
            }
        }
    }

    /// Kills the process, and waits until it has ended.
    async fn stop(mut self, kill: &KillSwitch) {
        kill.kill();
        while self.life.join_next().await.is_some() {}
    }
}

async fn read_lines(output: impl AsyncRead + Unpin, log: Log) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.push(line);
    }
}

async fn wait_for_end(mut child: Child, kill: KillSwitch, report: mpsc::UnboundedSender<Report>) {
    let ended = tokio::select! {
        ended = child.wait() => ended,
        () = kill.0.notified() => {
            let _ = child.kill().await;
            child.wait().await
        }
    };
    let _ = report.send(Report::Exited(ended.unwrap_or_default()));
}

/// The HTTP server of the Runtime API for one process.
struct Api {
    queue: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    report: mpsc::UnboundedSender<Report>,
}

type Shared = State<Arc<Api>>;

impl Api {
    fn router(self: Arc<Self>) -> Router {
        let root = "/2018-06-01/runtime";
        Router::new()
            .route(&format!("{root}/invocation/next"), get(Self::next))
            .route(&format!("{root}/invocation/{{id}}/response"), post(Self::response))
            .route(&format!("{root}/invocation/{{id}}/error"), post(Self::error))
            .route(&format!("{root}/init/error"), post(Self::init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(self)
    }

    async fn next(State(api): Shared) -> impl IntoResponse {
        let _ = api.report.send(Report::Ready);
        let Some(invocation) = api.queue.lock().await.recv().await else {
            return StatusCode::GONE.into_response();
        };
        let headers = [
            ("Content-Type", "application/json".to_owned()),
            ("Lambda-Runtime-Aws-Request-Id", invocation.id),
            ("Lambda-Runtime-Deadline-Ms", invocation.deadline_ms.to_string()),
            (
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:us-east-1:000000000000:function:referee".to_owned(),
            ),
            (
                "Lambda-Runtime-Trace-Id",
                "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"
                    .to_owned(),
            ),
        ];
        (headers, invocation.payload).into_response()
    }

    fn response(State(api): Shared, Path(id): Path<String>, body: Bytes) -> Ready<StatusCode> {
        ready(api.accept(Report::Answered(id, body)))
    }

    fn error(State(api): Shared, Path(id): Path<String>, body: Bytes) -> Ready<StatusCode> {
        ready(api.accept(Report::Failed(id, body)))
    }

    fn init_error(State(api): Shared, body: Bytes) -> Ready<StatusCode> {
        ready(api.accept(Report::InitFailed(body)))
    }

    fn accept(&self, report: Report) -> StatusCode {
        let _ = self.report.send(report);
        StatusCode::ACCEPTED
    }
}

fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn now_ms() -> u128 {
    #[expect(clippy::disallowed_methods, reason = "a deadline is a time of the day")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
