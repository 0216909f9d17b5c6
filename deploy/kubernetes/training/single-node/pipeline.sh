#!/usr/bin/env bash
# Run stages of the pipeline (all without arguments), and push their outputs. Ends with the
# status of the stage that failed, where DVC has 255 for all: the Job tells by it whether
# to try again. SIGTERM goes to the stage too, and the script waits for its end.
set -uo pipefail
set -m # DVC and its stages get a process group of their own
log=$(mktemp)
group=0
stop() { [[ $group != 0 ]] && kill -TERM -- "-$group" 2>/dev/null; }
trap stop TERM INT

run() { # COMMAND …; its status, or 143 if it was told to end
  # tee outlives the signal; a stage that writes to a closed pipe would die at once.
  "$@" 2> >(trap '' TERM INT && exec tee "$log" >&2) &
  group=$!
  local status=0
  wait "$group" || status=$?
  while kill -0 -- "-$group" 2>/dev/null; do sleep 0.2; done
  group=0
  return "$status"
}

if [[ -n ${GRAFT_S3_URL:-} ]]; then
  graft remote || exit
  run dvc pull --allow-missing || exit # what others have computed
fi
run dvc repro "$@"
status=$?
if [[ $status == 255 ]]; then
  stage=$(sed -n 's/.*exited with \([0-9]\+\)$/\1/p' "$log" | tail -n 1)
  exit "${stage:-255}"
fi
[[ $status == 0 ]] || exit "$status"
[[ -z ${GRAFT_S3_URL:-} ]] || run dvc push
