#!/bin/sh
# Makes a tree of a Debian release with its Kamailio for the live tests, once; later calls find it and end at once.
# Usage: debian-tree.sh SUITE [DIRECTORY], e.g. trixie (Kamailio 6.0) or sid (6.1). Ends with 3, and a line that says why,
# where it cannot be made here.
set -eu

suite=$1
tree=${2:-/var/cache/siptrust/$suite}
packages=kamailio,kamailio-tls-modules,kamailio-extra-modules,kamailio-utils-modules,kamailio-json-modules,kamailio-lua-modules,kamailio-python3-modules,sip-tester

cannot() {
  echo "no tree of Debian $suite for its Kamailio: $1" >&2
  exit 3
}

# An older tree may lack a package.
ls "$tree"/usr/lib/*/kamailio/modules/app_python3.so >/dev/null 2>&1 && exit 0
[ "$(id -u)" = 0 ] || cannot "needs root (debootstrap and chroot)"
command -v debootstrap >/dev/null || cannot "debootstrap is not installed"

partial=$tree.partial
rm -rf "$partial"
mkdir -p "$partial"
debootstrap --variant=minbase --include="$packages" "$suite" "$partial" >"$tree.log" 2>&1 ||
  cannot "debootstrap failed: $(tail -n 1 "$tree.log")"
[ -x "$partial/usr/sbin/kamailio" ] || cannot "debootstrap left no kamailio in $partial"
rm -rf "$tree"
mv "$partial" "$tree"
