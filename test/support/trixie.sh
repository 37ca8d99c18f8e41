#!/bin/sh
# Makes a Debian 13 tree with Kamailio 6.0.1 for the live tests, once; later calls find it and end at once.
# Usage: trixie.sh [DIRECTORY]. Ends with 3, and a line that says why, where it cannot be made here.
set -eu

tree=${1:-/var/cache/siptrust/trixie}
packages=kamailio,kamailio-tls-modules,kamailio-extra-modules,kamailio-utils-modules,kamailio-json-modules,kamailio-lua-modules,sip-tester

cannot() {
  echo "no Debian 13 tree for Kamailio 6: $1" >&2
  exit 3
}

# An older tree may lack a package.
ls "$tree"/usr/lib/*/kamailio/modules/app_lua.so >/dev/null 2>&1 && exit 0
[ "$(id -u)" = 0 ] || cannot "needs root (debootstrap and chroot)"
command -v debootstrap >/dev/null || cannot "debootstrap is not installed"

partial=$tree.partial
rm -rf "$partial"
mkdir -p "$partial"
debootstrap --variant=minbase --include="$packages" trixie "$partial" >"$tree.log" 2>&1 ||
  cannot "debootstrap failed: $(tail -n 1 "$tree.log")"
[ -x "$partial/usr/sbin/kamailio" ] || cannot "debootstrap left no kamailio in $partial"
rm -rf "$tree"
mv "$partial" "$tree"
