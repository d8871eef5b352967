#!/usr/bin/env bash
# Runs every suite once the builds of tests/tools/test.sh, which calls this script, are complete. At
# the end, prints the slowest steps, the skipped tests, and the totals.
#
# Groups of suites run in parallel: those that need the processor most, the two that often wait for
# DynamoDB Local, those of the packaged function, the demo, and all others. RUNS is the number of
# histories to simulate.
set -uo pipefail

# shellcheck source=steps.sh
source "$(dirname "$0")/steps.sh"
cd "$root"
tool=$root/.tools/cargo-lambda/bin/cargo-lambda

# Waits until a file in $logs exists, and prints it.
await() {
    until [[ -f $logs/$1 ]]; do sleep 0.2; done
    cat "$logs/$1"
}

# Runs a suite by its executable, because `cargo test` waits for every build that is in progress:
# `suite NAME SOURCE ARGUMENTS...`.
suite() {
    local name=$1 source=$2
    shift 2
    # `cargo test` sets this too: golden files are relative to it.
    CARGO_MANIFEST_DIR=$root step "$name" "${executables[$source]:-false}" "$@"
}

engine_suites() {
    suite cases tests/cases/main.rs
    suite simulation tests/simulation/main.rs --nocapture
}

# The module's own tests need nothing that is built, and take what the builds leave of the processor.
module_tests() {
    [[ -z ${REFEREE_TEST_TERRAFORM:-} ]] || step module nice -n 15 tests/tools/module-tests.sh
}

infra_suite() {
    suite infra tests/infra/main.rs
}

# Each access key has tables of its own in DynamoDB Local, which becomes slower with each table. The
# tests of the command line mostly wait for processes.
live_suite() {
    AWS_ACCESS_KEY_ID=live suite live tests/live/main.rs --test-threads=3
}

# These tests need DynamoDB Local as much as all others together, so they have one of their own.
end_to_end_suite() {
    # shellcheck disable=SC2016 # The inner shell expands it.
    tests/tools/with-dynamodb-local.sh bash -c 'source tests/tools/steps.sh; step "$@"' suites.sh \
        end-to-end "${executables[tests/end_to_end/main.rs]:-false}"
}

other_suites() {
    suite unit src/lib.rs
    suite engine tests/engine/main.rs
    suite exports tests/exports/main.rs
    suite cli tests/cli/main.rs
    AWS_ACCESS_KEY_ID=contract suite store-contract tests/store_contract/main.rs
}

# Checks that the packaged function can be deployed, starts, writes mirrors, and survives crashes.
package_suites() {
    if [[ $(await package-build.status) != 0 ]]; then
        step package-build-log false
        cat "$logs/package-build.log"
        return
    fi
    # shellcheck source=/dev/null
    source "$logs/package.env"
    export AWS_ACCESS_KEY_ID=package
    suite package tests/end_to_end/main.rs package::deploys
    suite package-crashes tests/end_to_end/main.rs a_crash_between
}

# Builds the tool without AWS's SDK and runs the demo.
demo() {
    await package-build.status >/dev/null
    local built=$root/target/demo
    CARGO_BUILD_TARGET=$target beside_the_tests "$built" step demo without_warnings demo \
        make demo OPTIONS="${shared[*]}" TOOL="$built/$target/debug/referee"
    compiled_again "$logs/demo.log"
}

lanes=()
trap 'kill "${lanes[@]}" 2>/dev/null' EXIT
module_tests &
lanes+=($!)
declare -A executables=()
while read -r source path; do
    executables[$source]=$path
done < <(await executables.txt)
[[ ! -x $tool ]] || export REFEREE_TEST_CARGO_LAMBDA=$tool
for lane in engine_suites infra_suite live_suite end_to_end_suite other_suites package_suites \
    demo; do
    "$lane" &
    lanes+=($!)
done
wait "${lanes[@]}"
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
echo "$((EPOCHSECONDS - REFEREE_TEST_BEGAN)) s"
echo "$passed passed, $failed failed"
((failed == 0))
