#!/usr/bin/env bash
# Builds the Lambda function for this machine, and prints where it is: packed as it is deployed,
# where that runs here, and else as cargo builds it.
set -euo pipefail
cd "$(dirname "$0")/../.."

plain() {
    echo "warning: the function is built by cargo alone: $1" >&2
    ${CARGO:-cargo} build --locked --release --no-default-features --features lambda \
        --bin referee-lambda >&2
    echo "$PWD/target/release/referee-lambda"
    exit
}

[[ $(uname -s) == Linux ]] || plain "what runs in Lambda does not run here"
tests/tools/install-python.sh tests/tools/cargo-lambda.txt .tools/cargo-lambda >&2 ||
    plain "cargo-lambda could not be installed"
make lambda ARCH="$(uname -m | sed s/aarch64/arm64/)" >&2
echo "$PWD/target/lambda/referee-lambda/bootstrap"
