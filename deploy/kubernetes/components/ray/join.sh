#!/usr/bin/env bash
# Join the Ray cluster at $RAY_ADDRESS as a node without cores, and run the pipeline.
# Arguments: names of stages; all without. A head that does not answer has the status 75,
# after which the Job tries again: 1 would be graft's own error.
set -uo pipefail
ray start --address="$RAY_ADDRESS" --num-cpus=0 --object-store-memory=1000000000 \
  --disable-usage-stats || exit 75
exec bash "$(dirname "$0")/pipeline.sh" "$@"
