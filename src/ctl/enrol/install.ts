/** A certificate and its key take the place of those in use: each file whole or not at all, the old one kept. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type Address, shakeHands } from '../probe/index.js';
import { Refusal } from '../terminal/index.js';

export interface Part {
  readonly path: string;
  readonly text: string;
  /** Permissions where there is no such file yet; else those of the file stay, and its owner. */
  readonly mode: number;
}

export interface Replaced {
  readonly path: string;
  /** Where the old one is kept; empty: there was none. */
  readonly kept: string;
}

/**
 * Puts all parts in place, or none.
 * @throws {Refusal} nothing has changed
 */
export function installParts(parts: readonly Part[]): readonly Replaced[] {
  const drafts: { readonly part: Part; readonly draft: string; readonly old: Stats | undefined }[] = [];
  const done: Replaced[] = [];
  let path = '';
  try {
    for (const part of parts) {
      path = part.path;
      drafts.push(draftOf(part));
    }
    for (const { part, draft, old } of drafts) {
      path = part.path;
      const kept = old === undefined ? '' : `${path}.old`;
      if (old !== undefined) {
        copyFileSync(path, `${draft}.old`);
        sameOwner(`${draft}.old`, old);
        renameSync(`${draft}.old`, kept);
      }
      renameSync(draft, path);
      done.push({ path, kept });
    }
    return done;
  } catch (cause) {
    // Back in the order in which they came: what is in use has to fit together. A copy would take room, which may be what lacks.
    for (const { path: each, kept } of done.reverse()) {
      if (kept === '') rmSync(each, { force: true });
      else renameSync(kept, each);
    }
    throw new Refusal(`${path}: ${cause instanceof Error ? cause.message : String(cause)}; nothing has changed`, 2, {
      cause,
    });
  } finally {
    for (const { draft } of drafts) {
      rmSync(draft, { force: true });
      rmSync(`${draft}.old`, { force: true });
    }
  }
}

function draftOf(part: Part) {
  const old = statSync(part.path, { throwIfNoEntry: false });
  const draft = `${part.path}.${randomBytes(6).toString('hex')}.tmp`;
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    try {
      // Until all of it is written: a disk that fills up takes a part of it first (write(2)).
      writeFileSync(descriptor, part.text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (old === undefined) chmodSync(draft, part.mode);
    else sameOwner(draft, old);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw cause;
  }
  return { part, draft, old };
}

/** The proxy that could read the old file has to read the new one. */
function sameOwner(path: string, { uid, gid, mode }: Stats): void {
  const own = statSync(path);
  if (own.uid !== uid || own.gid !== gid) chownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
}

const THEN_MS = 30_000;
/** What a command has said when it ends is read for so long; a server that it started may hold its output for ever. */
const LAST_WORDS_MS = 500;

/**
 * Runs the operator's command, as in `kamcmd tls.reload`; gives what it said, or why it failed.
 * @param signal ends it
 */
export function runThen(
  command: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly ok: boolean; readonly said: string }> {
  return new Promise((resolve) => {
    // A group of its own: what it has started and waits for ends with it.
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL');
    };
    signal?.addEventListener('abort', kill);
    if (signal?.aborted) kill();
    let said = '';
    const listen = (chunk: Buffer): void => {
      said = `${said}${chunk.toString('utf8')}`.slice(-2048);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    const timer = setTimeout(kill, THEN_MS);
    const end = (ok: boolean, why: string): void => {
      clearTimeout(timer);
      clearTimeout(lastWords);
      signal?.removeEventListener('abort', kill);
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
      resolve({ ok, said: [why, said.trim()].filter((text) => text !== '').join(': ') });
    };
    child.on('error', (error) => end(false, error.message));
    const ended = (code: number | null, by: string | null): void =>
      end(code === 0, code === 0 ? '' : `ended with ${by ?? `code ${code}`}`);
    let lastWords: NodeJS.Timeout | undefined;
    child.on('close', ended);
    child.on('exit', (code, by) => {
      lastWords = setTimeout(() => ended(code, by), LAST_WORDS_MS);
    });
  });
}

/** A server may take a moment until it shows what was reloaded. */
const TRIES = 8;
const PAUSE_MS = 700;

/** Whether the server shows this certificate (SHA-256 in hex) to who asks for the domain. */
export async function isServed(
  address: Address,
  sni: string,
  certificate: { readonly sha256: string; readonly digest: (der: Uint8Array) => string },
  signal: AbortSignal | undefined,
): Promise<{ readonly ok: boolean; readonly said: string }> {
  let said = '';
  for (let tried = 0; tried < TRIES && !signal?.aborted; tried++) {
    if (tried > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const outcome = await shakeHands(address, { sni });
    const leaf = 'shown' in outcome ? outcome.shown.chain[0] : undefined;
    if (leaf !== undefined && certificate.digest(leaf) === certificate.sha256)
      return { ok: true, said: 'the new certificate is served' };
    said =
      'failed' in outcome
        ? `expected a handshake, found ${outcome.failed}`
        : `expected the new certificate, found ${leaf === undefined ? 'none' : `the one with SHA-256 ${certificate.digest(leaf).slice(0, 16)}`}`;
  }
  return { ok: false, said: said || 'a signal came first' };
}
