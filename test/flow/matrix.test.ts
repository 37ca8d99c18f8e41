/**
 * Who calls whom, over what, with which Privacy, in which mode: every cell through the live proxy, both ways. What each
 * side may hear is worked out here again from the rulebook (H-1, §5.5), and everything that reaches anybody who is not
 * trusted is searched for what nobody outside may see.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { headerOf, methodOf, rowsOf, type SipText, statusOf } from '../support/live/sip-text.js';
import { TlsUas, Uas, type UasOptions } from '../support/live/uas.js';

const MODES = { strict33203: 'untrusted', rfc3325: 'untrusted-rfc3325', ims24229: 'untrusted-ims24229' } as const;
type Mode = keyof typeof MODES;

const PARTIES = ['own', 'partner', 'stranger', 'plain'] as const;
type Party = (typeof PARTIES)[number];
const TRUSTED: ReadonlySet<Party> = new Set(['own', 'partner']);
/** What each may assert. */
const DOMAIN = { own: 'own.example', partner: 'a.example', stranger: 'c.example', plain: 'd.example' } as const;
const CALLEE_DOMAIN = { ...DOMAIN, partner: 'b.example' } as const;

const PRIVACY = [undefined, 'none', 'id', 'user', 'header', 'id;critical', 'ID , none'] as const;
type Privacy = (typeof PRIVACY)[number];

/** May the listener hear who speaks? */
function hears(speaker: Party, listener: Party, mode: Mode, privacy: Privacy): boolean {
  if (!TRUSTED.has(speaker)) return false;
  if (TRUSTED.has(listener)) return true;
  if (mode === 'strict33203') return false;
  if (privacy === 'none') return true;
  return mode === 'rfc3325' && privacy === undefined;
}

function assertion(domain: string): string {
  return `"Secret-name" <sip:secret-identity@${domain}>`;
}

/** Fields that no stranger may send or see in any mode, spelled as badly as the grammar allows. */
const TRAPS = [
  'p-ACCESS-network-info \t: 3GPP-E-UTRAN;utran-cell-id-3gpp=secret-cell',
  'P-Charging-Vector: icid-value=secret-icid;',
  ' orig-ioi=secret-ioi',
  'REMOTE-PARTY-ID : <sip:secret-rpid@own.example>',
  'P-Served-User:<sip:secret-served@own.example>',
  'p-preferred-identity\t:',
  '\t<sip:secret-preferred@own.example>',
  'X-Subscriber: secret-subscriber',
];

function speech(domain: string, privacy: Privacy): readonly string[] {
  const asked = privacy === undefined ? [] : [`Privacy: ${privacy}`];
  return [`P-Asserted-Identity: ${assertion(domain)}`, ...asked, ...TRAPS, 'Accept-Language: kept'];
}

