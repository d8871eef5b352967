#!/usr/bin/env bash
# Creates the initial corpora from the recorded cases and the rule files of the tests, and the
# dictionaries from the words in them.
#
#     tests/fuzz/seeds.sh
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/../.."
corpus=tests/fuzz/corpus
words=tests/fuzz/words
# Inputs that earlier runs added are kept.
mkdir -p "$corpus"/{decode,rule_file,key_templates,replay} "$words"

# Prints every string in these files, in the format of libFuzzer's dictionaries: quoted, one per
# line.
words_of() {
    cat "$@" | { grep -oE '"[^"\\]{1,40}"' || true; } | sort -u
}

# The targets number the cases in the order of their names; the first byte selects one.
number=0
for case in $(ls events); do
    rules=events/$case/referee.yaml
    [ -f "$rules" ] || continue
    byte=$(printf '\\x%02x' "$number")
    for event in events/"$case"/stream/*.json; do
        { printf '%b' "$byte"; tr -d '\n ' <"$event"; } \
            >"$corpus/decode/$case-$(basename "$event")"
    done
    # As recorded, with the rules enforced, and with bad delivery.
    for rest in '\x00\x00' '\x00\x01' '\x01\x07\x00'; do
        printf '%b' "$byte$rest" >"$corpus/replay/$case-${rest//\\x/}"
    done
    cp "$rules" "$corpus/rule_file/$case.yaml"
    number=$((number + 1))
done
cp tests/data/rule_files/*.{yaml,json} src/cli/starter.yaml "$corpus/rule_file"

# Each input holds an entity's key templates in both orders, and a key. The byte FF separates the
# texts.
number=0
while read -r partition sort; do
    key=$(sed -E 's/\{[a-z_]+\*?\}/x1/g' <<<"$partition $sort")
    printf '%s\xff' '#SS' "$partition" "$sort" "$sort" "$partition" "${key% *}" "${key#* }" \
        >"$corpus/key_templates/$number"
    number=$((number + 1))
done < <(cat events/*/referee.yaml |
    sed -nE 's/.*pk: "([^" ]+)", +sk: "([^" ]+)".*/\1 \2/p' | sort -u)

words_of events/*/stream/*.json >"$words/decode"
words_of tests/data/schema.json >"$words/rule_file"
printf '"%s"\n' '\xff' '{' '}' '{{' '}}' '{a}' '{b*}' '#' '#SS' '#SN' '#NB' >"$words/key_templates"
