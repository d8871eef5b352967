#!/usr/bin/env bash
# Compiles a crate of the workspace for tests/tools/test.sh: `compile.sh RUSTC ARGUMENTS...`.
#
# Clippy's driver is the compiler with more lints, which saves a second pass over everything. The
# library is compiled with and without its unit tests, and only linted with them.
arguments=" $* "
if [[ $arguments == *" --crate-name referee "* && $arguments == *" --crate-type lib "* ]]; then
    exec "$@"
fi
exec clippy-driver "$@"
