#!/usr/bin/env bash
# Builds the Lambda function for this machine, and runs a command that finds it in
# REFEREE_TEST_LAMBDA: as it is deployed where that runs here, and else as cargo builds it. Where
# there is cargo-lambda, it is named in REFEREE_TEST_CARGO_LAMBDA.
set -euo pipefail
cd "$(dirname "$0")/../.."

tool=$PWD/.tools/cargo-lambda/bin/cargo-lambda

plain() {
    echo "warning: the function is built by cargo alone, and cargo-lambda not tested: $1" >&2
    "${CARGO:-cargo}" build --locked --release --no-default-features --features lambda \
        --bin referee-lambda
    export REFEREE_TEST_LAMBDA=$PWD/target/release/referee-lambda
}

if [[ $(uname -s) != Linux ]]; then
    plain "what runs in Lambda does not run here"
elif ! tests/tools/install-python.sh tests/tools/cargo-lambda.txt .tools/cargo-lambda; then
    plain "it could not be installed"
else
    make lambda ARCH="$(uname -m | sed s/aarch64/arm64/)"
    export REFEREE_TEST_LAMBDA=$PWD/target/lambda/referee-lambda/bootstrap
    export REFEREE_TEST_CARGO_LAMBDA=$tool
fi
"$@"
