#!/usr/bin/env bash
# Compiles and lints a crate of the workspace for tests/tools/test.sh: `lint.sh RUSTC ARGUMENTS...`.
#
# Clippy's driver is the compiler with more lints, which saves a second pass over everything. The
# library is compiled with and without its unit tests, and only linted with them.
#
# One lint looks at the compiled code, in which compile.sh inlines functions: `make lint` has it.
arguments=" $* "
if [[ $arguments == *" --crate-name referee "* && $arguments == *" --crate-type lib "* ]]; then
    exec "$@"
fi
exec clippy-driver "$@" -Aclippy::assigning_clones
