#!/usr/bin/env bash
# Runs the Terraform module's own tests: `with-terraform.sh module-tests.sh`. Without Terraform, which
# with-terraform.sh reports, does nothing.
set -euo pipefail
cd "$(dirname "$0")/../../infra"

terraform=${REFEREE_TEST_TERRAFORM:-}
[[ -n $terraform ]] || exit 0
# The working files are not left in the module.
TF_DATA_DIR=$(mktemp -d)
export TF_DATA_DIR CHECKPOINT_DISABLE=1
trap 'rm -rf "$TF_DATA_DIR"' EXIT
"$terraform" init -no-color -backend=false -input=false
"$terraform" test -no-color
