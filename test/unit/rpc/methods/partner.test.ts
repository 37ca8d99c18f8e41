/** What operators see of partners, with users masked. */

import { expect, test } from 'vitest';
import { partnerMethods } from '../../../../src/rpc/methods/partner.js';
import { trustMethods } from '../../../../src/rpc/methods/trust.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
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
