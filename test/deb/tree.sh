#!/bin/sh
# Makes a Debian 13 tree with Kamailio and what the package depends on, once; later calls find it and end at once.
# Usage: tree.sh [DIRECTORY]. Ends with 3, and a line that says why, where it cannot be made here.
set -eu

tree=${1:-/var/cache/siptrust/trixie-node}
base=${SIPTRUST_TRIXIE:-/var/cache/siptrust/trixie}
packages='nodejs systemd-standalone-sysusers systemd-standalone-tmpfiles procps logrotate bash-completion'

[ -x "$tree/usr/bin/node" ] && [ -x "$tree/usr/bin/pkill" ] && exit 0
"$(dirname "$0")/../support/debian-tree.sh" trixie "$base"

cannot() {
  echo "no Debian 13 tree with Node: $1" >&2
  exit 3
}

partial=$tree.partial
rm -rf "$partial"
cp -a "$base" "$partial"
cp /etc/resolv.conf "$partial/etc/resolv.conf"
{
  chroot "$partial" apt-get update -q &&
    DEBIAN_FRONTEND=noninteractive chroot "$partial" apt-get install -q -y --no-install-recommends $packages
} >"$tree.log" 2>&1 || cannot "apt-get failed: $(tail -n 1 "$tree.log")"
rm -rf "$tree"
mv "$partial" "$tree"
