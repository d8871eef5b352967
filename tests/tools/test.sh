#!/usr/bin/env bash
# Runs the lints and every suite. Prints one line for each step, and the complete output of each
# step that fails. At the end, prints the slowest steps, the skipped tests, and the totals.
#
#     tests/tools/with-dynamodb-local.sh tests/tools/with-cloudwatch.sh \
#         tests/tools/with-terraform.sh tests/tools/with-step-functions.sh \
#         tests/tools/with-duckdb.sh tests/tools/test.sh
#
# The package for Lambda is built in the background. Clippy checks the code while the suites are built,
# which saves a second pass over all dependencies. Once everything is built, four groups of suites run
# in parallel: those that need an optimized engine, the two that often wait for DynamoDB Local, and all
# others. RUNS is the number of histories to simulate.
set -uo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo=${CARGO:-cargo}
runs=${RUNS:-60000}
logs=$root/target/test-logs
tool=$root/.tools/cargo-lambda/bin/cargo-lambda
rm -rf "$logs"
mkdir -p "$logs"
touch "$logs"/{times,counts,failures,skipped}.txt

# CI needs neither incremental builds, because it builds everything once, nor debug information.
# Both cost time.
[[ -z ${CI:-} ]] || export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0

# What `time` prints.
TIMEFORMAT='%0U s user, %0S s system'

# Optimizes our own code. The dependencies stay unoptimized, so that all suites share their builds.
optimized=(--config profile.dev.opt-level=3 --config 'profile.dev.package."*".opt-level=0')

# Runs a command, and prints a line with its result: `step NAME COMMAND...`.
step() {
    local name=$1 log=$logs/$1.log began=$SECONDS status=0 took result
    shift
    { time "$@" >"$log" 2>&1 </dev/null || status=$?; } 2>"$logs/$name.cpu"
    took=$((SECONDS - began))
    echo "$took $name ($(<"$logs/$name.cpu"))" >>"$logs/times.txt"
    result=$(counts "$log")
    if ((status != 0)); then
        echo "$name" >>"$logs/failures.txt"
        # A lint, or a suite that does not compile, counts as one failure.
        [[ $result == *failed* ]] || { echo "0 1" >>"$logs/counts.txt" && result="failed"; }
        printf '%-18s %-36s %4d s\n%s\n' "$name" "$result" "$took" "$(<"$log")"
    else
        printf '%-18s %-36s %4d s\n' "$name" "${result:-ok}" "$took"
    fi
}

# Adds the test results in a log to the totals, and prints these results.
counts() {
    local ok=0 bad=0 ignored=0 line text
    while IFS= read -r line; do
        [[ $line =~ ([0-9]+)\ passed\;\ ([0-9]+)\ failed\;\ ([0-9]+)\ ignored ]] || continue
        ok=$((ok + BASH_REMATCH[1]))
        bad=$((bad + BASH_REMATCH[2]))
        ignored=$((ignored + BASH_REMATCH[3]))
    done < <(grep '^test result:' "$1")
    ((ok + bad + ignored > 0)) || return
    echo "$ok $bad" >>"$logs/counts.txt"
    text="$ok passed"
    ((bad == 0)) || text+=", $bad failed"
    ((ignored == 0)) || text+=", $ignored ignored"
    echo "$text"
}

# Runs cargo, and fails on a warning in our own code.
without_warnings() {
    local log=$logs/$1-warnings.log
    shift
    "$@" 2>&1 | tee "$log"
    ((PIPESTATUS[0] == 0)) && ! grep -qE '^warning: `referee[a-z-]*` .* generated' "$log"
}

# Builds suites: `build NAME ARGUMENTS...`. Each suite is then run by its executable, because
# `cargo test` waits for every build that is in progress.
build() {
    local name=$1 source path
    shift
    step "$name" without_warnings "$name" "$cargo" test --locked --no-run "$@"
    while read -r source path; do
        # The last build also builds the suites that were built optimized before.
        executables[$source]=${executables[$source]:-$path}
    done < <(sed -nE 's/^ *Executable (unittests )?([^ ]+) \((.+)\)$/\2 \3/p' "$logs/$name.log")
}

