#!/usr/bin/env bash
# One node of a training on several nodes, in the workspace that all of them share: only
# the first process writes. The stage finds the other nodes by torchrun's variables
# (PET_NNODES, PET_NODE_RANK, PET_MASTER_ADDR, …). The script ends with its status, by
# which the Job decides whether to try again.
set -euo pipefail
command=$(python -c '
import yaml
print(yaml.safe_load(open("dvc.yaml"))["stages"]["train"]["cmd"])')
read -ra words <<<"$command"
"${words[@]}" &
trap 'kill -TERM $! 2>/dev/null' TERM INT
status=0
wait $! || status=$?
if [[ $status == 143 ]]; then # a signal ends the first wait, not the stage
  status=0
  wait $! || status=$?
fi
[[ $status == 0 ]] || exit "$status"
if [[ ${PET_NODE_RANK:-0} == 0 ]]; then
  dvc commit --force train # so that dvc repro does not train again
fi
