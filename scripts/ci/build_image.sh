#!/usr/bin/env bash
# Build one image of deploy/docker/Dockerfile with buildah.
#   build_image.sh TARGET [NAME] [OPTION OF buildah …]
# NAME: by default localhost/graft-TARGET.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:?a target: train, serve, serve-cpu or mlflow}
name=${2:-localhost/graft-$target}
revision=$(git rev-parse HEAD)
if [ -n "$(git status --porcelain)" ]; then revision+="-dirty"; fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
# A time that depends on the commit alone: the same commit makes the same labels.
buildah build --file deploy/docker/Dockerfile --target "$target" --tag "$name" \
  --format docker --layers --timestamp "$(git log -1 --format=%ct)" \
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "${@:3}" .
