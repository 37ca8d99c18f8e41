/** A script that sets return_mode=1 (Kamailio 5.7): what a function returns counts as true unless it is 0, and -1 is how most say no. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { answered } from '../../support/live/party.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';
import { expectNothingPrivateOf } from '../../support/live/strangers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const OWN = '<sip:own@own.example>';
// (A request_route in Kamailio's own language goes before those in Lua.)
const ROUTES = `#!ifndef CSCF_LUA
request_route {
	if (is_method("INVITE") > 0) {
		record_route();
	}
	if ($rd =~ OWN_DOMAINS || uri == myself) {
		force_send_socket(INSIDE);
		$du = NEXT_HOP;
	}
	t_on_branch("LEAVING");
	t_relay();
	exit;
}

branch_route[LEAVING] {
	route(SIPTRUST_OUT);
}
#!endif
`;

function script(directory: string): string {
  const [head = '', routes] = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8').split(
    '#!ifndef CSCF_LUA\nrequest_route {',
  );
  if (routes === undefined) throw new Error('cscf.cfg: expected request_route, and the condition of Lua before it');
  const text = head.replace('include_file "..', () => `include_file "${ROOT}`);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'return-mode.cfg');
  writeFileSync(file, text.replace(/^debug=.*\n/m, (line) => `${line}return_mode=1\n`) + ROUTES);
  return relative(ROOT, file);
}

const all = builds('smoke');
const able = all.filter(({ version }) => !version.startsWith('5.6.'));
if (able.length === 0) console.warn('return_mode=1 is not tried: it takes Kamailio 5.7 or newer');

describe.skipIf(able.length === 0).each(able.length > 0 ? able : all)('return_mode=1, Kamailio $version', (build) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.start({ build, script, partner: true });
  });
  afterAll(() => stage?.stop());

  it.each(TRANSPORTS)('fail/a stranger over %s says nothing private, and hears nothing', async (transport) =>
    expectNothingPrivateOf(stage, transport),
  );

  it('ok/a partner is heard, and hears', async () => {
    const { network, partner, user } = stage;
    const caller = await network.overTls(network.certificateOfA());
    const callId = freshCallId();
    const asserted = '<sip:alice@a.example>';
    caller.send(request({ callId, transport: 'TLS', headers: [`P-Asserted-Identity: ${asserted}`] }));
    expect(statusOf(await caller.final(callId))).toBe(200);
    const arrived = network.uas.got.filter(
      (text) => methodOf(text) === 'INVITE' && headerOf(text, 'Call-ID') === callId,
    );
    expect(arrived.map((text) => rowsOf(text, 'P-Asserted-Identity'))).toEqual([[asserted]]);
    partner.answer = (text, at) => [answered(text, '200 OK', [partner.contact(at)])];
    const outward = freshCallId();
    user.send(
      request({
        callId: outward,
        ruri: 'sip:bob@b.example',
        transport: 'UDP',
        headers: [`P-Asserted-Identity: ${OWN}`],
      }),
    );
    expect(statusOf(await user.final(outward))).toBe(200);
    expect(rowsOf(await partner.received(outward, 'INVITE'), 'P-Asserted-Identity')).toEqual([OWN]);
  });
});
