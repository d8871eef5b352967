#!/usr/bin/env bash
# Fuzzes one target after another and stops at the first finding.
#
#     tests/fuzz/run.sh SECONDS TARGET…
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift

# Coverage for fuzzing is an unstable option of the compiler.
export RUSTC_BOOTSTRAP=1
# Sanitizers are off: they find errors in unsafe code, which the package forbids, and halve the
# number of runs. Overflows and `debug_assert!` are checked.
options=(--fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none
    --features libfuzzer-sys/link_libfuzzer)
# Unlike a build for Lambda: no link-time optimization, which takes minutes, and symbols in
# backtraces.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_STRIP=none
# Hangs and unbounded memory use are findings. Inputs of any size are tried from the beginning,
# because the recorded inputs have all sizes.
limits=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -len_control=0)
declare -A bytes_max=([decode]=8192 [rule_file]=8192 [key_templates]=512 [replay]=256)

tests/fuzz/seeds.sh
cargo fuzz build "${options[@]}"
mkdir -p target/fuzz/logs
for target in "$@"; do
    words=tests/fuzz/words/$target
    log=target/fuzz/logs/$target.txt
    arguments=("${limits[@]}" -max_len="${bytes_max[$target]}")
    if [ -f "$words" ]; then
        arguments+=(-dict="$words")
    fi
    if ! cargo fuzz run "${options[@]}" "$target" -- "${arguments[@]}" >"$log" 2>&1; then
        # Print the error, the failing input, and the commands to reproduce and minimize it.
        sed -nE '/panicked at|ERROR: libFuzzer/,+2p; /^Failing input/,/tmin/p' "$log" >&2
        echo "error: fuzzing \`$target\` failed; all that was printed is in $log" >&2
        exit 1
    fi
    awk -v target="$target" '/DONE +cov:/ { line = $0; sub(/.*DONE +/, "", line) }
        /^Done [0-9]+ runs/ { print target ": " $2 " runs in " $5 " seconds, " line }' "$log"
done
