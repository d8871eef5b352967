#!/usr/bin/env bash
# Compiles a crate for tests/tools/test.sh: `compile.sh RUSTC ARGUMENTS...`.
#
# Nothing is optimized. But the compiler inlines small functions before it generates code, as it does
# for a release, and the standard library does not check how its unsafe functions are called, which
# only unsafe code can get wrong. With both, the suites need a third less processor time, and the
# build not more.
# https://doc.rust-lang.org/nightly/unstable-book/compiler-flags/ub-checks.html
#
# The crates of AWS's SDK have hundreds of operations, of which Referee uses a few. With a hint, the
# compiler generates code only for these, which halves the time.
# https://doc.rust-lang.org/nightly/unstable-book/compiler-flags/hint-mostly-unused.html
#
# These flags are not stable yet. Features of the language that are not stable stay forbidden.
flags=(-Zallow-features= -Zinline-mir -Zmir-opt-level=2 -Zub-checks=no)
case " $* " in
*" --crate-name aws_sdk_"* | *" --crate-name aws_smithy_http_client "* | \
    *" --crate-name lambda_runtime_api_client "*)
    flags+=(-Zhint-mostly-unused)
    ;;
esac
RUSTC_BOOTSTRAP=1 exec "$@" "${flags[@]}"
