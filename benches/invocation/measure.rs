//! Measures a function's process from outside.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::INVOCATION_LIMIT;
use crate::contender::Contender;
use crate::endpoint::Endpoint;
use crate::scene::Scene;
use kit::runtime_api::{Function, Invoked};

/// The duration and memory of a process's start.
pub(crate) struct Start {
    /// The time from the start of the process to its first response.
    pub(crate) whole: Duration,
    /// The time from the delivery of the first event, for which the process is waiting, to its
    /// response.
    pub(crate) first_invocation: Duration,
    /// The peak memory of the process.
    pub(crate) peak_bytes: u64,
}

/// The duration of a batch.
pub(crate) struct Run {
    /// The time from the event to the response.
    pub(crate) whole: Duration,
    /// The processor time that the process used for the batch, in all threads. In the rest of the
    /// time, it waited for the store and for the event to arrive.
    pub(crate) computing: Duration,
}

/// Starts a process and measures its first answer.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) async fn start(endpoint: &Endpoint, contender: &Contender, scene: &Scene) -> Start {
    endpoint.set_store(scene.store());
    let mut function = contender.function();
    let event = scene.event.clone();
    let exec = Instant::now();
    let ready = function.initialize().await;
    assert!(ready.is_ok(), "{}: {ready:?}: {:#?}", contender.name, function.log());
    let invoked = Instant::now();
    let answer = function.invoke(event, INVOCATION_LIMIT).await;
    let (whole, first_invocation) = (exec.elapsed(), invoked.elapsed());
    expect_success(contender, &function, &answer);
    let peak_bytes = peak_bytes(&function);
    function.recycle().await;
    Start { whole, first_invocation, peak_bytes }
}

/// Measures how a warm process processes a batch.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) async fn run(
    endpoint: &Endpoint,
    contender: &Contender,
    function: &mut Function,
    scene: &Scene,
) -> Run {
    endpoint.set_store(scene.store());
    let event = scene.event.clone();
    let computed = computing(function);
    let invoked = Instant::now();
    let answer = function.invoke(event, INVOCATION_LIMIT).await;
    let whole = invoked.elapsed();
    expect_success(contender, function, &answer);
    Run { whole, computing: computing(function).saturating_sub(computed) }
}

fn expect_success(contender: &Contender, function: &Function, answer: &Invoked) {
    let is_success = matches!(answer, Invoked::Answer(answer)
        if serde_json::from_slice::<serde_json::Value>(answer).ok()
            == Some(serde_json::json!({ "batchItemFailures": [] })));
    assert!(is_success, "{}: {answer:?}: {:#?}", contender.name, function.log());
}

/// Returns the processor time that a process has used so far, in all threads.
/// <https://docs.kernel.org/scheduler/sched-stats.html>
fn computing(function: &Function) -> Duration {
    let of_thread = |task: &Path| {
        let stat = std::fs::read_to_string(task.join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    };
    let tasks = Path::new("/proc").join(process_id(function)).join("task");
    let tasks = tasks.read_dir().expect("the process is running");
    Duration::from_nanos(tasks.filter_map(|task| of_thread(&task.ok()?.path())).sum())
}

/// Returns the peak resident memory of a process.
pub(crate) fn peak_bytes(function: &Function) -> u64 {
    let status = Path::new("/proc").join(process_id(function)).join("status");
    let status = std::fs::read_to_string(status).expect("the process is running");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    1024 * kilobytes.and_then(|it| it.parse::<u64>().ok()).expect("the kernel reports the peak")
}

fn process_id(function: &Function) -> String {
    function.process_id().expect("the process is running").to_string()
}
