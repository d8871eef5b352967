//! The Lambda function.

fn main() -> std::process::ExitCode {
    referee::lambda::main()
}
