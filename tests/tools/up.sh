#!/usr/bin/env bash
# Watches the example table of events/company-user at REFEREE_TEST_DYNAMODB, and prints commands to
# try. `make up` runs it.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
endpoint=${REFEREE_TEST_DYNAMODB:?names no endpoint}
example=$root/events/company-user

commands() {
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

    # Without the AWS CLI, for example with Python (pip install boto3):
    python3 -c 'import boto3; boto3.resource("dynamodb", endpoint_url="$endpoint").Table("app").put_item(
      Item={"pk": "company#globex", "sk": "user#bob@example.com", "role": "lead"})'

Ctrl-C stops everything and deletes the table.

TEXT
}

# The commands are printed when the table is there. Ctrl-C reaches every process of the terminal, so
# the one that passes the messages on ignores it.
exec "${REFEREE_BINARY:-$root/target/debug/referee}" watch --rules "$example/referee.yaml" --endpoint-url "$endpoint" \
    --create-tables --seed "$example/seed.json" 2> >(
        trap '' INT TERM
        while IFS= read -r line; do
            printf '%s\n' "$line" >&2
            case $line in *'watching `app`'*) commands ;; esac
        done
    )
