#!/usr/bin/env bash
# Run the pipeline with an experiment of configs/experiment. Fails unless the adapter meets
# evaluate.requirements.
#   miniature.sh EXPERIMENT
set -euo pipefail
cd "$(dirname "$0")/../.."
graft params --override "+experiment=${1:?an experiment}"
dvc repro
