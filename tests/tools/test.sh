#!/usr/bin/env bash
# Runs the lints and every suite. Prints one line for each step, and the complete output of each
# step that fails. At the end, prints the slowest steps, the skipped tests, and the totals.
#
#     tests/tools/with-dynamodb-local.sh tests/tools/with-cloudwatch.sh \
#         tests/tools/with-terraform.sh tests/tools/with-step-functions.sh \
#         tests/tools/with-duckdb.sh tests/tools/test.sh
#
# Three groups of steps run in parallel: the build of the package for Lambda, which takes minutes to
# link on one core, the suites that need an optimized engine, and all other suites, which often wait
# for an emulator. RUNS is the number of histories to simulate.
set -uo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo=${CARGO:-cargo}
runs=${RUNS:-110000}
logs=$root/target/test-logs
tool=$root/.tools/cargo-lambda/bin/cargo-lambda
rm -rf "$logs"
mkdir -p "$logs"
touch "$logs"/{times,counts,failures,skipped}.txt

# CI needs neither incremental builds, because it builds everything once, nor debug information.
# Both cost time.
[[ -z ${CI:-} ]] || export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0

# Optimizes our own code. The dependencies stay unoptimized, so that all suites share their builds.
optimized=(--config profile.dev.opt-level=3 --config 'profile.dev.package."*".opt-level=0')

# Runs a command, and prints a line with its result: `step NAME COMMAND...`.
step() {
    local name=$1 log=$logs/$1.log began=$SECONDS status=0 took result
    shift
    "$@" >"$log" 2>&1 </dev/null || status=$?
    took=$((SECONDS - began))
    echo "$took $name" >>"$logs/times.txt"
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

suite() {
    local name=$1
    shift
    step "$name" "$cargo" test --locked --all-features "$@"
}

package() {
    local began=$SECONDS status=0
    nice -n 5 tests/tools/package.sh >"$logs/package-build.log" 2>&1 || status=$?
    echo "$((SECONDS - began)) package-build (in the background)" >>"$logs/times.txt"
    return "$status"
}

# The suites that need an optimized engine.
optimized_suites() {
    step optimized-build "$cargo" test --locked "${optimized[@]}" --test cases --test simulation --no-run
    step cases "$cargo" test --locked "${optimized[@]}" --test cases
    RUNS=$runs step simulation "$cargo" test --locked "${optimized[@]}" --test simulation -- --nocapture
}

package &
packaging=$!
optimizing=
trap 'kill "$packaging" $optimizing 2>/dev/null' EXIT

step lint make --no-print-directory lint
suites=(engine exports cli store_contract live infra end_to_end)
step build "$cargo" test --locked --all-features --lib --bins "${suites[@]/#/--test=}" --no-run
optimized_suites &
optimizing=$!
suite unit --lib --bins
suite engine --test engine
suite exports --test exports
suite cli --test cli
suite store-contract --test store_contract
suite live --test live
suite infra --test infra
[[ ! -x $tool ]] || export REFEREE_TEST_CARGO_LAMBDA=$tool
suite end-to-end --test end_to_end
wait "$optimizing"
if wait "$packaging"; then
    # shellcheck source=/dev/null
    source "$logs/package.env"
    # Checks that the packaged function can be deployed, starts, writes mirrors, and survives
    # crashes.
    suite package --test end_to_end -- package::deploys
    suite package-crashes --test end_to_end -- a_crash_between
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
