//! The Lambda function as it is deployed: real streams, a real process, real tables.

#[path = "../support/runtime_api.rs"]
mod runtime_api;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut f = runtime_api::Function::new(runtime_api::Program::new(["sh", "-c", "echo hi; exit 3"]));
        println!("{:?} {:?}", f.invoke("{}", std::time::Duration::from_secs(1)).await, f.log().lines());
        let mut f = runtime_api::Function::new(runtime_api::Program::new(["sh", "-c", "curl -s $AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next; exit 4"]));
        println!("{:?} {:?}", f.invoke("{}", std::time::Duration::from_secs(1)).await, f.log().lines());
        let mut f = runtime_api::Function::new(runtime_api::Program::new(["sh", "-c", "curl -s $AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next; sleep 10"]));
        println!("{:?} {:?}", f.invoke("{}", std::time::Duration::from_secs(1)).await, f.log().lines());
        let mut f = runtime_api::Function::new(runtime_api::Program::new(["sh", "-c", "curl -s $AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next; curl -d '{}' $AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/00000000-0000-4000-8000-000000000003/response"]));
        println!("{:?} {:?}", f.invoke("{}", std::time::Duration::from_secs(1)).await, f.log().lines());
    });
}
