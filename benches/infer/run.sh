#!/usr/bin/env bash
# Measures `referee infer` on data sets whose rules are known, and on an export of a million items.
# If the data sets cannot be installed, prints a warning and measures nothing.
#
#     benches/infer/run.sh REFEREE [--only NAME] [--problems]
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
referee=$1
shift
if ! "$root/benches/infer/install.sh" "$root/.tools/infer"; then
    echo "warning: the benchmark of \`infer\` is SKIPPED: its data sets cannot be installed" >&2
    exit 0
fi
export=$root/target/infer-bench/export
[[ -e $export ]] || make --no-print-directory -C "$root" sample-export "OUT=$export"
mkdir -p "$root/target/infer-bench/tpch"
export PYTHONDONTWRITEBYTECODE=1
"$root/.tools/infer/bin/python" "$root/benches/infer/check.py" --quiet
exec "$root/.tools/infer/bin/python" "$root/benches/infer" \
    --referee "$referee" --data "$root/.tools/infer" --export "$export" "$@"
