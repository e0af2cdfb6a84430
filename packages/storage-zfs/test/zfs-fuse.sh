#!/bin/bash
# zfs-fuse.sh WORK: a ZFS daemon with a pool `tpool` of its own, in a private mount namespace, until standard input ends.
# Prints the process id of the namespace and the folder for mountpoints when ready.
set -eu
if [ "${2:-}" != --inside ]; then exec unshare --mount --propagation private "$0" "$1" --inside; fi
W=$1
cleanup() {
  timeout 10 zpool destroy -f tpool >/dev/null 2>&1 || true
  if [ -f "$W/pid" ]; then kill -9 "$(cat "$W/pid")" 2>/dev/null || true; fi
}
trap cleanup EXIT
mkdir -p /run/zfs /var/lock/zfs /var/lib/zfs
for d in /run/zfs /var/lock/zfs /var/lib/zfs; do mount -t tmpfs -o size=4m,mode=700 tmpfs "$d"; done
ulimit -c 0
ulimit -s 8192
zfs-fuse --pidfile "$W/pid" --no-kstat-mount </dev/null >"$W/daemon.log" 2>&1
i=0
until timeout 2 zpool list -H >/dev/null 2>&1; do
  i=$((i + 1))
  [ "$i" -le 100 ] || { cat "$W/daemon.log" >&2; exit 1; }
  sleep 0.05
done
mkdir -p "$W/root"
truncate -s 512M "$W/pool.img"
zpool create -o cachefile=none -o ashift=12 -m none tpool "$W/pool.img"
echo "$$ $W/root"
cat >/dev/null
