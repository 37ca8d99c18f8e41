/** What to do about a start that the system refuses, by the code of its error (errno(3)). */
const NEXT: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'something listens there already: "ss -lxtnp" says what. End it, or name another address in daemon.listen',
  EADDRNOTAVAIL: 'no interface of this machine has that address ("ip address"): name one that it has in daemon.listen',
  EACCES:
    'this user may not: "namei -l PATH" shows whose it is and who may; mend that, or name another place in daemon:',
  EPERM:
    'this user may not: "namei -l PATH" shows whose it is and who may; mend that, or name another place in daemon:',
  ENOENT: 'a directory on the way is not there: make it, or name another place in daemon:',
  EROFS: 'nothing can be written there: name another place in daemon: (with systemd, one that the unit may write)',
  ENOSPC: 'the disk is full ("df -h PATH"): make room, or name another place in daemon:',
  ENXIO: 'it is a FIFO that nobody reads, or a socket: start the reader first, or name a file',
  EMFILE: 'too many open files: raise LimitNOFILE of the unit (ulimit -n)',
};

/** `; next: ...`, or nothing where the code is not known. */
export function nextStep(code: unknown): string {
  const next = typeof code === 'string' ? NEXT[code] : undefined;
  return next === undefined ? '' : `; next: ${next}`;
}
