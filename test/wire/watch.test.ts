import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callUnix } from '../../src/rpc/wire/client.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const CALL_MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'siptrust-watch-'));
const socket = join(directory, 'sock');
let daemon: Child;

/** Another version of what Kubernetes mounts: a directory with the files, and a link to it that is swapped. */
function mount(version: string, domain: string): void {
  mkdirSync(join(directory, version));
  const listen = `{netstring: off, http: off, unix: ${socket}}`;
  const text = `own_domains: [${domain}]\nagreements: []\ndaemon: {watch: on, listen: ${listen}}\n`;
  writeFileSync(join(directory, version, 'siptrust.yaml'), text, { mode: 0o640 });
  symlinkSync(version, join(directory, '..new'));
  renameSync(join(directory, '..new'), join(directory, '..data'));
}

async function status(): Promise<{ readonly revision: number; readonly status: string; readonly problems: string[] }> {
  return (await callUnix(socket, 'core.status', {}, CALL_MS)) as Awaited<ReturnType<typeof status>>;
}

beforeAll(async () => {
  mount('v1', 'a.example');
  symlinkSync('..data/siptrust.yaml', join(directory, 'siptrust.yaml'));
  daemon = new Child('node', [SIPTRUSTD, '--config', join(directory, 'siptrust.yaml')]);
  await eventually(
    'siptrustd is ready',
    () => {
      if (daemon.ended) throw new Error(daemon.output);
      return daemon.output.includes('is ready');
    },
    CALL_MS,
  );
}, 3 * CALL_MS);
afterAll(async () => {
  await daemon.stop();
  rmSync(directory, { recursive: true });
});

describe('daemon.watch: on', () => {
  test('ok/a ConfigMap that is swapped is in force; a bad one is told once and leaves the last good one', {
    timeout: 180_000,
  }, async () => {
    const before = await status();
    mount('v2', 'b.example');
    await eventually('another revision', async () => (await status()).revision > before.revision, CALL_MS);
    const good = await status();
    mount('v3', 'not a domain');
    await eventually('a problem', async () => (await status()).problems.length > 0, CALL_MS);
    expect(await status()).toMatchObject({ status: 'stale-policy', revision: good.revision });
    mount('v4', 'd.example');
    await eventually('a good policy again', async () => (await status()).status === 'ok', CALL_MS);
    const last = await status();
    // Nothing changes any more: nothing is read again.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect((await status()).revision).toBe(last.revision);
    expect(daemon.output.split('the files of the policy have changed')).toHaveLength(4);
  });
});
