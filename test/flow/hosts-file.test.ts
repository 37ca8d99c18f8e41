/** Names of our own side that only /etc/hosts of the proxy knows: Kamailio reads it with use_dns_cache=no, as the samples of its IMS have it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { builds } from '../support/live/kamailio.js';
import { Stage } from '../support/live/stage.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ROWS = ['P-Asserted-Identity: <sip:alice@a.example>', 'P-Charging-Vector: icid-value=x;orig-ioi=a.example'];

describe.each(builds('full'))('/etc/hosts, Kamailio $version', ({ version, root, command }) => {
  let stage: Stage;
  let caller: Caller;

  beforeAll(async () => {
    let hosts = '';
    stage = await Stage.start({
      build: {
        ...{ version, root },
        command: (args, paths) => {
          const mounted = `mount --bind ${hosts} ${join(root, 'etc/hosts')}; exec "$@"`;
          return ['unshare', '-m', 'sh', '-c', mounted, 'sh', ...command(args, paths)];
        },
      },
      lua: false,
      script: (directory, host) => {
        hosts = join(directory, 'hosts');
        writeFileSync(hosts, `${host(4)} scscf.own.example\n${host(12)} stranger.own.example\n`);
        const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8')
          .replace('../plugin/', () => join(ROOT, 'plugin/'))
          .replace(
            '\t\t$du = NEXT_HOP;\n',
            (line) => `${line}\t\tif ($rU == "far") { $du = "sip:stranger.own.example:5060"; $fs = $null; }\n`,
          )
          .replace('auto_aliases=no\n', (line) => `${line}use_dns_cache=no\n`);
        writeFileSync(join(directory, 'hosts.cfg'), text);
        return relative(ROOT, join(directory, 'hosts.cfg'));
      },
      defines: () => ({ NEXT_HOP: { string: 'sip:scscf.own.example:5060' } }),
    });
    caller = await stage.network.overTls(stage.network.certificateOfA());
  });
  afterAll(() => stage?.stop());

  it('ok/a call of a partner for one: with who calls', async () => {
    const callId = freshCallId();
    caller.send(request({ callId, headers: ROWS }));
    const got = await stage.network.uas.received(callId, 'INVITE');
    for (const row of ROWS) expect(got).toContain(`\r\n${row}\r\n`);
  });

  it('fail/one that leads outside: without', async () => {
    const callId = freshCallId();
    caller.send(request({ callId, ruri: 'sip:far@own.example', headers: ROWS }));
    const got = await stage.stranger.received(callId, 'INVITE');
    expect(got).not.toMatch(/^P-/m);
  });
});
