#!/usr/bin/env bash
# Serve a registered version with an image: as the image's user, on a read-only root file
# system; then send a chat request. Needs root, and buildah.
#   try_image.sh IMAGE STORE MODELS MODEL
# STORE: folder with mlflow.db and the artifacts that it names; MODELS: folder of base
# models, with the path that the champion's record has; MODEL: name of the model.
set -euo pipefail
image=${1:?an image} store=$(realpath "${2:?a folder}") models=$(realpath "${3:?a folder}")
model=${4:?a name}
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
work=$(mktemp -d)
finish() {
  if [ -n "${pid:-}" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" || true; fi
  rm -rf "$work"
}
trap finish EXIT
install -d -o 10001 -g 10001 "$work/graft" "$work/cache"
chown -R 10001:10001 "$store"
export MLFLOW_TRACKING_URI="sqlite:///$store/mlflow.db" HF_HUB_OFFLINE=1
"$(dirname "$0")/run_image.sh" "$image" -e MLFLOW_TRACKING_URI -e HF_HUB_OFFLINE \
  -v "$store:$store" -v "$models:/app/models" -v "$work/graft:/app/.graft" \
  -v "$work/cache:/cache" -- serve -S "serving.port=$port" \
  -S monitoring.telemetry.port=null >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 600); do
  kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  python3 deploy/docker/probe.py "http://127.0.0.1:$port/health/ready" 2>/dev/null && break
  sleep 0.5
done
echo "ready after $SECONDS s"
python3 - "$port" "$model" <<'PYTHON'
import json
import sys
from urllib.request import Request, urlopen

port, model = sys.argv[1:]
body = {"model": model, "messages": [{"role": "user", "content": "The cat sleeps."}]}
request = Request(
    f"http://127.0.0.1:{port}/v1/chat/completions",
    json.dumps(body).encode(),
    {"Content-Type": "application/json"},
)
with urlopen(request, timeout=60) as answer:
    print(json.load(answer)["choices"][0]["message"]["content"])
PYTHON
