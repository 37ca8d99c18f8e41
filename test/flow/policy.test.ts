/** The policy changes while connections are up (rulebook T-45, decision rule 5), and NDS/IP sockets (T-3, T-4). */

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import type { Decision, Policy, StandardPolicy } from '../support/live/daemon.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { expectRelayed } from '../support/live/relayed.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';

const PAI = 'P-Asserted-Identity: <sip:alice@a.example>';

const isTrusted = ({ verdict }: Decision) => verdict === 'trusted';

describe.each(builds('smoke'))('the policy, Kamailio $version', (build) => {
  let stage: Network;
  beforeAll(async () => {
    stage = await Network.start({ build });
  });
  beforeEach(() => stage.reload(stage.standardPolicy));
  afterAll(() => stage?.stop());

  /** Whether the assertion of one more call arrives. */
  async function keeps(caller: Caller, transport = 'TLS', on = stage): Promise<boolean> {
    const callId = freshCallId();
    const sent = request({ callId, transport, headers: [PAI, 'Subject: hello'] });
    caller.send(sent);
    expect(statusOf(await caller.final(callId))).toBe(200);
    const got = await on.uas.received(callId, 'INVITE');
    const kept = rowsOf(got, 'P-Asserted-Identity').length > 0;
    expectRelayed(got, sent, kept ? [] : ['P-Asserted-Identity']);
    return kept;
  }

  function without(policy: StandardPolicy, name: string): Policy {
    return { ...policy, agreements: policy.agreements.filter((agreement) => agreement.name !== name) };
  }

  it('fail/T-45 an agreement that ends, ends on connections that are up, within a second', async () => {
    const caller = await stage.overTls(stage.certificateOfA());
    expect(await keeps(caller)).toBe(true);
    await stage.daemon.reload(without(stage.standardPolicy, 'op-a'));
    await eventually('the assertion is removed', async () => !(await keeps(caller)), 1_000);
    await stage.daemon.decisionsOn(caller.source, ({ verdict }) => verdict === 'untrusted');
    // And comes back with the agreement, on the same connection.
    await stage.daemon.reload(stage.standardPolicy);
    await eventually('the assertion is kept again', () => keeps(caller), 1_000);
  });

  it('fail/T-45 whose agreement has ended causes no question with each answer to OPTIONS that it sends', async () => {
    const caller = await stage.overTls(stage.certificateOfA());
    expect(await keeps(caller)).toBe(true);
    await stage.reload(without(stage.standardPolicy, 'op-a'));
    expect(await keeps(caller)).toBe(false);
    const before = stage.cscf.statistic('siptrust_asked_peer');
    const via = `Via: SIP/2.0/TLS ${stage.address}:5061;branch=z9hG4bKnobody`;
    const dialog = [
      'From: <sip:b@own.example>;tag=1',
      'To: <sip:a@a.example>;tag=2',
      'Call-ID: nobody',
      'CSeq: 1 OPTIONS',
    ];
    for (let time = 0; time < 20; time += 1) {
      caller.send(['SIP/2.0 200 OK', via, ...dialog, 'Content-Length: 0', '', ''].join('\r\n'));
    }
    expect(await keeps(caller)).toBe(false);
    expect(stage.cscf.statistic('siptrust_asked_peer') - before).toBeLessThan(5);
  });

  it('fail/T-45 a session that is resumed: the certificate counts, and the agreement of today', async () => {
    const identity = stage.certificateOfA();
    // The client presents nothing this time; the proxy has the certificate from the session.
    const resumed = await stage.resuming(identity);
    expect(await keeps(resumed)).toBe(true);
    await stage.daemon.reload(without(stage.standardPolicy, 'op-a'));
    const late = await stage.resuming(identity);
    expect(await keeps(late)).toBe(false);
    const [decision] = await stage.daemon.decisionsOn(late.source);
    expect(decision).toMatchObject({ verdict: 'untrusted', verified: true });
    expect(decision?.reasons).toContain('not-listed');
  });

  it('ok/a bad policy file changes nothing', async () => {
    const caller = await stage.overTls(stage.certificateOfA());
    expect(await keeps(caller)).toBe(true);
    await expect(stage.daemon.reload({ ...stage.standardPolicy, agreemants: [] })).rejects.toThrow();
    expect(await keeps(caller)).toBe(true);
  });

  it('ok/an NDS/IP socket: the source prefix stands for the peer, one question for each source', async () => {
    // The UDP socket of the proxy becomes an interface towards a security gateway.
    await stage.reload({
      ...stage.standardPolicy,
      interfaces: [
        { name: 'za', listen: `${stage.address}:5060`, mechanism: 'nds-ip', implicit_trust: true, shared: false },
      ],
      agreements: [
        {
          name: 'op-n',
          domains: ['a.example'],
          mechanism: 'nds-ip',
          interface: 'za',
          sources: [`${stage.host(40)}/31`],
        },
      ],
    });
    const inside = await stage.overUdp(stage.host(40));
    const outside = await stage.overUdp(stage.host(42));
    const asked = stage.cscf.statistic('siptrust_asked_peer');
    for (let call = 0; call < 3; call += 1) {
      expect(await keeps(inside, 'UDP')).toBe(true);
      expect(await keeps(outside, 'UDP')).toBe(false);
    }
    expect(stage.cscf.statistic('siptrust_asked_peer')).toBe(asked + 2);
    const [trusted] = await stage.daemon.decisionsOn(inside.source);
    expect(trusted).toMatchObject({ verdict: 'trusted', reasons: ['trusted-by-config'] });
    const [stranger] = await stage.daemon.decisionsOn(outside.source);
    expect(stranger?.reasons).toContain('nds-range');
  });

  it('ok/a network on its way to TLS: by path until the migration ends, by certificate always', async () => {
    const migrating = (until: string): Policy => {
      const [a] = stage.standardPolicy.agreements;
      return {
        ...stage.standardPolicy,
        interfaces: [
          { name: 'za', listen: `${stage.address}:5060`, mechanism: 'nds-ip', implicit_trust: true, shared: false },
        ],
        agreements: [{ ...a, migration: { interface: 'za', sources: [`${stage.host(40)}/32`], until } }],
      };
    };
    await stage.reload(migrating('2099-12-31'));
    const path = await stage.overUdp(stage.host(40));
    const nameless = await stage.overTls(undefined, stage.host(40));
    const proven = await stage.overTls(stage.certificateOfA(), stage.host(40));
    expect(await keeps(path, 'UDP')).toBe(true);
    expect(await keeps(nameless)).toBe(false);
    expect(await keeps(proven)).toBe(true);
    const [byPath] = await stage.daemon.decisionsOn(path.source);
    expect(byPath).toMatchObject({ assurance: 'za', reasons: ['trusted-by-config', 'nds-migrating'] });
    expect((await stage.daemon.decisionsOn(proven.source))[0]).toMatchObject({ assurance: 'tls-certificate' });
    // The day has come.
    await stage.daemon.reload(migrating('2026-01-01'));
    await eventually('the path stands no longer', async () => !(await keeps(path, 'UDP')), 2_000);
    expect(await keeps(proven)).toBe(true);
    const ended = await stage.daemon.decisionsOn(path.source, ({ verdict }) => verdict === 'untrusted');
    expect(ended.at(-1)?.reasons).toEqual(['nds-ended']);
  });

  it('fail/TLS without encryption is refused; ok/but where the policy takes it on a path that encrypts', async () => {
    const plain = 'eNULL:@SECLEVEL=0';
    const naked = await Network.start({ build, ciphers: plain });
    onTestFinished(() => naked.stop());
    const caller = await naked.overTls(naked.certificateOfA(), naked.host(20), plain);
    expect(await keeps(caller, 'TLS', naked)).toBe(false);
    const [refused] = await naked.daemon.decisionsOn(caller.source);
    expect(refused?.reasons).toEqual(['null-encryption']);
    expect(String(refused?.details)).toMatch(/version TLSv1\.2, cipher ECDHE-[A-Z]+-NULL-SHA/);
    await naked.daemon.reload({
      ...naked.standardPolicy,
      interfaces: [
        {
          ...{ name: 'za', listen: `${naked.address}:5061`, mechanism: 'nds-ip', shared: false },
          allow_null_encryption: true,
        },
      ],
    });
    await eventually('the assertion is kept', () => keeps(caller, 'TLS', naked), 2_000);
    expect((await naked.daemon.decisionsOn(caller.source, isTrusted)).at(-1)).toMatchObject({
      assurance: 'tls-certificate',
      reasons: ['agreement-covers', 'null-encryption'],
    });
  });

  it('ok/an NDS/IP socket that strangers reach: the port that the gateway writes stands for the path', async () => {
    const agreements = [
      {
        name: 'op-n',
        domains: ['a.example'],
        mechanism: 'nds-ip',
        interface: 'za',
        sources: [`${stage.host(40)}/32`],
      },
    ];
    const interfaces = [
      { name: 'za', listen: `${stage.address}:5060`, mechanism: 'nds-ip', implicit_trust: true, source_ports: [5062] },
    ];
    await stage.reload({ ...stage.standardPolicy, interfaces, agreements });
    // The same address twice: what came out of the tunnel, and who spoofs it.
    const rogue = await stage.overUdp(stage.host(40), 5060);
    const peer = await stage.overUdp(stage.host(40), 5062);
    const asked = stage.cscf.statistic('siptrust_asked_peer');
    for (let call = 0; call < 3; call += 1) {
      expect(await keeps(rogue, 'UDP')).toBe(false);
      expect(await keeps(peer, 'UDP')).toBe(true);
    }
    // One question for each port: that of the path costs none on the messages that follow.
    expect(stage.cscf.statistic('siptrust_asked_peer')).toBe(asked + 2);
    expect((await stage.daemon.decisionsOn(rogue.source))[0]?.reasons).toEqual(['nds-port']);
    expect((await stage.daemon.decisionsOn(peer.source))[0]).toMatchObject({
      assurance: 'za',
      reasons: ['trusted-by-config'],
    });
    // Without the ports the same policy trusts both, and says what that rests on: no verdict of before is used.
    await stage.daemon.reload({
      ...stage.standardPolicy,
      interfaces: [{ name: 'za', listen: `${stage.address}:5060`, mechanism: 'nds-ip', implicit_trust: true }],
      agreements,
    });
    await eventually('the hole is there', () => keeps(rogue, 'UDP'), 2_000);
    expect(await keeps(peer, 'UDP')).toBe(true);
    expect((await stage.daemon.decisionsOn(rogue.source, isTrusted)).at(-1)).toMatchObject({
      assurance: 'address',
      reasons: ['trusted-by-address'],
    });
  });
});
