#!/usr/bin/env bash
# Starts an interpreter of the States Language, the language of AWS Step Functions, runs a command, and
# stops the interpreter when the command ends.
#
#     tests/tools/with-step-functions.sh cargo test --test end_to_end
#
# Sets REFEREE_TEST_STEP_FUNCTIONS to its address. If the interpreter cannot run, prints a warning that
# says why, and runs the command without it. The tests of the audit's state machine are then skipped.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
program=$root/tests/tools/step-functions
home=$root/.tools/step-functions
source "$root/tests/tools/emulator.sh"

without() {
    echo "warning: the tests of the audit's state machine are SKIPPED: $1" >&2
    export REFEREE_TEST_SKIPPED="${REFEREE_TEST_SKIPPED:-}
  tests of the audit's state machine: $1"
    shift
    exec "$@"
}

install() {
    local work
    work=$(mktemp -d "$home.XXXXXX")
    trap 'rm -rf "$work"' RETURN
    cp "$program"/package{,-lock}.json "$work"
    # The hashes of all packages are in the lock file.
    (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || return
    # The folder gets its final name only when it is complete.
    rm -rf "$home"
    mv "$work" "$home"
}

node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null ||
    without "there is no \`node\` of 20 or later" "$@"
if ! cmp --quiet "$program/package-lock.json" "$home/package-lock.json"; then
    command -v npm >/dev/null || without "there is no \`npm\` to install an interpreter with" "$@"
    mkdir -p "$root/.tools"
    install || without "the interpreter could not be installed" "$@"
fi

port=$(free_port)
log=$(mktemp)
node "$program/serve.mjs" "$home" "$port" >"$log" 2>&1 &
interpreter=$!
trap 'kill "$interpreter" 2>/dev/null || true; wait "$interpreter" 2>/dev/null || true; rm -f "$log"' EXIT
wait_for "the interpreter of the States Language" "$interpreter" "$port" "$log"

export REFEREE_TEST_STEP_FUNCTIONS=127.0.0.1:$port
"$@"
