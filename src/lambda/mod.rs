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
