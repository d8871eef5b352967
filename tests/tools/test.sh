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

sdk=$root/tests/tools/compile-sdk.sh

# Nothing of our own is optimized, because that takes longer than it saves in the suites.
build() {
    RUSTC_WRAPPER=$sdk RUSTC_WORKSPACE_WRAPPER=$root/tests/tools/compile.sh \
        without_warnings build "$cargo" test --locked --no-run --workspace \
        --exclude referee-fuzz --all-features --lib --tests --examples
}

# Writes a line with the source and the path of each executable.
list_executables() {
    sed -nE -e 's|^ *Executable unittests (.+) \((.*/referee_kit-.+)\)$|tests/kit/\1 \2|p' \
        -e 's/^ *Executable (unittests )?([^ ]+) \((.+)\)$/\2 \3/p' "$logs/build.log"
}

# Writes standard input to a file in $logs, which exists only when it is complete: `publish FILE`.
publish() {
    cat >"$logs/$1.part"
    mv "$logs/$1.part" "$logs/$1"
}

lint_and_build() {
    step format "$cargo" fmt --all --check &
    step build build
    wait "$!"
    list_executables | publish executables.txt
}

package() {
    local began=$SECONDS status=0
    { time RUSTC_WRAPPER=$sdk without_warnings package nice -n 5 tests/tools/package.sh \
        >"$logs/package-build.log" || status=$?; } 2>"$logs/package-build.cpu"
    echo "$((SECONDS - began)) package-build ($(<"$logs/package-build.cpu"))" >>"$logs/times.txt"
    echo "$status" | publish package-build.status
}

export REFEREE_TEST_BEGAN=$EPOCHSECONDS
lint_and_build &
building=$!
package &
packaging=$!
trap 'kill "$building" "$packaging" 2>/dev/null' EXIT
tests/tools/with-dynamodb-local.sh tests/tools/with-cloudwatch.sh tests/tools/with-terraform.sh \
    tests/tools/with-step-functions.sh tests/tools/with-duckdb.sh \
    tests/tools/with-chromium.sh tests/tools/suites.sh
