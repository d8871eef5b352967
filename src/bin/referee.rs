//! The command-line tool.

fn main() -> std::process::ExitCode {
    referee::cli::main()
}
