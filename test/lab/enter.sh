#!/usr/bin/env bash
# enter.sh COMMAND...: runs a command where the lab may build its networks, in a network namespace of its own.
# enter.sh --check:    says what is missing on this machine (exit code 3), or nothing.
#
# The command runs in PID, mount and network namespaces of its own. So everything that it starts ends with it, however it
# ends (Ctrl-C and SIGKILL too), nothing is left for a next run, and several can run at a time.
set -euo pipefail

missing() {
  echo "the lab cannot run here: $1" >&2
  exit 3
}

[ "$(id -u)" = 0 ] || missing "it makes network namespaces and tunnels, which needs root"
[ -c /dev/net/tun ] || missing "/dev/net/tun is not there (the IPsec gateways work in user space, over TUN devices)"
for command in unshare ip nft tshark swanctl tayga kamailio sipp openssl; do
  command -v "$command" >/dev/null || missing "the command $command is not installed (make lab-packages installs it)"
done
[ -x /usr/lib/ipsec/charon ] || missing "strongSwan's charon is not installed (make lab-packages installs it)"
[ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ] ||
  missing "strongSwan has no plugin kernel-libipsec (package libcharon-extra-plugins)"

# /run (names of network namespaces) and /mnt (run directories of what is started) are ours alone, in memory.
OWN=(unshare --net --mount --pid --fork --kill-child --mount-proc bash -c)
PREPARE='mount -t tmpfs none /run && mount -t tmpfs none /mnt && mkdir /run/netns && ip link set lo up'
TRIAL='ip netns add trial && ip -n trial tuntap add tun0 mode tun && ip netns exec trial nft list ruleset'
reason=$("${OWN[@]}" "$PREPARE && $TRIAL" 2>&1) || missing "network namespaces, TUN or nftables: $reason"

[ "${1:-}" != --check ] || exit 0
[ $# -gt 0 ] || { echo "usage: enter.sh --check | COMMAND..." >&2; exit 2; }
# Signals are handed on: unshare takes neither, and a process 1 only those that it has a trap for. What runs says where it was,
# and has 20 seconds to end what it started; with process 1 all others end.
RUN='set -m; "$@" & child=$!; set +m
  pass() { kill -"$1" "$child" 2>/dev/null; { sleep 20; kill -KILL "$child"; } 2>/dev/null & }
  trap "pass INT" INT; trap "pass TERM" TERM
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  exit "$code"'
TEMPORARY='export TMPDIR=${SIPTRUST_KEEP:+/tmp}; TMPDIR=${TMPDIR:-/mnt}'
# In process groups of their own (set -m), for what a shell starts beside itself in its own would not get SIGINT.
set -m
setpriv --pdeathsig KILL "${OWN[@]}" "$PREPARE && { $TEMPORARY; $RUN; }" lab "$@" &
own=$!
set +m
pass() { kill -s "$1" $(cat "/proc/$own/task/$own/children") 2>/dev/null || true; }
trap 'pass INT' INT
trap 'pass TERM' TERM
code=0
while kill -0 "$own" 2>/dev/null; do code=0; wait "$own" || code=$?; done
exit "$code"
