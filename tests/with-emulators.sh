#!/usr/bin/env bash
# Runs a command beside emulators of DynamoDB and of CloudWatch, which are gone when it ends.
#
#     tests/with-emulators.sh cargo test --all-features
#
# The command finds them in REFEREE_TEST_DYNAMODB and REFEREE_TEST_CLOUDWATCH. Where one cannot run,
# this says so, and the command runs without it: the tests that need it are then skipped.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/.tools
ready_seconds_max=30
work=$(mktemp -d)
emulators=()

finish() {
    if ((${#emulators[@]})); then
        kill "${emulators[@]}" 2>/dev/null || true
        wait "${emulators[@]}" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT

skipped() {
    echo "warning: the tests against $1 are SKIPPED: $2" >&2
}

is_answered() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
    # A port that nobody answers at.
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 20000))
        if ! is_answered "$port"; then
            echo "$port"
            return
        fi
    done
    return 1
}

# Waits until the emulator that was started last answers at its port.
wait_for() {
    local name=$1 port=$2 log=$3 waited=0
    until is_answered "$port"; do
        if ! kill -0 "${emulators[-1]}" 2>/dev/null || ((waited++ == ready_seconds_max * 10)); then
            cat "$log" >&2
            echo "error: $name does not start" >&2
            exit 1
        fi
        sleep 0.1
    done
}

start_dynamodb() {
    local name="DynamoDB Local" home=$tools/dynamodb-local port
    # macOS has a `java` that only says that there is none, so it is asked for its version.
    if ! java -version >/dev/null 2>&1; then
        skipped "$name" "there is no \`java\`"
        return
    fi
    if [[ ! -d $home ]]; then
        for tool in npm openssl; do
            if ! command -v "$tool" >/dev/null; then
                skipped "$name" "there is no \`$tool\` to install it with"
                return
            fi
        done
    fi
    if ! "$root/tests/install-dynamodb-local.sh" "$home"; then
        skipped "$name" "it could not be installed"
        return
    fi
    port=$(free_port)
    DDB_LOCAL_TELEMETRY=0 java -Xmx512m -Djava.library.path="$home/DynamoDBLocal_lib" \
        -jar "$home/DynamoDBLocal.jar" -inMemory -sharedDb -disableTelemetry -port "$port" \
        >"$work/dynamodb.log" 2>&1 &
    emulators+=($!)
    wait_for "$name" "$port" "$work/dynamodb.log"
    export REFEREE_TEST_DYNAMODB=http://127.0.0.1:$port
}

start_cloudwatch() {
    local name="CloudWatch" home=$tools/cloudwatch port
    if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
        skipped "$name" "there is no \`python3\` of 3.10 or later with \`venv\`"
        return
    fi
    if ! "$root/tests/install-cloudwatch.sh" "$home"; then
        skipped "$name" "its emulator could not be installed"
        return
    fi
    port=$(free_port)
    GATEWAY_PORT=$port BIND_HOST=127.0.0.1 SERVICES=cloudwatch "$home/bin/ministack" >"$work/cloudwatch.log" 2>&1 &
    emulators+=($!)
    wait_for "$name" "$port" "$work/cloudwatch.log"
    export REFEREE_TEST_CLOUDWATCH=http://127.0.0.1:$port
}

start_dynamodb
start_cloudwatch
# Emulators take any credentials, but not none.
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
unset AWS_PROFILE AWS_SESSION_TOKEN
"$@"
