#!/usr/bin/env bash
# Runs a command with the path of a Python that has DuckDB and sqlglot in REFEREE_TEST_DUCKDB.
#
#     tests/tools/with-duckdb.sh cargo test --test cases -- sql::
#
# If they cannot be installed, prints a warning that says why, and runs the command without them.
# The tests of the audit in SQL are then skipped.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
home=$root/.tools/duckdb

without() {
    echo "warning: the tests of the audit in SQL are SKIPPED: $1" >&2
    export REFEREE_TEST_SKIPPED="${REFEREE_TEST_SKIPPED:-}
  tests of the audit in SQL: $1"
    shift
    exec "$@"
}

python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    without "there is no \`python3\` of 3.11 or later with \`venv\`" "$@"
"$root/tests/tools/install-python.sh" "$root/tests/tools/duckdb.txt" "$home" ||
    without "DuckDB could not be installed" "$@"

export REFEREE_TEST_DUCKDB=$home/bin/python
exec "$@"
