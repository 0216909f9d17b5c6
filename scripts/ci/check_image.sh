#!/usr/bin/env bash
# Check an image's structure: user, size, no compiler, no secret, bill of materials, labels,
# health check. Every failure is printed; the exit status is their number. Needs buildah.
#   check_image.sh IMAGE MAX_MB [cuda]     cuda: the compiler that Triton calls is allowed
set -uo pipefail
image=${1:?an image} max_mb=${2:?a size in MB}
failed=0
fail() { echo "error: $image: $*" >&2; failed=$((failed + 1)); }

container=$(buildah from --pull-never "$image") || exit 1
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")
config() { buildah inspect --type image --format "{{$1}}" "$image"; }

user=$(config .Docker.Config.User)
if [[ ! $user =~ ^[1-9][0-9]*(:|$) ]]; then fail "runs as '$user', not as a number other than 0"; fi
size=$(du -sm --apparent-size "$root" | cut -f1)
mb=$((size * 1048576 / 1000000))
echo "$image: $mb MB, at most $max_mb"
if [ "$mb" -gt "$max_mb" ]; then fail "$mb MB, more than $max_mb"; fi
forbidden=(g++ c++ clang make rustc cargo go pip pip3 uv)
if [ "${3:-}" != cuda ]; then forbidden+=(gcc cc ld as); fi
for name in "${forbidden[@]}"; do
  if found=$(find "$root"/usr/bin "$root"/usr/local/bin "$root"/opt/graft/bin -name "$name" 2>/dev/null) \
    && [ -n "$found" ]; then fail "has $name: ${found#"$root"}"; fi
done
# No file of credentials, and none of a variable's names in the configuration or its history.
found=$(find "$root"/app "$root"/root "$root"/home "$root"/tmp "$root"/src "$root"/cache \
  \( -name '.env*' -o -name '*.pem' -o -name 'id_*' -o -name credentials -o -name .netrc \
  -o -name 'mlflow.db' -o -name config.local \) 2>/dev/null)
if [ -n "$found" ]; then fail "has files that may be secret: ${found//$root/}"; fi
if grep -rqsE 'AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY|hf_[A-Za-z0-9]{30}' "$root"/app "$root"/etc/*.conf; then
  fail "a file has the form of a secret"
fi
if buildah inspect --type image "$image" \
  | grep -E '(PASSWORD|SECRET|TOKEN|ACCESS_KEY)[A-Z_]*=[^"$ ]'; then
  fail "a secret is in the configuration or the history"
fi
if [ ! -s "$root/opt/graft/sbom.cdx.json" ]; then fail "has no /opt/graft/sbom.cdx.json"; fi
for label in title description licenses version revision; do
  if [ -z "$(config "index .Docker.Config.Labels \"org.opencontainers.image.$label\"")" ]; then
    fail "has no label $label"
  fi
done
if ! config .Docker.Config.Env | grep -q PYTHONDONTWRITEBYTECODE=1; then
  fail "writes Python's bytecode"
fi
if [ "$(config .Docker.Config.Healthcheck)" = "<nil>" ]; then fail "has no health check"; fi
found=$(find "$root"/opt "$root"/app "$root"/usr/local -perm /6000 2>/dev/null)
if [ -n "$found" ]; then fail "has programs that run as another user: ${found//$root/}"; fi
exit "$failed"
