#!/usr/bin/env bash
# Installs Python programs into a folder of their own: once, pinned, and verified.
#
#     tests/tools/install-python.sh REQUIREMENTS FOLDER
set -euo pipefail

requirements=$1
target=$2
# The installed list is stored beside the programs; a changed list installs them again.
if cmp -s "$requirements" "$target/installed.txt"; then
    exit 0
fi
rm -rf "$target"
mkdir -p "$(dirname "$target")"
python3 -m venv "$target"
"$target/bin/pip" install --quiet --disable-pip-version-check --require-hashes \
    --only-binary :all: --requirement "$requirements"
cp "$requirements" "$target/installed.txt"
