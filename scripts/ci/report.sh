#!/usr/bin/env bash
# What this commit changes against another one, as Markdown in FOLDER/report.md. Both
# predictions come from DVC's cache or remote; without them, the pipeline runs here.
#   report.sh BASE FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
base=${1:?a commit} out=$(realpath -m "${2:?a folder}")
mkdir -p "$out"
dvc params diff --md "$base" >"$out/params.md"
dvc metrics diff --md "$base" >"$out/metrics.md"
dvc pull --allow-missing predictions curves evaluation 2>/dev/null || true
if [ ! -d predictions ]; then dvc repro evaluate >&2; fi
if [ ! -d "$out/before" ]; then
  dvc get --quiet . predictions --rev "$base" --out "$out/before" \
    || echo "the predictions of $base are neither cached nor on the remote" >&2
fi
if [ -d "$out/before" ]; then
  cp -r predictions "$out/after"
  (cd "$out" && graft compare before after --out . \
    --params "$OLDPWD/params.yaml") >&2 \
    || echo "the predictions cannot be compared" >"$out/compare.md"
fi
python3 scripts/ci/pull_request_report.py "$out" . >"$out/report.md"
