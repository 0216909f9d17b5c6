#!/usr/bin/env bash
# Train an experiment on this machine, and push its data, adapter and commit.
#   train.sh NAME [OVERRIDE …]      overrides of Hydra, as for dvc exp run -S
set -euo pipefail
cd "$(dirname "$0")/../.."
name=${1:?name of the experiment}
if [[ ! $name =~ ^[a-z0-9][a-z0-9-]{0,60}$ ]]; then
  echo "error: $name: not a name of lower-case letters, digits and hyphens" >&2
  exit 64
fi
arguments=()
for override in "${@:2}"; do arguments+=(--set-param "$override"); done
graft doctor
graft remote
dvc pull --run-cache --allow-missing || echo "nothing was pulled" >&2
dvc exp run --name "$name" "${arguments[@]}"
dvc push --run-cache
dvc exp push origin "$name"
