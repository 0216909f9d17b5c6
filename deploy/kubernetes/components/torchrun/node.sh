#!/usr/bin/env bash
# One node of a training on several nodes, in the workspace that all of them share: only
# the first process writes. Arguments: options of torchrun (where to meet, how many).
# torchrun ends with 1 whatever a process ended with.
set -euo pipefail
command=$(python -c '
import yaml
print(yaml.safe_load(open("dvc.yaml"))["stages"]["train"]["cmd"])')
read -ra words <<<"${command#python }"
torchrun "$@" "${words[@]}" &
trap 'kill -TERM $! 2>/dev/null' TERM INT
status=0
wait $! || status=$?
wait $! 2>/dev/null || true # a signal ends the first wait, not torchrun
[[ $status == 0 ]] || exit "$status"
if [[ ${JOB_COMPLETION_INDEX:-0} == 0 ]]; then
  dvc commit --force train # so that dvc repro does not train again
fi
