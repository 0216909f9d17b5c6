#!/usr/bin/env bash
# Push an image, and print its digest. Log in before: buildah login REGISTRY.
#   push_image.sh LOCAL_NAME REMOTE_NAME:TAG
set -euo pipefail
digest=$(mktemp)
trap 'rm -f "$digest"' EXIT
buildah push --quiet --digestfile "$digest" "${1:?an image}" "docker://${2:?a name}"
cat "$digest"
