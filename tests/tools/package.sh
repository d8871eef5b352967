#!/usr/bin/env bash
# Builds the Lambda function for this machine with cargo-lambda, as for a deployment, except that it
# is not optimized, and that it shares the compiled dependencies of the tests. If cargo-lambda cannot
# run here, builds it with cargo. Writes the function's path to target/test-logs/package.env.
set -euo pipefail
# shellcheck source=steps.sh
source "$(dirname "$0")/steps.sh"
cd "$root"

tool=$PWD/.tools/cargo-lambda/bin/cargo-lambda
result=$logs/package.env
built=$root/target/package

plain() {
    echo "warning: the tests of cargo-lambda are SKIPPED: $1" >&2
    beside_the_tests "$built" "$cargo" build --locked "${shared[@]}" --target "$target" \
        --no-default-features --features lambda --bin referee-lambda
    echo "export REFEREE_TEST_LAMBDA=$built/$target/debug/referee-lambda" >"$result"
    printf '\n  tests of cargo-lambda: %s' "$1" >>"$logs/skipped.txt"
}

# Makes zig the linker, as in a deployment, but under the name of the default one: Cargo compiles all
# dependencies again for a linker that is configured.
link_with_zig() {
    local folder=$PWD/target/zig
    mkdir -p "$folder"
    cat >"$folder/cc" <<CC
#!/bin/sh
exec "$tool" zig cc -- -fno-sanitize=all -target "$(uname -m)-linux-gnu" "\$@"
CC
    chmod +x "$folder/cc"
    export PATH=$folder:$PATH
}

if [[ $(uname -s) != Linux ]]; then
    plain "Lambda's binaries do not run here"
elif ! tests/tools/install-python.sh tests/tools/cargo-lambda.txt .tools/cargo-lambda; then
    plain "it could not be installed"
else
    link_with_zig
    beside_the_tests "$built" make lambda PROFILE=dev ARCH="$(uname -m | sed s/aarch64/arm64/)" \
        OPTIONS="--compiler cargo ${shared[*]}"
    test -x "$built/lambda/referee-lambda/bootstrap"
    cat >"$result" <<ENV
export REFEREE_TEST_LAMBDA=$built/lambda/referee-lambda/bootstrap
export REFEREE_TEST_CARGO_LAMBDA=$tool
ENV
fi
