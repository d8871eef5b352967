#!/usr/bin/env bash
# Builds everything, and runs the lints and every suite. The benchmarks and the fuzz targets are not
# among them, because they take minutes to build: `make lint` checks them.
#
#     tests/tools/test.sh
#
# The builds start first, because they take the longest. While they run, the emulators are installed
# and started. Then tests/tools/suites.sh runs the suites and prints the totals.
set -uo pipefail

# shellcheck source=steps.sh
source "$(dirname "$0")/steps.sh"
cd "$root"
rm -rf "$logs"
mkdir -p "$logs"
touch "$logs"/{times,counts,failures,skipped}.txt
compile=$root/tests/tools/compile.sh

# Nothing of our own is optimized, because that takes longer than it saves in the suites.
build() {
    CARGO_BUILD_TARGET=$target RUSTC_WRAPPER=$compile \
        RUSTC_WORKSPACE_WRAPPER=$root/tests/tools/lint.sh \
        without_warnings build "$cargo" test --locked --no-run --workspace --exclude referee-fuzz \
        --exclude referee-test-features --all-features --tests --examples
}

# Writes a line with the source and the path of each executable.
list_executables() {
    sed -nE 's/^ *Executable (unittests )?([^ ]+) \((.+)\)$/\2 \3/p' "$logs/build.log"
}

# Writes standard input to a file in $logs, which exists only when it is complete: `publish FILE`.
publish() {
    cat >"$logs/$1.part"
    mv "$logs/$1.part" "$logs/$1"
}

# The suites find cargo-lambda if it is installed. If it is not, package.sh says why.
lint_and_build() {
    tests/tools/install-python.sh tests/tools/cargo-lambda.txt .tools/cargo-lambda \
        >"$logs/cargo-lambda.log" 2>&1 &
    step format "$cargo" fmt --all --check &
    step build build
    wait
    list_executables | publish executables.txt
}

# Once the tests are built: Cargo works on one build of a target at a time.
package() {
    local began=$SECONDS status=0
    { time RUSTC_WRAPPER=$compile without_warnings package tests/tools/package.sh \
        >"$logs/package-build.log" || status=$?; } 2>"$logs/package-build.cpu"
    echo "$((SECONDS - began)) package-build ($(<"$logs/package-build.cpu"))" >>"$logs/times.txt"
    compiled_again "$logs/package-build.log"
    echo "$status" | publish package-build.status
}

export REFEREE_TEST_BEGAN=$EPOCHSECONDS
{
    lint_and_build
    package
} &
building=$!
trap 'kill "$building" 2>/dev/null' EXIT
tests/tools/with-dynamodb-local.sh tests/tools/with-cloudwatch.sh tests/tools/with-terraform.sh \
    tests/tools/with-step-functions.sh tests/tools/with-duckdb.sh \
    tests/tools/with-chromium.sh tests/tools/suites.sh
