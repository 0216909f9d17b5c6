#!/bin/bash
# Install the packages that a file names, at the versions of requirements.txt.
set -euo pipefail
# An empty variable is a backend or folder without a name to uv.
for name in UV_TORCH_BACKEND UV_FIND_LINKS; do
  if [ -z "${!name:-}" ]; then unset "$name"; fi
done
uv pip install --quiet --constraint requirements.txt --requirement "$1"
