/** Both gates where modules topoh and topos hide our side: they change what comes before the gate in, and what leaves behind the gate out. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
/** The lines of a module, which may keep its tables in a directory. */
type Hiding = (directory: string) => string;

const MODULES: readonly (readonly [string, Hiding])[] = [
  [
    'topoh',
    () => `loadmodule "topoh.so"
modparam("topoh", "mask_key", "key of a test")
modparam("topoh", "mask_ip", "192.0.2.99")
`,
  ],
  [
    'topos',
    (directory) => {
      // Any column may be empty.
      const tables = join(directory, 'tables');
      mkdirSync(tables);
      for (const name of ['version', 'topos_d', 'topos_t']) {
        const text = readFileSync(join('/usr/share/kamailio/dbtext/kamailio', name), 'utf8');
        writeFileSync(join(tables, name), text.replaceAll(/\((string|int)\)/g, '($1,null)'));
      }
      return `loadmodule "db_text.so"
loadmodule "topos.so"
modparam("topos", "db_url", "text://${tables}")
modparam("topos", "contact_host", "hidden.example")
`;
    },
  ],
];

/** cscf.cfg with such a module: writes it, and gives its path below the repository. */
function script(directory: string, hiding: Hiding): string {
  const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8')
    .replace('modparam("tls", "config"', (line) => hiding(directory) + line)
    .replace('include_file "../plugin/', () => `include_file "${join(ROOT, 'plugin/')}`);
  writeFileSync(join(directory, 'hiding.cfg'), text);
  return relative(ROOT, join(directory, 'hiding.cfg'));
}

const CASES = builds('full').flatMap((build) => MODULES.map(([name, hiding]) => ({ build, name, hiding })));

describe.each(CASES)('$name, Kamailio $build.version', ({ build, hiding }) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.start({ build, partner: true, script: (directory) => script(directory, hiding) });
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

  it('ok/our user calls a partner: with the identity and hidden, and hangs up', async () => {
    const { user, partner, network } = stage;
    const terms = { callId: freshCallId(), ruri: 'sip:party@b.example', from: '<sip:user@own.example>;tag=1' };
    const send = (more: Parameters<typeof request>[0]) => user.send(request({ ...terms, transport: 'UDP', ...more }));
    send({ headers: ['P-Asserted-Identity: <sip:user@own.example>'] });
    const answer = await user.final(terms.callId, 'INVITE');
    expect(statusOf(answer), answer).toBe(200);
    expect(await partner.received(terms.callId, 'INVITE')).toContain('P-Asserted-Identity: <sip:user@own.example>');
    const { route, ...dialog } = inDialog(answer);
    send({ ...dialog, method: 'ACK', cseq: 1, headers: route });
    await partner.received(terms.callId, 'ACK');
    send({ ...dialog, method: 'BYE', cseq: 2, headers: route });
    expect(statusOf(await user.final(terms.callId, 'BYE'))).toBe(200);
    const got = partner.got.filter((text) => text.includes(terms.callId));
    expect(got).toHaveLength(3);
    expectNowhere(user.source, got);
    expectNowhere(network.host(3), got);
  });
});
