#!/usr/bin/env bash
# Apply a stack of deploy/terraform to an emulator of AWS on this machine, plan again (no
# change is allowed), move data through its buckets with DVC and MLflow, and destroy it.
#   scripts/ci/terraform_emulator.sh [dev|prod]
# Needs terraform, ministack (pip install ministack in an environment of its own), and dvc
# and mlflow. MINISTACK: the program. TERRAFORM_PLUGINS: folder of provider plugins, if the
# registry cannot be reached.
set -euo pipefail
stack=${1:-dev}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
emulator=""
finish() {
  [[ -z $emulator ]] || kill "$emulator" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=eu-west-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test # the emulator takes any
unset AWS_PROFILE AWS_SESSION_TOKEN
BIND_HOST=127.0.0.1 GATEWAY_PORT=$port EDGE_PORT=$port \
  "${MINISTACK:-ministack}" >"$work/emulator.log" 2>&1 &
emulator=$!
for _ in $(seq 300); do
  python -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null && break
  kill -0 "$emulator" || { tail -n 20 "$work/emulator.log" >&2; exit 1; }
  sleep 0.2
done

cp -r "$root/deploy/terraform" "$work/terraform"
cd "$work/terraform/stacks/$stack"
cat >emulator_override.tf <<'TF'
terraform {
  backend "local" {}
}
provider "aws" {
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}
TF
# The emulator forgets tags of rules of outgoing traffic, of which only dev has one.
[[ $stack != dev ]] || sed -i '/skip_metadata/a \  default_tags {}' emulator_override.tf
cp -r "$root/scripts/ci/terraform_emulator/." ../../modules/ # see its README
cat >emulator.auto.tfvars <<TF
budget_emails = ["team@example.com"]
TF
case $stack in
dev) echo 'ami_id = "ami-0123456789abcdef0"' >>emulator.auto.tfvars ;;
prod) printf 'protected = false\ngithub_repository = "team/project"\n' >>emulator.auto.tfvars ;;
esac
export TF_IN_AUTOMATION=1 TF_CLI_ARGS=-no-color
terraform init -input=false ${TERRAFORM_PLUGINS:+-plugin-dir="$TERRAFORM_PLUGINS"} >"$work/init.log" 2>&1 ||
  { cat "$work/init.log" >&2; exit 1; }
step() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
step "emulator and provider are ready"
terraform apply -input=false -auto-approve >"$work/apply.log" 2>&1 ||
  { grep -A 14 'Error:' "$work/apply.log" >&2; exit 1; }
step "applied: $(grep '^Apply complete' "$work/apply.log")"
terraform plan -input=false -detailed-exitcode >"$work/plan.log" 2>&1 ||
  { echo "error: the second plan is not empty" >&2; grep -E '^ +[#~+-]|^Plan' "$work/plan.log" >&2; exit 1; }
step "planned again: no changes"
python - terraform.tfstate <<'PYTHON'
import json, sys
# The database's address is kept beside the secrets, and is none.
for one in json.load(open(sys.argv[1]))["resources"]:
    for instance in one["instances"] if one["name"] != "address" else ():
        for key in ("password", "secret_string", "secret_binary"):
            if instance["attributes"].get(key):
                sys.exit(f"error: the state contains {key} of {one['type']}.{one['name']}")
PYTHON
step "the state contains no secret"

eval "$(terraform output -raw env | sed 's/^/export /')"
python "$root/scripts/ci/move_data.py" "$work/project"
step "dvc push and pull through ${GRAFT_S3_URL}"
terraform destroy -input=false -auto-approve >"$work/destroy.log" 2>&1 ||
  { grep -A 14 'Error:' "$work/destroy.log" >&2; exit 1; }
step "destroyed: $(grep '^Destroy complete' "$work/destroy.log")"
