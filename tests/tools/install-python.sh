#!/usr/bin/env bash
# Installs Python programs into a separate folder, unless they are installed already. Their versions
# are pinned, and their hashes are verified. Python compiles each module when it is first imported:
# to compile all of them here would take a minute.
#
#     tests/tools/install-python.sh REQUIREMENTS FOLDER
set -euo pipefail

requirements=$1
target=$2
# The list of requirements is stored beside the programs. They are installed again if it has
# changed.
if cmp -s "$requirements" "$target/installed.txt"; then
    exit 0
fi
rm -rf "$target"
mkdir -p "$(dirname "$target")"
python3 -m venv "$target"
"$target/bin/pip" install --quiet --no-compile --disable-pip-version-check --require-hashes \
    --only-binary :all: --requirement "$requirements"
cp "$requirements" "$target/installed.txt"
