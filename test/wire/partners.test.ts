/** A daemon with default logs and partners as they come: their chains over the wire, and alarms in the operator log. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { callUnix } from '../../src/rpc/wire/client.js';
import { ca, ext, type Issued, leaf, root } from '../support/certificates.js';
import { SIPTRUSTD } from '../support/compiled.js';
import { question } from '../support/evidence.js';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-partners-'));
const file = (name: string) => join(directory, name);

const now = Date.now();
const times = { notBefore: now - 86_400_000, notAfter: now + 86_400_000 };
const top = root({ subject: 'CN=Public Root', ...times });
const middle = ca(top, { subject: 'CN=R11', ...times });
const evil = root({ subject: 'CN=Evil Root', ...times });
const named = (issuer: Issued) =>
  leaf(issuer, { subject: 'CN=b.example', extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) }, ...times });

const POLICY = {
  own_domains: ['a.example'],
  agreements: [{ name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['root.pem'], revocation: 'off' }],
  daemon: { listen: { netstring: 'off', http: 'off', unix: 'ctl.sock' } },
};

let daemon: Child;
beforeAll(async () => {
  writeFileSync(file('root.pem'), top.pem);
  writeFileSync(file('siptrust.yaml'), stringify(POLICY));
  daemon = new Child('node', [SIPTRUSTD, '--config', file('siptrust.yaml')]);
  await eventually('siptrustd is ready', () => daemon.output.includes('siptrustd is ready'), 60_000);
}, 90_000);
afterAll(async () => {
  await daemon.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

const ask = (certificate: Issued | string, chain: unknown, conid = '1') =>
  callUnix(
    file('ctl.sock'),
    'trust.peer',
    question(typeof certificate === 'string' ? certificate : certificate.pem, { conid }, { chain }),
  ) as Promise<Readonly<Record<string, unknown>>>;

describe('partners as they come', () => {
  test('ok/the chain, as Kamailio writes it', async () => {
    const chain = [encodeURIComponent(middle.pem), encodeURIComponent(top.pem), '<null>'];
    expect(await ask(named(middle), chain)).toMatchObject({ trusted: 1, agreement: 'op-b', assert_hosts: [] });
    expect(await ask(named(middle), '<null>')).toMatchObject({ trusted: 0, reason: 'missing-intermediate' });
    expect(daemon.output).not.toContain('alarm');
  });
  test('ok/the chain in one text with the certificate, as some proxies write it', async () => {
    const text = named(middle).pem + middle.pem + top.pem;
    expect(await ask(text, undefined)).toMatchObject({ trusted: 1, agreement: 'op-b' });
    expect(await ask(encodeURIComponent(text), '<null>')).toMatchObject({ trusted: 1, agreement: 'op-b' });
  });
  test('fail/a chain that cannot be read is not one that was not sent', async () => {
    const unread = middle.pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE');
    const answer = await ask(named(middle), unread);
    expect(answer).toMatchObject({ trusted: 0, reason: 'missing-intermediate' });
    expect(answer.detail).toContain(
      'the proxy handed over a chain, and of it what cannot be read: certificate 1: line 1: expected a block labelled CERTIFICATE',
    );
  });
  test('fail/what is neither PEM nor base64 is named', async () => {
    const text = Buffer.from(named(middle).der).toString('base64');
    const found = async (pem: string) => (await ask(pem, undefined)).detail;
    expect(await found(`${text},${text}`)).toContain(
      `expected PEM or base64 DER, found "," at position ${text.length + 1}: further certificates go into tls.chain`,
    );
    expect(await found(`-${text}`)).toContain('found "-" at position 1');
  });
  test('ok/an impostor: one line in the operator log, with the id of the first answer', async () => {
    const impostor = named(evil);
    const { id, reason } = await ask(impostor, evil.pem);
    expect(reason).toBe('anchor-mismatch');
    for (let at = 0; at < 20; at += 1) await ask(impostor, evil.pem, `${at + 2}`);
    await eventually('the alarm is in the log', () => daemon.output.includes('alarm anchor-mismatch'));
    const lines = daemon.output.split('\n').filter((line) => line.includes('alarm anchor-mismatch'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(String(id));
    expect(lines[0]).toContain('"peer":"192.0.2.1"');
  });
  test('ok/what was held back is told at the end', async () => {
    daemon.signal('SIGTERM');
    await daemon.exit();
    expect(daemon.output).toMatch(/alarm anchor-mismatch: .*"more":20/);
  });
});
