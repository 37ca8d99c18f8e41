/** JSON-RPC over netstrings on a unix socket: what siptrustctl speaks. */

import { execFile } from 'node:child_process';
import { chmodSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import type { Role } from '../../policy/settings/index.js';
import type { Listener } from './listener.js';
import { createStreamServer, listening, type StreamOptions } from './stream-server.js';

/** Longest path of a socket: sun_path of Linux less its final NUL. */
const MAX_PATH_BYTES = 107;

/** Only the user of the daemon; 0o660 lets its group in too. */
export const DEFAULT_SOCKET_MODE = 0o600;

export interface UnixOptions extends StreamOptions {
  readonly path: string;
  readonly mode?: number;
  /** Group of the socket; the daemon must be a member. Absent: that of the daemon. */
  readonly group?: string | undefined;
  /** What whoever may open the socket may ask. */
  readonly role: Role;
}

/**
 * Listens on a unix socket; one that a dead process left behind is replaced.
 * @throws {Error} a live process answers on the path, or something else than a socket lies there
 */
export async function listenUnix(options: UnixOptions): Promise<Listener> {
  const { path, mode = DEFAULT_SOCKET_MODE, group, role } = options;
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw new Error(`unix socket ${path}: expected a path of at most ${MAX_PATH_BYTES} bytes, found ${bytes}`);
  }
  await removeStale(path);
  const { server, close } = createStreamServer(options, () => ({ wire: 'unix', peer: path, role }));
  await listening(server, () => {
    // The socket must not be open to others for the moment between bind and chmod.
    const previous = process.umask(0o177);
    try {
      server.listen({ path });
    } finally {
      process.umask(previous);
    }
  });
  try {
    if (group !== undefined) await changeGroup(path, group);
    chmodSync(path, mode);
  } catch (error) {
    await close(0);
    throw error;
  }
  return { address: path, close };
}

/** By a program: Node has no way from the name of a group to its number. */
async function changeGroup(path: string, group: string): Promise<void> {
  try {
    await promisify(execFile)('chgrp', ['--', group, path]);
  } catch (cause) {
    const expected = 'expected a group that exists and that the daemon is a member of (with systemd: PrivateUsers=no)';
    throw new Error(`unix socket ${path}: ${expected}, found ${JSON.stringify(group)}`, { cause });
  }
}

async function removeStale(path: string): Promise<void> {
  const stats = statOf(path);
  if (stats === undefined) return;
  if (!stats.isSocket()) throw new Error(`unix socket ${path}: expected a socket or nothing, found another file`);
  if (await answers(path)) throw new Error(`unix socket ${path}: expected nobody there, found a process that listens`);
  unlinkSync(path);
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Whether somebody listens on the socket. Refused is the one sure sign that nobody does. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
