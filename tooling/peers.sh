#!/usr/bin/env bash
# Puts real peers for tests into one folder, from Debian's own packages, without installing them on the system:
#   DIR/bin/kubectl-1.20  kubectl-1.32  kubectl-1.36  etcd  etcdctl  docker-registry  busybox  haproxy  promtool
#   DIR/share/gocode/...  the Go sources of k8s.io/api, apimachinery and client-go (*.proto, patch and list markers)
# usage: tooling/peers.sh DIR            (idempotent; a few minutes the first time, then instant; about 500 MB)
# Uses the package mirror that this machine's apt is set up with, in newer suites. Needs apt-get, dpkg-deb, no root.
set -euo pipefail
dir=$(mkdir -p "${1:?usage: peers.sh DIR}" && cd "$1" && pwd)
mirror=$(awk '/^URIs:/{print $2; exit} /^deb /{for(i=2;i<=NF;i++) if($i ~ /^http/){print $i; exit}}' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
[ -n "$mirror" ] || { echo "peers: no Debian mirror in apt's configuration" >&2; exit 1; }
apt=$dir/.apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$dir/bin" "$dir/share"
for suite in bookworm trixie sid; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
done >"$apt/sources.list"
options=(-q -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
[ -e "$apt/complete" ] || apt-get "${options[@]}" update >&2
package() { # NAME SUITE: unpack the newest NAME of SUITE, print where
  local name=$1 suite=$2 out=$apt/debs/$1-$2
  if [ ! -e "$out/.done" ]; then
    rm -rf "$out"; mkdir -p "$out"
    (cd "$out" && apt-get "${options[@]}" download "$name/$suite" >&2 && dpkg-deb -x ./*.deb . && rm -f ./*.deb)
    touch "$out/.done"
  fi
  echo "$out"
}
kubectl() { # SUITE VERSION PACKAGE
  [ -x "$dir/bin/kubectl-$2" ] || { local from; from=$(package "$3" "$1"); cp "$from/usr/bin/kubectl" "$dir/bin/kubectl-$2"; }
}
kubectl bookworm 1.20 kubernetes-client
kubectl trixie 1.32 kubectl
kubectl sid 1.36 kubectl
if [ ! -x "$dir/bin/etcd" ]; then
  cp "$(package etcd-server sid)/usr/bin/etcd" "$dir/bin/etcd"
  cp "$(package etcd-client sid)/usr/bin/etcdctl" "$dir/bin/etcdctl"
fi
[ -x "$dir/bin/docker-registry" ] || cp "$(package docker-registry bookworm)/usr/bin/docker-registry" "$dir/bin/docker-registry"
[ -x "$dir/bin/busybox" ] || cp "$(package busybox-static bookworm)/bin/busybox" "$dir/bin/busybox"
[ -x "$dir/bin/promtool" ] || cp "$(package prometheus bookworm)/usr/bin/promtool" "$dir/bin/promtool"
# Linked against libraries that a machine need not have: they come along, and a small script points to them.
if [ ! -x "$dir/bin/haproxy" ]; then
  mkdir -p "$dir/lib/haproxy"
  cp "$(package haproxy bookworm)/usr/sbin/haproxy" "$dir/lib/haproxy/haproxy"
  for name in liblua5.3-0 libopentracing-c-wrapper0 libopentracing1 libpcre2-8-0; do
    find "$(package "$name" bookworm)" -name '*.so.*' -exec cp -P {} "$dir/lib/haproxy/" \;
  done
  printf '#!/bin/sh\nhere=$(cd "$(dirname "$0")/../lib/haproxy" && pwd)\nLD_LIBRARY_PATH=$here exec "$here/haproxy" "$@"\n' >"$dir/bin/haproxy.new"
  chmod +x "$dir/bin/haproxy.new"
  mv "$dir/bin/haproxy.new" "$dir/bin/haproxy"
fi
for name in golang-k8s-api-dev golang-k8s-apimachinery-dev golang-k8s-client-go-dev golang-k8s-apiextensions-apiserver-dev golang-k8s-kube-aggregator-dev; do
  from=$(package "$name" sid 2>/dev/null) || { echo "peers: no package $name, left out" >&2; continue; }
  cp -rn "$from/usr/share/gocode" "$dir/share/" 2>/dev/null || true
done
touch "$apt/complete"
for tool in kubectl-1.20 kubectl-1.32 kubectl-1.36; do
  printf '%s: ' "$tool"; "$dir/bin/$tool" version --client 2>/dev/null | sed -n 1p
done
printf 'haproxy: '; "$dir/bin/haproxy" -v | sed -n 1p
printf 'etcd: '; "$dir/bin/etcd" --version | sed -n 1p
