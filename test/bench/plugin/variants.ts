/** The calls that are counted: who calls whom, and what they bear. */

import { type Caller, freshCallId, inDialog, request } from '../../support/live/caller.js';
import type { Network } from '../../support/live/network.js';
import { eventually } from '../../support/live/places.js';
import { type SipText, statusOf } from '../../support/live/sip-text.js';

export interface Variant {
  readonly name: string;
  /** The same call through the same proxy without siptrust. */
  readonly floor: 'in' | 'out';
  readonly from: 'partner' | 'stranger' | 'user';
  readonly to: 'own' | 'partner' | 'stranger';
  /** Header lines of the INVITE. */
  readonly headers: readonly string[];
}

const ASSERTED = 'P-Asserted-Identity: "Alice" <sip:alice@a.example>';
const CHARGING = 'P-Charging-Vector: icid-value=1234abcd;orig-ioi=a.example';
const OURS = 'P-Asserted-Identity: "Carol" <sip:carol@own.example>';

export const VARIANTS: readonly Variant[] = [
  { name: 'trusted', floor: 'in', from: 'partner', to: 'own', headers: [ASSERTED, CHARGING] },
  { name: 'untrusted', floor: 'in', from: 'stranger', to: 'own', headers: [ASSERTED, CHARGING] },
  { name: 'untrusted-clean', floor: 'in', from: 'stranger', to: 'own', headers: [] },
  { name: 'outbound', floor: 'out', from: 'user', to: 'partner', headers: [OURS] },
  { name: 'outbound-untrusted', floor: 'out', from: 'user', to: 'stranger', headers: [OURS] },
];

const ORDINARY = [
  'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE',
  'Supported: 100rel, timer, replaces',
  'Session-Expires: 1800;refresher=uac',
  'User-Agent: example-sbc/4.2',
  'Content-Type: application/sdp',
];

const SDP = [
  'v=0',
  'o=- 3724394400 3724394405 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 49170 RTP/AVP 8 0 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n');

/** One call from INVITE to the answer of BYE. */
export async function call(caller: Caller, ruri: string, variant: Variant): Promise<void> {
  const callId = freshCallId();
  const { from, headers } = variant;
  const terms = {
    callId,
    transport: from === 'user' ? 'UDP' : 'TLS',
    from: from === 'user' ? '"Carol" <sip:carol@own.example>;tag=carol' : '"Alice" <sip:alice@a.example>;tag=alice',
  };
  caller.send(request({ ...terms, ruri, headers: [...headers, ...ORDINARY], body: SDP }));
  const answer = await done(`an answer to ${variant.name}`, caller, callId, 'INVITE');
  const { route, ...dialog } = inDialog(answer);
  caller.send(request({ ...terms, ...dialog, method: 'ACK', headers: route }));
  caller.send(request({ ...terms, ...dialog, method: 'BYE', cseq: 2, headers: route }));
  await done(`an answer to BYE of ${variant.name}`, caller, callId, 'BYE');
}

async function done(what: string, caller: Caller, callId: string, method: string): Promise<SipText> {
  const final = await eventually(
    what,
    () =>
      caller.answers.find(
        (text) =>
          statusOf(text) >= 200 &&
          text.includes(`Call-ID: ${callId}`) &&
          new RegExp(`^CSeq: \\d+ ${method}`, 'm').test(text),
      ),
    60_000,
  );
  if (statusOf(final) !== 200) throw new Error(`${what}: expected 200, found\n${final}`);
  return final;
}

/** The callers of all variants, each with the one connection that it keeps. */
export async function callers(network: Network): Promise<Readonly<Record<Variant['from'], Caller>>> {
  return {
    partner: await network.overTls(network.certificateOfA()),
    stranger: await network.overTls(undefined, network.host(21)),
    user: await network.ownUser(),
  };
}
