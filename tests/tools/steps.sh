# Functions for the scripts that run tests: they run steps, and count tests.
#
# Prints one line for each step, and the complete output of each step that fails. Logs, times and
# counts are files in $logs.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cargo=${CARGO:-cargo}
logs=$root/target/test-logs

# What all builds have in common, so that they share their dependencies: cargo-lambda always names a
# target, and tests/features has the features of the dependencies.
target=$("${RUSTC:-rustc}" --print host-tuple)
shared=(--package referee --package referee-test-features)

# Runs a command whose builds share the compiled dependencies of the tests, but leave the programs
# that the suites use in their place: `beside_the_tests FOLDER COMMAND...`. FOLDER is absolute, and
# gets the programs that the command builds.
beside_the_tests() {
    CARGO_BUILD_BUILD_DIR=$root/target CARGO_TARGET_DIR=$1 "${@:2}"
}

# Prints the dependencies that a build did not share with the tests: `compiled_again LOG`.
compiled_again() {
    local crates
    crates=$(sed -nE 's/^ *Compiling ([^ ]+) .*/\1/p' "$1" | grep -vx referee | tr '\n' ' ')
    [[ -z $crates ]] || echo "note: ${1##*/} has dependencies that are compiled again, with other" \
        "features: ${crates}(see tests/features/Cargo.toml)"
}

# What `time` prints.
TIMEFORMAT='%0U s user, %0S s system'

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

# Adds the test results in a log of Rust's or Terraform's tests to the totals, and prints them.
counts() {
    local ok=0 bad=0 ignored=0 line text
    while IFS= read -r line; do
        [[ $line =~ ([0-9]+)\ passed[\;,]\ ([0-9]+)\ failed(\;\ ([0-9]+)\ ignored)? ]] || continue
        ok=$((ok + BASH_REMATCH[1]))
        bad=$((bad + BASH_REMATCH[2]))
        ignored=$((ignored + BASH_REMATCH[4]))
    done < <(grep -E '^(test result:|Success!|Failure!)' "$1")
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
