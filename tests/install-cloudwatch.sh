#!/usr/bin/env bash
# Installs an emulator of CloudWatch into the folder given: once, pinned, and verified.
set -euo pipefail

target=$1
requirements=$(cd "$(dirname "$0")" && pwd)/requirements.txt
if [[ -f $target/installed ]] && cmp -s "$requirements" "$target/installed"; then
    exit 0
fi
rm -rf "$target"
mkdir -p "$(dirname "$target")"
trap 'rm -rf "$target"' ERR
python3 -m venv "$target"
"$target/bin/pip" install --quiet --disable-pip-version-check --no-input --only-binary :all: \
    --require-hashes --requirement "$requirements"
# It appears only when everything is there.
cp "$requirements" "$target/installed"