suite() {
    local name=$1 source=$2
    shift 2
    # `cargo test` sets this too: golden files are relative to it.
    CARGO_MANIFEST_DIR=$root step "$name" "${executables[$source]:-false}" "$@"
}

package() {
    local began=$SECONDS status=0
    { time without_warnings package nice -n 5 tests/tools/package.sh >"$logs/package-build.log" ||
        status=$?; } 2>"$logs/package-build.cpu"
    echo "$((SECONDS - began)) package-build ($(<"$logs/package-build.cpu"))" >>"$logs/times.txt"
    return "$status"
}

optimized_suites() {
    suite cases tests/cases/main.rs
    RUNS=$runs suite simulation tests/simulation/main.rs --nocapture
}

# On DynamoDB Local, each access key has tables of its own.
live_suites() {
    export AWS_ACCESS_KEY_ID=live
    suite store-contract tests/store_contract/main.rs
    suite live tests/live/main.rs
}

end_to_end_suite() {
    AWS_ACCESS_KEY_ID=endtoend suite end-to-end tests/end_to_end/main.rs
}

other_suites() {
    suite unit src/lib.rs
    suite engine tests/engine/main.rs
    suite exports tests/exports/main.rs
    suite cli tests/cli/main.rs
    suite infra tests/infra/main.rs
}

declare -A executables=()
package &
packaging=$!
lanes=()
trap 'kill "$packaging" "${lanes[@]}" 2>/dev/null' EXIT

step format "$cargo" fmt --all --check
build optimized-build "${optimized[@]}" --test cases --test simulation
# The fuzz targets are only checked, because they cannot be linked without libFuzzer.
step lint-fuzz "$cargo" clippy --locked --package referee-fuzz --quiet -- -D warnings
# Clippy's driver is the compiler with more lints. This is the last build, so that suites find the
# binaries with all features.
RUSTC_WORKSPACE_WRAPPER=clippy-driver build build --workspace --exclude referee-fuzz --all-features \
    --all-targets
[[ ! -x $tool ]] || export REFEREE_TEST_CARGO_LAMBDA=$tool
for lane in optimized_suites live_suites end_to_end_suite other_suites; do
    "$lane" &
    lanes+=($!)
done
wait "${lanes[@]}"
if wait "$packaging"; then
    # shellcheck source=/dev/null
    source "$logs/package.env"
    # Checks that the packaged function can be deployed, starts, writes mirrors, and survives
    # crashes.
    suite package tests/end_to_end/main.rs package::deploys
    suite package-crashes tests/end_to_end/main.rs a_crash_between
else
    step package-build-log false
    cat "$logs/package-build.log"
fi
trap - EXIT

echo
echo "The slowest steps:"
sort -rn "$logs/times.txt" | head -8 | while read -r seconds name; do
    printf '  %-40s %4d s\n' "$name" "$seconds"
done
grep -h -E '^(simulation|one by one|changes [0-9]+|[0-9]+ cases)' "$logs"/*.log | cut -c1-160
skipped="${REFEREE_TEST_SKIPPED:-}$(<"$logs/skipped.txt")"
# Without an endpoint, all cases are skipped, which the wrapper has already reported.
while [[ -n ${REFEREE_TEST_DYNAMODB:-} ]] && read -r _ name _; do
    skipped+=$'\n'"  $name of store-contract: DynamoDB Local differs from DynamoDB"
done < <(grep -E '^test endpoint::[a-z_:]+ +\.\.\. ignored' "$logs/store-contract.log")
[[ -z $skipped ]] || printf '\nSKIPPED:%s\n' "$skipped"
passed=0
failed=0
while read -r ok bad; do
    passed=$((passed + ok))
    failed=$((failed + bad))
done <"$logs/counts.txt"
echo
[[ ! -s $logs/failures.txt ]] || echo "failed: $(tr '\n' ' ' <"$logs/failures.txt")"
echo "$SECONDS s"
echo "$passed passed, $failed failed"
((failed == 0))
