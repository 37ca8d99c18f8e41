/** Answers that nothing makes fit to pass: whoever asked gets the code, or 502, and none of those bytes. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { answered } from '../../support/live/party.js';
import { expectNowhere } from '../../support/live/secrets.js';
import { rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

/** Where an `@` stands behind the `?`, or no brackets do, readers differ on where the address ends: no plan cuts there. */
const CONTACTS = [
  'Contact: <sip:x@y.example?P-Asserted-Identity=%3Csip:secret@y.example%3E>',
  'm: sip:x@y.example?P-Asserted-Identity=secret',
  'Contact: <sip:x@y.example?P-Asserted-Identity=secret',
  'Contact: <tel:+4930;phone-context=y?P-Asserted-Identity=secret>',
];
const ANSWERS: readonly (readonly [line: string, code: number])[] = [
  ['200 OK', 502],
  ['302 Moved Temporarily', 502],
  ['486 Busy Here', 486],
  ['603 Decline', 603],
];

describe.each(builds('full'))('answers that nothing cleans, Kamailio $version', (build) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.start({ build });
  });
  afterAll(() => stage?.stop());

  it.each(ANSWERS)('fail/%s of a stranger: our user gets %i without them', async (line, code) => {
    const { user, stranger } = stage;
    for (const contact of CONTACTS) {
      stranger.answer = (text) => [answered(text, line, [contact, 'Reason: SIP;cause=600;text="secret"'])];
      for (const transport of TRANSPORTS) {
        const callId = freshCallId();
        user.send(request({ callId, ruri: stranger.uri(transport), transport: 'UDP' }));
        const answer = await user.final(callId);
        expect(statusOf(answer), answer).toBe(code);
        expect(rowsOf(answer, 'Via')).toHaveLength(1);
        expect(answer).toMatch(/\r\nContent-Length: 0\r\n\r\n$/);
      }
    }
    expectNowhere('secret', user.answers);
  });

  it('fail/one that is not clean even so does not pass, and the next one does', async () => {
    const { user, stranger } = stage;
    const contact = CONTACTS[1] ?? '';
    const forged = (text: string) => answered(text, '486 Busy Here', [contact]).replace(/^From:.*$/m, '$&;cpc=police');
    for (const transport of TRANSPORTS) {
      for (const [answer, passes] of [
        [forged, false],
        [(text: string) => answered(text, '486 Busy Here', [contact]), true],
      ] as const) {
        stranger.answer = (text) => [answer(text)];
        const callId = freshCallId();
        user.send(request({ callId, ruri: stranger.uri(transport), transport: 'UDP' }));
        if (passes) expect(statusOf(await user.final(callId))).toBe(486);
        else await stranger.received(callId, 'INVITE');
      }
    }
    expectNowhere('police', user.answers);
  });

  it.each(ANSWERS)('fail/%s of our side: other networks get %i without them', async (status, code) => {
    for (const transport of TRANSPORTS) {
      const caller = await stage.connect(transport);
      for (const contact of CONTACTS) {
        stage.network.uas.options = { status, extra: [contact] };
        const callId = freshCallId();
        caller.send(request({ callId, transport: transport.toUpperCase() }));
        expect(statusOf(await caller.final(callId)), contact).toBe(code);
      }
      expectNowhere('secret', caller.answers);
    }
    stage.network.uas.options = {};
  });
});
