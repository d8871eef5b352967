#!/usr/bin/env bash
# Fills a table at REFEREE_TEST_DYNAMODB that has been in use for years without Referee, and keeps
# DynamoDB Local running: `sample-table.sh ITEMS FOLDER`. `make sample-table` runs it.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
endpoint=${REFEREE_TEST_DYNAMODB:?names no endpoint}
"$root/target/debug/examples/sample-table" "$1" "$2" "$endpoint"
cat <<TEXT

DynamoDB Local is at $endpoint. Its table \`shop\` has no stream, and no item of Referee.
The rules for it are in $2/sample.yaml. To follow docs/adopt.md, in another terminal:

    cd $2
    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
    export AWS_ENDPOINT_URL=$endpoint

Ctrl-C stops everything and deletes the table.
TEXT
sleep infinity
