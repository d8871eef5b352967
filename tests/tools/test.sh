#!/usr/bin/env bash
# Runs the lints and every suite: one line for each, failures in full, and at the end the slowest
# steps, what was skipped, and the totals.
#
#     tests/tools/with-dynamodb-local.sh tests/tools/with-cloudwatch.sh \
#         tests/tools/with-terraform.sh tests/tools/test.sh
#
# The package for Lambda takes minutes to link, mostly on one core. It is built in the background
# from the beginning, and tested last. RUNS is the number of histories to simulate.
set -uo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo=${CARGO:-cargo}
runs=${RUNS:-110000}
logs=$root/target/test-logs
rm -rf "$logs"
mkdir -p "$logs"

# The engine, optimized, with unoptimized dependencies: the same ones as in the other suites.
optimized=(--config profile.dev.opt-level=3 --config 'profile.dev.package."*".opt-level=0')

passed=0
failed=0
skipped=${REFEREE_TEST_SKIPPED:-}
failures=()
times=$logs/times.txt

# Runs a command, and prints a line with its result: `step NAME COMMAND...`.
step() {
    local name=$1 log=$logs/$1.log began=$SECONDS status=0 result
    shift
    "$@" >"$log" 2>&1 </dev/null || status=$?
    local took=$((SECONDS - began))
    echo "$took $name" >>"$times"
    result=$(counts "$log")
    if ((status != 0)); then
        failures+=("$name")
        # A suite that does not compile, or a lint, counts as one failure.
        [[ $result == *failed* ]] || { failed=$((failed + 1)) && result="failed"; }
        printf '%-14s %-40s %4d s\n' "$name" "$result" "$took"
        cat "$log"
        return
    fi
    printf '%-14s %-40s %4d s\n' "$name" "${result:-ok}" "$took"
}

# Adds up the results that a log has, into the totals, and prints them.
counts() {
    local ok=0 bad=0 ignored=0 line
    while IFS= read -r line; do
        [[ $line =~ ([0-9]+)\ passed\;\ ([0-9]+)\ failed\;\ ([0-9]+)\ ignored ]] || continue
        ok=$((ok + BASH_REMATCH[1]))
        bad=$((bad + BASH_REMATCH[2]))
        ignored=$((ignored + BASH_REMATCH[3]))
    done < <(grep '^test result:' "$1")
    ((ok + bad + ignored > 0)) || return
    echo "$ok $bad" >>"$logs/counts.txt"
    local text="$ok passed"
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
    echo "$((SECONDS - began)) package-build (in the background)" >>"$times"
    return "$status"
}

package &
packaging=$!
trap 'kill "$packaging" 2>/dev/null' EXIT

step lint make --no-print-directory lint
step build "$cargo" test --locked --all-features --no-run
suite unit --lib --bins
suite engine --test engine
suite cli --test cli
step build-fast "$cargo" test --locked "${optimized[@]}" --test cases --test simulation --no-run
step cases "$cargo" test --locked "${optimized[@]}" --test cases
RUNS=$runs step simulation "$cargo" test --locked "${optimized[@]}" --test simulation -- --nocapture
suite store-contract --test store_contract
suite live --test live
suite infra --test infra
suite end-to-end --test end_to_end
if wait "$packaging"; then
    trap - EXIT
    # shellcheck source=/dev/null
    source "$logs/package.env"
    # The packaged function deploys and starts, mirrors, and survives a crash.
    suite package --test end_to_end -- package::
    suite package-crash --test end_to_end -- a_crash_between
else
    trap - EXIT
    step package cat "$logs/package-build.log"
fi

echo
echo "The slowest steps:"
sort -rn "$times" | head -8 | while read -r seconds name; do
    printf '  %-40s %4d s\n' "$name" "$seconds"
done
grep -h -E '^(simulation|one by one|changes [0-9]+|[0-9]+ cases)' "$logs"/*.log | cut -c1-160
while IFS=: read -r log test; do
    skipped+=$'\n'"  $(basename "$log" .log): ${test#test }"
done < <(grep -E '^test .*\.\.\. ignored' "$logs"/*.log | tr -s ' ')
[[ -z $skipped ]] || printf '\nSKIPPED:%s\n' "$skipped"
while read -r ok bad; do
    passed=$((passed + ok))
    failed=$((failed + bad))
done <"$logs/counts.txt"
echo
((${#failures[@]} == 0)) || echo "failed: ${failures[*]}"
echo "$SECONDS s"
echo "$passed passed, $failed failed"
((failed == 0 && ${#failures[@]} == 0))
