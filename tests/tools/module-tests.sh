#!/usr/bin/env bash
# Runs the Terraform module's own tests: `with-terraform.sh module-tests.sh`. Without Terraform, which
# with-terraform.sh reports, does nothing.
#
# Each file has a process of its own. For each run of a test, Terraform keeps a connection to the
# provider's stand-in and opens one file a second, which it closes only when it collects garbage. On a
# busy machine, one process for all files reaches the limit of open files. It can then no longer
# connect to the stand-in, and kills it.
set -euo pipefail
cd "$(dirname "$0")/../../infra"

terraform=${REFEREE_TEST_TERRAFORM:-}
[[ -n $terraform ]] || exit 0
# The working files are not left in the module.
TF_DATA_DIR=$(mktemp -d)
export TF_DATA_DIR CHECKPOINT_DISABLE=1
trap 'rm -rf "$TF_DATA_DIR"' EXIT
"$terraform" init -no-color -backend=false -input=false
failed=0
for file in tests/*.tftest.hcl; do
    "$terraform" test -no-color -filter="$file" || failed=1
done
exit "$failed"
