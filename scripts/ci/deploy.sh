#!/usr/bin/env bash
# Apply an overlay with an image of this digest; undo it if it does not become ready or
# does not answer.
#   GRAFT_API_KEY=… deploy.sh OVERLAY IMAGE@sha256:DIGEST [NAMESPACE] [DEPLOYMENT] [SERVICE_PORT]
set -euo pipefail
cd "$(dirname "$0")/../.."
overlay=${1:?a folder} image=${2:?an image} namespace=${3:-graft} deployment=${4:-serving} port=${5:-8000}
if [[ ! $image =~ @sha256:[0-9a-f]{64}$ ]]; then
  echo "error: $image: not pinned by a digest" >&2
  exit 64
fi
work=$(mktemp -d)
cleanup() {
  if [ -n "${forward:-}" ]; then kill "$forward" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
kubectl kustomize "$overlay" >"$work/manifests.yaml"
python3 scripts/ci/set_image.py "$work/manifests.yaml" "${image%@*}" "$image"
# Whether there was a version before decides what undoing means.
before=$(kubectl --namespace "$namespace" get deployment "$deployment" --ignore-not-found --output name)
undo() {
  echo "error: $1" >&2
  kubectl --namespace "$namespace" logs "deployment/$deployment" --tail 50 >&2 || true
  if [ -n "$before" ]; then
    kubectl --namespace "$namespace" rollout undo "deployment/$deployment"
    kubectl --namespace "$namespace" rollout status "deployment/$deployment" --timeout 10m
    echo "rolled back" >&2
  fi
  exit 1
}
kubectl apply --filename "$work/manifests.yaml"
kubectl --namespace "$namespace" rollout status "deployment/$deployment" --timeout 15m \
  || undo "the new version does not become ready"
local_port=${SMOKE_PORT:-18000}
kubectl --namespace "$namespace" port-forward "deployment/$deployment" "$local_port:$port" >"$work/log" 2>&1 &
forward=$!
scripts/ci/smoke_test.sh "http://127.0.0.1:$local_port" "${SMOKE_SECONDS:-120}" \
  || undo "the new version does not answer"
echo "deployed $image"
