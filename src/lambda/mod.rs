//! The Lambda function: initialized once, then invoked with one batch of records at a time, with
//! messages of the queue for suspects, or with a part of an audit.

mod audit;
mod config;
mod failure;
mod function;
mod log;
mod queue;
mod rechecks;
mod start;

use std::cell::RefCell;
use std::process::ExitCode;

use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::de::IgnoredAny;

use self::config::Sources;

/// Runs the function until Lambda ends the process.
///
/// A problem with the configuration, the tables or the permissions fails the initialization. Lambda
/// retries it with the next batch, and no record is lost meanwhile.
#[must_use]
pub fn main() -> ExitCode {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is read only here and passed on as an argument"
    )]
    let environment = |name: &str| std::env::var(name).ok();
    log::init(&environment);
    std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    if environment("AWS_LAMBDA_RUNTIME_API").is_none() {
        tracing::error!(
            "this program runs only in AWS Lambda\n\
             help: deploy it or run `cargo lambda watch`; to process streams without Lambda, use \
             `referee watch`"
        );
        return ExitCode::FAILURE;
    }
    keep_freed_memory();
    // One thread is enough: a function has a fraction of a processor and mostly waits.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(run(&environment))
}

/// Makes glibc keep the memory of a batch for the next batch.
///
/// glibc returns free memory at the end of the heap to the system if it exceeds twice the size of the
/// largest mapped block that was freed. A batch needs more than that, and the system would have to
/// clear every page again, which takes a tenth of the time of a large batch. The largest block that
/// counts has 32 MB. It is not written to, so it occupies no memory.
/// <https://man7.org/linux/man-pages/man3/mallopt.3.html>
fn keep_freed_memory() {
    const BYTES: usize = 31 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(BYTES)));
}

async fn run(environment: &dyn Fn(&str) -> Option<String>) -> ExitCode {
    let sources = Sources { environment, read: &start::read_beside };
    let function = match start::start(&sources).await {
        Ok(function) => function,
        Err(problems) => {
            log::problems(&problems);
            return ExitCode::FAILURE;
        }
    };
    let function = &function;
    // The payload may be megabytes long, and the runtime would parse and copy it. This layer
    // replaces it before the runtime does so, and the handler reads the original.
    let payload = &RefCell::default();
    let bypass = MapRequestLayer::new(|mut invocation: LambdaInvocation| {
        payload.replace(std::mem::replace(&mut invocation.body, "null".into()));
        invocation
    });
    let answer = |event: LambdaEvent<IgnoredAny>| async move {
        let payload = payload.take();
        function.answer(&payload, &event.context).await.map_err(|failure| Diagnostic {
            error_type: failure.kind().to_owned(),
            error_message: log::short(failure.message()).into_owned(),
        })
    };
    let runtime = Runtime::new(service_fn(answer)).layer(bypass);
    match runtime.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Lambda runtime API failed: {error}");
            ExitCode::FAILURE
        }
    }
}
