#!/usr/bin/env bash
# Runs a command with the path of Terraform or OpenTofu in REFEREE_TEST_TERRAFORM, and with a
# stand-in for the AWS provider, so that nothing is downloaded and no account is needed.
#
#     tests/tools/with-terraform.sh cargo test --test infra
#
# If neither is installed, or the stand-in cannot run, prints a warning that says why, and runs the
# command without them. The tests of the Terraform module are then skipped. With
# REFEREE_INFRA_PROVIDER=real, Terraform downloads the real provider instead.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
home=$root/.tools/terraform

without() {
    echo "warning: the tests of the Terraform module are SKIPPED: $1" >&2
    export REFEREE_TEST_SKIPPED="${REFEREE_TEST_SKIPPED:-}
  tests of the Terraform module: $1"
    shift
    exec "$@"
}

terraform=$(command -v terraform || command -v tofu) ||
    without "there is neither \`terraform\` nor \`tofu\`" "$@"
export REFEREE_TEST_TERRAFORM=$terraform

if [[ ${REFEREE_INFRA_PROVIDER:-} == real ]]; then
    # The tests share one download of the provider, which takes hundreds of megabytes.
    export TF_PLUGIN_CACHE_DIR=$root/.tools/terraform-providers
    mkdir -p "$TF_PLUGIN_CACHE_DIR"
    exec "$@"
fi

python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    without "there is no \`python3\` of 3.11 or later with \`venv\`" "$@"
"$root/tests/tools/install-python.sh" "$root/tests/tools/terraform.txt" "$home" ||
    without "the provider's stand-in could not be installed" "$@"

folder=$(mktemp -d)
socket=$folder/provider.sock
"$home/bin/python" "$root/tests/infra/provider/provider.py" "$socket" >"$folder/log" 2>&1 &
provider=$!
trap 'kill "$provider" 2>/dev/null || true; wait "$provider" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in {1..300}; do
    [[ ! -S $socket ]] || break
    kill -0 "$provider" 2>/dev/null || break
    sleep 0.1
done
if [[ ! -S $socket ]]; then
    cat "$folder/log" >&2
    echo "error: the provider's stand-in does not start" >&2
    exit 1
fi

at() {
    printf '"%s/hashicorp/aws": {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": %d, "Test": true,
        "Addr": {"Network": "unix", "String": "%s"}}' "$1" "$provider" "$socket"
}
export TF_REATTACH_PROVIDERS="{$(at registry.terraform.io), $(at registry.opentofu.org)}"
# The user's own settings may name another provider.
echo 'disable_checkpoint = true' >"$folder/terraformrc"
export TF_CLI_CONFIG_FILE=$folder/terraformrc
# Terraform spends a quarter of its processor time on collecting garbage. It gains little from a
# second processor, on which another test can run.
export GOGC=${GOGC:-800} GOMAXPROCS=${GOMAXPROCS:-1}
"$@" || {
    status=$?
    kill -0 "$provider" 2>/dev/null || echo "error: the provider's stand-in has ended. Terraform kills" \
        "a provider that it cannot connect to, for example when it has too many open files" >&2
    exit "$status"
}
