#!/usr/bin/env bash
# Watches the example table of events/company-user at REFEREE_TEST_DYNAMODB, and prints commands to
# try. `make up` runs it.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
endpoint=${REFEREE_TEST_DYNAMODB:?names no endpoint}
example=$root/events/company-user

cat <<TEXT

DynamoDB Local is at $endpoint. Its table \`app\` has the companies acme and globex, and the
users ada@example.com and bob@example.com. In another terminal:

    export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1

    # Ada joins Acme, and the mirror of her membership appears.
    aws dynamodb put-item --endpoint-url $endpoint --table-name app --item \\
      '{"pk": {"S": "company#acme"}, "sk": {"S": "user#ada@example.com"}, "role": {"S": "engineer"}}'
    aws dynamodb query --endpoint-url $endpoint --table-name app \\
      --key-condition-expression 'pk = :user' \\
      --expression-attribute-values '{":user": {"S": "user#ada@example.com"}}'

    # Eve has no account: her membership is reported below.
    aws dynamodb put-item --endpoint-url $endpoint --table-name app --item \\
      '{"pk": {"S": "company#acme"}, "sk": {"S": "user#eve@example.com"}, "role": {"S": "intern"}}'

    # Ada's mirror is deleted, and restored.
    aws dynamodb delete-item --endpoint-url $endpoint --table-name app --key \\
      '{"pk": {"S": "user#ada@example.com"}, "sk": {"S": "company#acme"}}'

Ctrl-C stops everything and deletes the table.

TEXT
exec "${REFEREE_BINARY:-$root/target/debug/referee}" watch --rules "$example/referee.yaml" --endpoint-url "$endpoint" \
    --create-tables --seed "$example/seed.json"
