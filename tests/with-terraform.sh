#!/usr/bin/env bash
# Runs a command that finds Terraform, or else OpenTofu, in REFEREE_TEST_TERRAFORM, with a stand-in
# for the AWS provider, so that nothing is downloaded and no account is needed.
#
#     tests/with-terraform.sh cargo test --test infra
#
# Where neither is there, or the stand-in cannot run, this says so, and the command runs without it:
# the tests of the Terraform module are then skipped. With REFEREE_INFRA_PROVIDER=real, Terraform
# downloads the real provider instead.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
home=$root/.tools/terraform

without() {
    echo "warning: the tests of the Terraform module are SKIPPED: $1" >&2
    shift
    exec "$@"
}

terraform=$(command -v terraform || command -v tofu) ||
    without "there is neither \`terraform\` nor \`tofu\`" "$@"
export REFEREE_TEST_TERRAFORM=$terraform

if [[ ${REFEREE_INFRA_PROVIDER:-} == real ]]; then
    exec "$@"
fi

python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    without "there is no \`python3\` of 3.11 or later with \`venv\`" "$@"
"$root/tests/tools/install-python.sh" "$root/tests/tools/terraform.txt" "$home/python" ||
    without "the provider's stand-in could not be installed" "$@"

# The version whose schema the stand-in has.
version=6.66.0
platform=$(uname -s | tr '[:upper:]' '[:lower:]')_$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
for registry in registry.terraform.io registry.opentofu.org; do
    place=$home/providers/$registry/hashicorp/aws/$version/$platform
    mkdir -p "$place"
    cat >"$place/terraform-provider-aws_v$version" <<STAND_IN
#!/usr/bin/env bash
exec "$home/python/bin/python" "$root/tests/infra/provider/provider.py"
STAND_IN
    chmod +x "$place/terraform-provider-aws_v$version"
done
cat >"$home/terraformrc" <<CONFIG
disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "$home/providers"
  }
}
CONFIG
export TF_CLI_CONFIG_FILE=$home/terraformrc
"$@"
