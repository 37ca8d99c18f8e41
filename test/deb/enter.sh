#!/usr/bin/env bash
# enter.sh COMMAND...: runs a command beside a fresh Debian 13 at $SIPTRUST_ROOT, which is gone with the command.
# Network, mounts and processes are its own: only loopback is there, and nothing that is started outlives it.
set -euo pipefail

here=$(dirname "$0")
base=/var/cache/siptrust/trixie-node
[ "$(id -u)" = 0 ] || { echo "the package is tried in a chroot, which needs root" >&2; exit 3; }
"$here/tree.sh" "$base"

export SIPTRUST_ROOT=/mnt/root
PREPARE='ip link set lo up
mount -t tmpfs none /mnt && mkdir /mnt/changed /mnt/work /mnt/root /mnt/tmp
mount -t overlay none -o "lowerdir=$0,upperdir=/mnt/changed,workdir=/mnt/work" /mnt/root
mount -t proc none /mnt/root/proc && mount --rbind /dev /mnt/root/dev && mount -t tmpfs none /mnt/root/run'
RUN='trap "exit 130" INT TERM; export TMPDIR=/mnt/tmp; "$@" & wait $!'
exec unshare --net --mount --pid --fork --kill-child --mount-proc bash -c "set -e; $PREPARE; $RUN" "$base" "$@"
