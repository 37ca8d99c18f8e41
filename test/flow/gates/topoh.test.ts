/** Both gates where module topoh hides our side: it changes what comes before the gate in, and what leaves behind the gate out. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshCallId, inDialog, request } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { answered } from '../../support/live/party.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TOPOH = `loadmodule "topoh.so"
modparam("topoh", "mask_key", "key of a test")
modparam("topoh", "mask_ip", "192.0.2.99")
`;

/** cscf.cfg with topoh: writes it, and gives its path below the repository. */
function script(directory: string): string {
  const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8')
    .replace('modparam("tls", "config"', (line) => TOPOH + line)
    .replace('include_file "../plugin/', () => `include_file "${join(ROOT, 'plugin/')}`);
  writeFileSync(join(directory, 'topoh.cfg'), text);
  return relative(ROOT, join(directory, 'topoh.cfg'));
}

describe.each(builds('full'))('topoh, Kamailio $version', (build) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.start({ build, script });
  });
  afterAll(() => stage?.stop());

  it.each(TRANSPORTS)('ok/our user calls a stranger over %s: stripped and hidden, and hangs up', async (transport) => {
    const { user, stranger, network } = stage;
    const forged = `<${stranger.uri(transport)};cpc=forged>`;
    stranger.answer = (text) => [answered(text, '200 OK', [...privateRows('forged'), `Contact: ${forged}`])];
    const from = '<sip:user@own.example;cpc=secret>;tag=1';
    const terms = { callId: freshCallId(), ruri: stranger.uri(transport), transport: 'UDP', from };
    const contact = `Contact: <sip:user@${user.source};cpc=secret>`;
    const send = (more: Parameters<typeof request>[0]) =>
      user.send(request({ ...terms, ...more }).replace(/^Contact: .*$/m, contact));
    send({ headers: privateRows('secret') });
    const answer = await user.final(terms.callId, 'INVITE');
    expect(statusOf(answer), answer).toBe(200);
    const { route, ...dialog } = inDialog(answer);
    for (const [at, method] of ['ACK', 'UPDATE', 'BYE'].entries()) {
      send({ ...dialog, method, cseq: at + (method === 'ACK' ? 1 : 2), headers: [...route, ...privateRows('secret')] });
      if (method === 'ACK') await stranger.received(terms.callId, 'ACK');
      else expect(statusOf(await user.final(terms.callId, method)), method).toBe(200);
    }
    expectNowhere('secret', stranger.got);
    expectNowhere('forged', user.answers);
    expectNowhere(user.source, stranger.got);
    expectNowhere(network.host(3), stranger.got);
  });

  it.each(TRANSPORTS)('ok/a stranger calls over %s: stripped and hidden, and hangs up', async (transport) => {
    const { network } = stage;
    network.uas.options = { extra: privateRows('secret') };
    const caller = await stage.connect(transport);
    const terms = { callId: freshCallId(), from: '<sip:x@x.example>;tag=1' };
    stage.send(caller, transport, { ...terms, headers: privateRows('forged') });
    const answer = await caller.final(terms.callId, 'INVITE');
    expect(statusOf(answer), answer).toBe(200);
    const { route, ...dialog } = inDialog(answer);
    for (const [at, method] of ['ACK', 'BYE'].entries()) {
      const headers = [...route, ...privateRows('forged')];
      stage.send(caller, transport, { ...terms, ...dialog, method, cseq: at + 1, headers });
      await network.uas.received(terms.callId, method);
    }
    expect(statusOf(await caller.final(terms.callId, 'BYE'))).toBe(200);
    expectNowhere('secret', caller.answers);
    expectNowhere('forged', network.uas.got);
    expectNowhere(network.uas.host, caller.answers);
  });
});
