#!/usr/bin/env bash
# Bring the workspace to $GRAFT_REVISION. What git ignores stays: data, DVC's cache and
# checkpoints of an earlier pod.
set -euo pipefail
project=$1
if [[ ! -d $project/.git ]]; then
  git init --quiet "$project"
fi
cd "$project"
git fetch --quiet --depth 1 "$GRAFT_REPOSITORY" "$GRAFT_REVISION"
wanted=$(git rev-parse FETCH_HEAD)
if [[ $(git rev-parse --verify --quiet HEAD || true) == "$wanted" ]]; then
  echo "resuming at $wanted" # dvc.lock keeps the stages that an earlier pod finished
else
  git checkout --quiet --force --detach "$wanted"
  echo "checked out $wanted"
fi