describe.each(builds('full'))('the matrix, Kamailio $version', (build) => {
  // T-56 to T-59, T-67, T-69, T-70, T-76.
  describe.each(Object.keys(MODES) as Mode[])('mode %s', (mode) => {
    let network: Network;
    const callers = {} as Record<Party, Caller>;
    const callees = {} as Record<
      Party,
      { got: readonly SipText[]; options: UasOptions } & Pick<Uas, 'received' | 'stop'>
    >;

    beforeAll(async () => {
      network = await Network.start({
        build,
        defines: () => ({ TRANSIT: '' }),
        policy: (standard, host) => {
          const [a, b] = standard.agreements;
          return { ...standard, defaults: { privacy: mode }, agreements: [a, { ...b, targets: [`${host(10)}:5061`] }] };
        },
        before: async ({ host, pki, cast }) => {
          const identity = (name: string) => pki.certificate({ issuer: cast.operatorB, names: [`DNS:${name}`] });
          callees.partner = await TlsUas.start(host(10), identity('b.example'));
          callees.stranger = await TlsUas.start(host(11), identity('c.example'));
        },
      });
      callees.own = network.uas;
      callees.plain = await Uas.start(network.host(12));
      callers.own = await network.ownUser();
      callers.partner = await network.overTls(network.certificateOfA());
      callers.stranger = await network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }));
      callers.plain = await network.overUdp();
      await network.proven('b.example');
    });
    afterAll(async () => {
      for (const party of PARTIES) if (party !== 'own') callees[party]?.stop();
      await network?.stop();
    });

    function target(callee: Party): string {
      const at: Record<Party, string> = {
        own: 'own.example',
        partner: 'b.example',
        stranger: `${network.host(11)}:5061;transport=tls`,
        plain: `${network.host(12)}:5060;transport=udp`,
      };
      return `sip:bob@${at[callee]}`;
    }

    const cells = PARTIES.flatMap((caller) =>
      PARTIES.flatMap((callee) => PRIVACY.map((privacy) => ({ caller, callee, privacy }))),
    );

    it.each(cells)('$caller calls $callee, Privacy $privacy', async ({ caller, callee, privacy }) => {
      const from = callers[caller];
      const to = callees[callee];
      to.options = { extra: speech(CALLEE_DOMAIN[callee], privacy) };
      const callId = freshCallId();
      const transport = caller === 'own' || caller === 'plain' ? 'UDP' : 'TLS';
      const headers = speech(DOMAIN[caller], privacy);
      from.send(request({ callId, transport, ruri: target(callee), headers }));
      const answer = await from.final(callId);
      expect(statusOf(answer)).toBe(200);
      const got = await to.received(callId, 'INVITE');
      const said = (text: SipText) => rowsOf(text, 'P-Asserted-Identity');
      expect(said(got)).toEqual(hears(caller, callee, mode, privacy) ? [assertion(DOMAIN[caller])] : []);
      expect(said(answer)).toEqual(hears(callee, caller, mode, privacy) ? [assertion(CALLEE_DOMAIN[callee])] : []);
      expect(rowsOf(got, 'Accept-Language')).toEqual(['kept']);
      // TS 24.229 §4.4.2: what the user asks for stays, for the networks to come.
      if (privacy === 'id') expect(rowsOf(got, 'Privacy')).toEqual(['id']);
    });

    it('fail/critical privacy that a proxy cannot give ends a call that would leave, and no other', async () => {
      const headers = ['Privacy: header;critical', `P-Asserted-Identity: ${assertion('own.example')}`];
      for (const callee of PARTIES) {
        const callId = freshCallId();
        callers.own.send(request({ callId, transport: 'UDP', ruri: target(callee), headers }));
        const status = statusOf(await callers.own.final(callId));
        expect({ callee, status }).toEqual({ callee, status: TRUSTED.has(callee) ? 200 : 500 });
        expect(callees[callee].got.some((text) => headerOf(text, 'Call-ID') === callId)).toBe(TRUSTED.has(callee));
      }
    });

    it('fail/nothing that reached anybody who is not trusted holds more than it may', () => {
      const untrusted = PARTIES.filter((party) => !TRUSTED.has(party));
      const seen = untrusted.flatMap((party) => [...callees[party].got, ...callers[party].answers]);
      expect(seen.length).toBeGreaterThan(2 * PARTIES.length * PRIVACY.length);
      for (const text of seen) {
        // What the mode lets out was looked at cell by cell.
        const rest = text.replace(/^P-Asserted-Identity:.*$/gim, mode === 'strict33203' ? '$&' : '');
        expect(rest.toLowerCase()).not.toContain('secret');
      }
    });

    it('fail/nothing that somebody who is not trusted said reached anybody', () => {
      for (const callee of PARTIES) {
        for (const text of callees[callee].got.filter((one) => methodOf(one) === 'INVITE')) {
          const from = PARTIES.find((party) => text.includes(`secret-identity@${DOMAIN[party]}`));
          if (from !== undefined) expect(TRUSTED.has(from)).toBe(true);
        }
      }
    });
  });
});
