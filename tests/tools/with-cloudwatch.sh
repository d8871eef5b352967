#!/usr/bin/env bash
# Starts an emulator of CloudWatch, DynamoDB, Lambda, S3, SQS, Step Functions and schedules, runs a
# command, and stops the emulator when the command ends.
#
#     tests/tools/with-cloudwatch.sh cargo test --all-features
#
# Sets REFEREE_TEST_CLOUDWATCH and REFEREE_TEST_S3 to the emulator's endpoint. If the emulator cannot
# run, prints a warning that says why, and runs the command without it. The tests that read metrics
# or exports, use a queue, or draw what is deployed, are then skipped.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
home=$root/.tools/cloudwatch
source "$root/tests/tools/emulator.sh"

without() {
    echo "warning: the tests against CloudWatch and S3 are SKIPPED: $1" >&2
    export REFEREE_TEST_SKIPPED="${REFEREE_TEST_SKIPPED:-}
  tests of CloudWatch and S3: $1"
    shift
    exec "$@"
}

python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
    without "there is no \`python3\` of 3.10 or later with \`venv\`" "$@"
"$root/tests/tools/install-python.sh" "$root/tests/tools/cloudwatch.txt" "$home" ||
    without "its emulator could not be installed" "$@"

port=$(free_port)
log=$(mktemp)
services=cloudwatch,dynamodb,lambda,logs,s3,scheduler,sqs,states
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 SERVICES=$services "$home/bin/ministack" >"$log" 2>&1 &
emulator=$!
trap 'kill "$emulator" 2>/dev/null || true; wait "$emulator" 2>/dev/null || true; rm -f "$log"' EXIT
wait_for CloudWatch "$emulator" "$port" "$log"

export REFEREE_TEST_CLOUDWATCH=http://127.0.0.1:$port REFEREE_TEST_S3=http://127.0.0.1:$port
"$@"
