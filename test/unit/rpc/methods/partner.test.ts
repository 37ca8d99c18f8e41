/** What operators see of partners, with users masked. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { operatorLog } from '../../../../src/log/logger.js';
import { certificateMethods } from '../../../../src/rpc/methods/certificate.js';
import { partnerMethods } from '../../../../src/rpc/methods/partner.js';
import { trustMethods } from '../../../../src/rpc/methods/trust.js';
import { Pins } from '../../../../src/state/pins/pins.js';
import { openSqliteStore } from '../../../../src/state/store/sqlite-store.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { DAY, ext, leaf, NOW, root } from '../../../support/certificates.js';
import { question } from '../../../support/evidence.js';
import { agreementWith } from '../../../support/snapshot.js';
import { asking, policyOf } from '../../../support/state.js';

const top = root();
const anchors = { client: [top.facts], server: [top.facts] };
const asserts = { domains: ['n.example'], numbers: ['+4930'], transit: false };
const terms = agreementWith({ name: 'op-n', domains: ['n.example'], anchors, asserts });
const peer = leaf(top, { subject: 'CN=n.example', extensions: { altNames: ext.altNames([{ dns: 'n.example' }]) } });

test('ok/partner.show: a number that a finding quotes is masked', async () => {
  const state = trustState({ policy: policyOf([terms]), clock: () => NOW });
  const ask = asking([...trustMethods(state), ...partnerMethods(state)]);
  const invite = { direction: 'in', message: 'request', method: 'INVITE', ruri: 'sip:bob@a.example' };
  const headers = 'From: <sip:x@n.example>;tag=1\r\nP-Asserted-Identity: <sip:089123456@n.example;user=phone>\r\n';
  ask('trust.message', { ...question(peer.pem), ...invite, headers });
  const { history } = (await ask('partner.show', { name: 'op-n' })) as { history: readonly { detail: string }[] };
  expect(history.map(({ detail }) => detail)).toEqual([
    'P-Asserted-Identity: expected a number of +4930, found "08***"',
  ]);
});

test('ok/partner.list: nothing ends for a partner that shows its next certificate', async () => {
  let now = NOW;
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-partner-'));
  const store = openSqliteStore(join(directory, 'state.db'));
  try {
    const pins = await Pins.open(store, { most: 9, clock: () => now, log: operatorLog(undefined, 'error') });
    const state = trustState({ policy: policyOf([terms]), clock: () => now, pins });
    const ask = asking([...trustMethods(state), ...partnerMethods(state), ...certificateMethods(state)]);
    const calls = async (pem: string) => {
      now += 2 * 3_600_000;
      ask('trust.peer', question(pem));
      const { rows: partners } = (await ask('partner.list', {})) as { rows: readonly { ends: string }[] };
      const rows = (await ask('cert.expiry', {})) as unknown as readonly { what: string }[];
      return [partners[0]?.ends, ...rows.map(({ what }) => what)];
    };
    const names = { altNames: ext.altNames([{ dns: 'n.example' }]) };
    const old = leaf(top, { extensions: names, notBefore: NOW - 70 * DAY, notAfter: NOW + 20 * DAY });
    expect(await calls(old.pem)).toEqual(['peer-certificate', 'peer-certificate', 'pin-observed']);
    expect(await calls(peer.pem)).toEqual(['', 'pin-observed']);
    await pins.close();
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
});
