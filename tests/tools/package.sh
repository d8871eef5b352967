#!/usr/bin/env bash
# Builds the Lambda function for this machine with cargo-lambda, as for a deployment, except that it
# is not optimized. If cargo-lambda cannot run here, builds it with cargo. Writes the function's path
# to target/test-logs/package.env.
set -euo pipefail
cd "$(dirname "$0")/../.."

tool=$PWD/.tools/cargo-lambda/bin/cargo-lambda
result=$PWD/target/test-logs/package.env
profile=package-test

plain() {
    echo "warning: the tests of cargo-lambda are SKIPPED: $1" >&2
    "${CARGO:-cargo}" build --locked --profile "$profile" --no-default-features \
        --features lambda --bin referee-lambda
    echo "export REFEREE_TEST_LAMBDA=$PWD/target/$profile/referee-lambda" >"$result"
    printf '\n  tests of cargo-lambda: %s' "$1" >>target/test-logs/skipped.txt
}

if [[ $(uname -s) != Linux ]]; then
    plain "Lambda's binaries do not run here"
elif ! tests/tools/install-python.sh tests/tools/cargo-lambda.txt .tools/cargo-lambda; then
    plain "it could not be installed"
else
    make lambda PROFILE=$profile ARCH="$(uname -m | sed s/aarch64/arm64/)"
    test -x target/lambda/referee-lambda/bootstrap
    cat >"$result" <<ENV
export REFEREE_TEST_LAMBDA=$PWD/target/lambda/referee-lambda/bootstrap
export REFEREE_TEST_CARGO_LAMBDA=$tool
ENV
fi
