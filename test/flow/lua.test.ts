/** The sample proxy with its routes in Lua (KEMI). SIPTRUST_SCRIPT=lua runs the other live tests on it, too. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from '../support/live/caller.js';
import type { Policy, StandardPolicy } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network, type NetworkOptions } from '../support/live/network.js';
import { expectNothingPrivate, expectRelayed } from '../support/live/relayed.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';

const ALICE = 'P-Asserted-Identity: <sip:alice@a.example>';
const CAROL = 'P-Asserted-Identity: <sip:carol@own.example>';

describe.each(builds('smoke'))('a script in Lua, Kamailio $version', (build) => {
  let network: Network;
  let partner: TlsUas;
  let impostor: TlsUas;
  let user: Caller;

  async function start(options: Partial<NetworkOptions> = {}): Promise<void> {
    const policy = (standard: StandardPolicy, host: (host: number) => string): Policy => {
      const [a, b] = standard.agreements;
      const liar = { ...b, name: 'op-liar', domains: ['liar.example'], targets: [`${host(11)}:5061`] };
      return { ...standard, agreements: [a, { ...b, targets: [`${host(10)}:5061`] }, liar] };
    };
    const before = async ({ host, pki, cast }: Network): Promise<void> => {
      const identity = (name: string) => pki.certificate({ issuer: cast.operatorB, names: [`DNS:${name}`] });
      partner = await TlsUas.start(host(10), identity('b.example'));
      impostor = await TlsUas.start(host(11), identity('somebody.example'));
    };
    network = await Network.start({ build, policy, before, lua: true, ...options });
    user = await network.ownUser();
    await network.proven('b.example');
  }

  async function stop(): Promise<void> {
    partner?.stop();
    impostor?.stop();
    await network?.stop();
  }

  async function call(caller: Caller, terms: RequestTerms) {
    const callId = freshCallId();
    const sent = request({ callId, ...terms });
    caller.send(sent);
    return { sent, callId, answer: await caller.final(callId) };
  }

  describe('as it is', () => {
    beforeAll(() => start());
    afterAll(stop);

    it('ok/a partner keeps what it asserts: it is asked about once, and the request goes on in Lua', async () => {
      const trusted = await network.overTls(network.certificateOfA());
      for (let time = 0; time < 2; time += 1) {
        const { sent, callId, answer } = await call(trusted, { headers: [ALICE] });
        expect(statusOf(answer)).toBe(200);
        expectRelayed(await network.uas.received(callId, 'INVITE'), sent);
      }
    });

    it('fail/a stranger does not', async () => {
      const stranger = await network.overTls();
      const { sent, callId } = await call(stranger, { headers: [ALICE] });
      expectRelayed(await network.uas.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
    });

    it('ok/T-12 what is rewritten by a plan arrives rewritten', async () => {
      const trusted = await network.overTls(network.certificateOfA());
      const headers = ['P-Asserted-Identity: <sip:alice@a.example>, <sip:eve@other.example>'];
      const { callId } = await call(trusted, { headers });
      expect(rowsOf(await network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity')).toEqual([
        '<sip:alice@a.example>',
      ]);
    });

    it('fail/a header block that can be read in two ways is refused', async () => {
      const { answer } = await call(await network.overTls(), {
        headers: ['Subject: a\rP-Asserted-Identity: <sip:x@y>'],
      });
      expect(statusOf(answer)).toBe(400);
    });

    it('ok/what our users assert reaches a partner over the proven connection', async () => {
      const { sent, callId, answer } = await call(user, {
        ruri: 'sip:bob@b.example',
        transport: 'UDP',
        headers: [CAROL],
      });
      expect(statusOf(answer)).toBe(200);
      expectRelayed(await partner.received(callId, 'INVITE'), sent);
    });

    it('fail/T-49 a server with somebody else’s name gets nothing private', async () => {
      const { sent, callId, answer } = await call(user, {
        ruri: 'sip:bob@liar.example',
        transport: 'UDP',
        headers: [CAROL],
      });
      expect(statusOf(answer)).toBe(200);
      expectRelayed(await impostor.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
    });
  });

  describe('when a hook of the script fails', () => {
    const script = fileURLToPath(new URL('../support/live/failing.lua', import.meta.url));
    beforeAll(() => start({ defines: () => ({ CSCF_LUA: { string: script } }) }));
    afterAll(stop);

    it('fail/a branch that was not cleaned is not sent', async () => {
      // Kamailio knows the way without the hook.
      const ruri = `sip:bob@${partner.host}:${partner.port};transport=tls`;
      const { callId, answer } = await call(user, { ruri, transport: 'UDP', headers: [CAROL] });
      expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
      expect(network.cscf.log).toContain('siptrust.cfg is not included');
      expect(partner.find(callId, 'INVITE')).toBeUndefined();
    });
  });

  describe('when it names no branch function', () => {
    const script = fileURLToPath(new URL('../support/live/unnamed.lua', import.meta.url));
    beforeAll(() => start({ defines: () => ({ CSCF_LUA: { string: script } }) }));
    afterAll(stop);

    it('ok/partners get it all, whoever is none gets nothing private', async () => {
      for (const place of ['b.example', 'liar.example']) {
        const terms = { ruri: `sip:bob@${place}`, transport: 'UDP', headers: [CAROL] };
        const { sent, callId, answer } = await call(user, terms);
        expect(statusOf(answer), place).toBe(200);
        if (place === 'b.example') expectRelayed(await partner.received(callId, 'INVITE'), sent);
        else expectRelayed(await impostor.received(callId, 'INVITE'), sent, ['P-Asserted-Identity']);
      }
    });
  });

  it('fail/one that does not read siptrust.lua: the line says so, and nothing private leaves', async () => {
    const CSCF_LUA = { string: fileURLToPath(new URL('../support/live/forgetful.lua', import.meta.url)) };
    network = await Network.start({ build, plain: true, lua: true, defines: () => ({ CSCF_LUA }) });
    const stranger = await TlsUas.start(network.host(12), network.certificateOfA());
    try {
      user = await network.ownUser();
      const ruri = `sip:bob@${stranger.host}:${stranger.port};transport=tls`;
      const { callId, answer } = await call(user, { ruri, transport: 'UDP', headers: [CAROL] });
      expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
      expect(stranger.find(callId, 'INVITE')).toBeUndefined();
      expect(network.cscf.log).toMatch(/siptrust: the poll has not run yet.*siptrust\.lua/);
    } finally {
      stranger.stop();
      await network.stop();
    }
  });

  describe('when a connection has been replaced in between', () => {
    const script = fileURLToPath(new URL('../support/live/replaced.lua', import.meta.url));
    beforeAll(() => start({ defines: () => ({ CSCF_LUA: { string: script } }) }));
    afterAll(stop);

    it('fail/what was meant for it is not sent', async () => {
      const { callId, answer } = await call(user, { ruri: 'sip:bob@b.example', transport: 'UDP', headers: [CAROL] });
      expect(statusOf(answer)).toBeGreaterThanOrEqual(400);
      expect(network.cscf.log).toMatch(/siptrust: not sent to \S+: INVITE/);
      expect(partner.find(callId, 'INVITE')).toBeUndefined();
      for (const text of partner.got) expectNothingPrivate(text);
    });
  });
});
