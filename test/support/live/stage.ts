/**
 * The stage of tests of the gates: our network (network.ts), a user of ours, and parties outside it: a stranger, another one,
 * and the partner b.example at a place that the policy names.
 */

import { expect } from 'vitest';
import { type Caller, freshCallId, type RequestTerms, request } from './caller.js';
import { withPartnerB } from './daemon.js';
import { Network, type NetworkOptions } from './network.js';
import { Party, type Transport } from './party.js';
import { type SipText, statusOf } from './sip-text.js';

export const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls'];

export interface StageOptions extends Omit<NetworkOptions, 'before'> {
  /** The partner b.example is there to be called: the test begins when a connection to it is proven. */
  readonly partner?: boolean;
}

export class Stage {
  readonly network: Network;
  readonly user: Caller;
  readonly stranger: Party;
  readonly other: Party;
  readonly partner: Party;

  private constructor(network: Network, user: Caller, [stranger, other, partner]: readonly [Party, Party, Party]) {
    this.network = network;
    this.user = user;
    this.stranger = stranger;
    this.other = other;
    this.partner = partner;
  }

  static async start({ partner = false, policy, ...options }: StageOptions): Promise<Stage> {
    let parties: [Party, Party, Party] | undefined;
    let network: Network | undefined;
    try {
      network = await Network.start({
        ...options,
        policy: (standard, host) => {
          const stands = partner ? withPartnerB(standard, { targets: [`${host(10)}:5061`] }) : standard;
          return policy?.(stands, host) ?? stands;
        },
        // A proxy that finds nobody looks again only after seconds.
        before: async ({ host, pki, cast }) => {
          const of = (domain: string) => pki.certificate({ issuer: cast.operatorB, names: [`DNS:${domain}`] });
          const strange = of('stranger.example');
          parties = [
            await Party.start(host(12), strange),
            await Party.start(host(13), strange),
            await Party.start(host(10), of('b.example')),
          ];
        },
      });
      if (parties === undefined) throw new Error('expected that the parties were started before the proxy');
      const user = await network.ownUser();
      if (partner) await network.proven('b.example');
      return new Stage(network, user, parties);
    } catch (error) {
      for (const party of parties ?? []) party.stop();
      await network?.stop();
      throw error;
    }
  }

  /** Somebody outside, who shows no certificate. */
  connect(transport: Transport): Promise<Caller> {
    if (transport === 'udp') return this.network.overUdp();
    return transport === 'tcp' ? this.network.overTcp() : this.network.overTls();
  }

  /** Sends a request; gives its Call-ID. `change`: what becomes of its bytes. */
  send(caller: Caller, transport: Transport, terms: RequestTerms, change = (text: SipText) => text): string {
    const callId = terms.callId ?? freshCallId();
    caller.send(change(request({ callId, transport: transport.toUpperCase(), ...terms })));
    return callId;
  }

  /** Registers a user of ours at these places. */
  async registered(name: string, ...contacts: readonly string[]): Promise<void> {
    const to = `<sip:${name}@own.example>`;
    for (const contact of contacts) {
      const callId = freshCallId();
      const terms = { method: 'REGISTER', ruri: 'sip:own.example', to, from: `${to};tag=1`, callId, transport: 'UDP' };
      this.user.send(request(terms).replace(/^Contact: .*$/m, `Contact: <${contact}>;expires=600`));
      expect(statusOf(await this.user.final(callId))).toBe(200);
    }
  }

  async stop(): Promise<void> {
    for (const party of [this.stranger, this.other, this.partner]) party.stop();
    await this.network.stop();
  }
}
