#!/usr/bin/env bash
# Whether an API is ready within a time, and answers a chat request with a non-empty text.
#   GRAFT_API_KEY=… smoke_test.sh URL [SECONDS]
set -euo pipefail
url=${1:?address of the API} limit=${2:-300}
header=$(mktemp)
trap 'rm -f "$header"' EXIT
# In a file: arguments of programs are seen by every user of a machine.
printf 'Authorization: Bearer %s\n' "${GRAFT_API_KEY:-none}" >"$header"
call() { curl --silent --show-error --fail --max-time 60 --header "@$header" "$@"; }
until call --output /dev/null "$url/health/ready" 2>/dev/null; do
  if [ "$SECONDS" -ge "$limit" ]; then
    echo "error: $url is not ready after $limit s" >&2
    exit 1
  fi
  sleep 1
done
model=$(call "$url/v1/models" | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0]["id"])')
body=$(python3 -c 'import json, sys
print(json.dumps({"model": sys.argv[1], "max_tokens": 16, "messages": [{"role": "user", "content": "Hello."}]}))' "$model")
call --header 'Content-Type: application/json' --data "$body" "$url/v1/chat/completions" \
  | python3 -c 'import json, sys
answer = json.load(sys.stdin)
assert answer["usage"]["completion_tokens"] > 0, answer
print(answer["model"], "answers:", answer["choices"][0]["message"]["content"])'
