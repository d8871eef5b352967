//! Checks what the Lambda function depends on.

use std::collections::BTreeSet;

/// Sign-in of people and the command line add megabytes, which would slow down the function's start.
#[test]
fn the_function_depends_on_no_crate_of_the_command_line() {
    let mut command = std::process::Command::new(env!("CARGO"));
    command.args(["tree", "--locked", "--offline", "--no-default-features", "--features"]);
    command.args(["lambda", "--edges", "normal", "--prefix", "none"]);
    let output = command.output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("aws-sdk-dynamodb") && crates.contains("lambda_runtime"));
    for unwanted in ["aws-sdk-sso", "aws-sdk-ssooidc", "aws-sdk-s3", "clap", "comfy-table"] {
        assert!(!crates.contains(unwanted), "{unwanted}");
    }
}
