/** Both gates over SCTP: Kamailio counts associations from 1, too, and $conid is the TCP connection of that number. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request, udpCaller } from '../../support/live/caller.js';
import { builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { statusOf } from '../../support/live/sip-text.js';

const ROOT = join(import.meta.dirname, '../../..');
const MODULES = ['usr/lib/x86_64-linux-gnu', 'lib64', 'lib'].map((folder) => `${folder}/kamailio/modules/sctp.so`);
const all = builds('full');
const able = all.filter(({ root }) => MODULES.some((module) => existsSync(join(root, module))));
if (able.length === 0) console.warn('SCTP is not tried: it takes the package kamailio-sctp-modules');

describe.skipIf(able.length === 0).each(able.length > 0 ? able : all)('SCTP, Kamailio $version', (build) => {
  let network: Network;
  const open: Caller[] = [];
  const under = ['env'];

  beforeAll(async () => {
    network = await Network.start({
      build,
      uas: { extra: privateRows('secret') },
      under,
      script: (directory, host) => {
        // The kernels of containers have no SCTP.
        const library = join(directory, 'sctp-over-udp.so');
        execFileSync('cc', ['-shared', '-fPIC', '-o', library, join(ROOT, 'test/support/live/sctp-over-udp.c')]);
        under.push(`LD_PRELOAD=${library}`);
        const sockets = [2, 3].map((each) => `listen=sctp:${host(each)}:5060\n`).join('');
        const text = readFileSync(join(ROOT, 'kamailio-cfg/cscf.cfg'), 'utf8')
          .replace('loadmodule "tls.so"\n', (row) => `enable_sctp=yes\n${sockets}${row}loadmodule "sctp.so"\n`)
          .replace('include_file "..', () => `include_file "${ROOT}`);
        writeFileSync(join(directory, 'sctp.cfg'), text);
        return relative(ROOT, join(directory, 'sctp.cfg'));
      },
    });
  });
  afterAll(async () => {
    for (const caller of open) caller.close();
    await network?.stop();
  });

  async function association(to: string, from: string): Promise<Caller> {
    const caller = await udpCaller(to, 5060, from);
    open.push(caller);
    return caller;
  }

  async function call(caller: Caller, transport: string, headers: readonly string[]): Promise<void> {
    const callId = freshCallId();
    caller.send(request({ callId, transport, headers }));
    expect(statusOf(await caller.final(callId)), headers[0]).toBe(200);
  }

  it('fail/nobody is taken for the TLS connection that has the number of the association; ok/our own side is', async () => {
    const stranger = await network.overTls();
    const partner = await network.overTls(network.certificateOfA());
    await call(partner, 'TLS', ['P-Asserted-Identity: <sip:alice@a.example>']);
    await call(await association(network.host(3), network.host(5)), 'SCTP', [
      'P-Asserted-Identity: <sip:u@own.example>',
    ]);
    for (const user of ['alice@a.example', 'u@own.example'])
      expect(network.uas.got.join()).toContain(`P-Asserted-Identity: <sip:${user}>`);
    const other = await association(network.address, network.host(20));
    await call(other, 'SCTP', privateRows('forged'));
    await call(stranger, 'TLS', privateRows('forged'));
    expectNowhere('forged', network.uas.got);
    expectNowhere('secret', [...other.answers, ...stranger.answers]);
  });
});
