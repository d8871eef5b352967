#!/usr/bin/env bash
# Compiles a crate for tests/tools/test.sh: `compile-sdk.sh RUSTC ARGUMENTS...`.
#
# The crates of AWS's SDK have hundreds of operations, of which Referee uses a few. With this hint,
# the compiler generates code only for these, which halves the time. The hint is not stable yet.
# https://doc.rust-lang.org/nightly/unstable-book/compiler-flags/hint-mostly-unused.html
case " $* " in
*" --crate-name aws_sdk_"* | *" --crate-name aws_smithy_http_client "* | \
    *" --crate-name lambda_runtime_api_client "*)
    RUSTC_BOOTSTRAP=1 exec "$@" -Zhint-mostly-unused
    ;;
esac
exec "$@"
