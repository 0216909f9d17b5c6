#!/usr/bin/env bash
# Run an image without a container engine, as a hardened one would: the image's user,
# environment, folder and entrypoint; a read-only root with a tmpfs in /tmp; the network of
# this machine. SIGTERM is passed on. Needs root, and buildah.
#   run_image.sh IMAGE [-v SOURCE:TARGET | -e NAME]… [-- ARGUMENT …]
# -v: a folder that is mounted; -e: a variable of this shell, so that no secret is in the
# list of processes. Arguments replace the image's CMD.
set -euo pipefail
# In a mount namespace of its own, nothing stays mounted after the end.
if [ "${1:-}" != --inside ]; then exec unshare --mount --propagation private "$0" --inside "$@"; fi
image=${2:?an image}
shift 2
mounts=()
config() { buildah inspect --type image --format "{{range .Docker.Config.$1}}{{println .}}{{end}}" "$image" | sed '/^$/d'; }
one() { buildah inspect --type image --format "{{.Docker.Config.$1}}" "$image"; }
mapfile -t variables < <(config Env)
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in
    -v) mounts+=("$2") ;;
    -e) variables+=("$2=${!2}") ;;
    *) echo "error: $1: expected -v, -e or --" >&2; exit 64 ;;
  esac
  shift 2
done
mapfile -t words < <(config Entrypoint)
if [ $# -gt 1 ]; then words+=("${@:2}"); else mapfile -t -O "${#words[@]}" words < <(config Cmd); fi

container=$(buildah from --pull-never "$image")
trap 'buildah rm "$container" >/dev/null' EXIT
root=$(buildah mount "$container")
mount --bind "$root" "$root"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mkdir -p "$root/dev/shm"
mount -t tmpfs tmpfs "$root/dev/shm"
for device in null zero urandom random; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
cp /etc/resolv.conf /etc/hosts "$root/etc/"
for pair in "${mounts[@]}"; do
  mkdir -p "$root${pair#*:}"
  mount --bind "${pair%%:*}" "$root${pair#*:}"
done
mount -o remount,bind,ro "$root"
chroot --userspec="$(one User)" "$root" /usr/bin/env -i "${variables[@]}" \
  /bin/sh -c 'cd "$0" && exec "$@"' "$(one WorkingDir)" "${words[@]}" &
pid=$!
trap 'kill "$pid" 2>/dev/null' TERM INT
status=0
wait "$pid" || status=$?
# A signal ends the first wait.
while kill -0 "$pid" 2>/dev/null; do wait "$pid" || status=$?; done
exit "$status"
