#!/usr/bin/env bash
# Copy the bill of materials out of an image: copy_sbom.sh IMAGE FILE. Needs buildah.
set -euo pipefail
container=$(buildah from --pull-never "${1:?an image}")
trap 'buildah rm "$container" >/dev/null' EXIT
cp "$(buildah mount "$container")/opt/graft/sbom.cdx.json" "${2:?a file}"
