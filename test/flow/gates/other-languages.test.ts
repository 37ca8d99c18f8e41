/** Routes in Python, JavaScript and Squirrel: what docs/moving-in.md says of them, carried out. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, request } from '../../support/live/caller.js';
import { type Build, builds } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';
import { eventually } from '../../support/live/places.js';
import { expectNowhere, privateRows } from '../../support/live/secrets.js';
import { headerOf, rowsOf, statusOf } from '../../support/live/sip-text.js';
import { Stage, TRANSPORTS } from '../../support/live/stage.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SECRET = privateRows('secret');

interface Language {
  readonly module: string;
  readonly run: string;
  readonly file: string;
}

const LANGUAGES: readonly Language[] = [
  { module: 'app_python3', run: 'python_exec', file: 'proxy.py' },
  { module: 'app_python3s', run: 'app_python3s_exec', file: 'proxy.py' },
  { module: 'app_jsdt', run: 'jsdt_run', file: 'proxy.jsdt' },
  { module: 'app_sqlang', run: 'sqlang_run', file: 'proxy.sq' },
];

/** Those that this Kamailio was packed with. */
function languages({ root }: Build): readonly Language[] {
  const libraries = join(root, 'usr/lib');
  return LANGUAGES.filter(({ module }) =>
    readdirSync(libraries).some((name) => existsSync(join(libraries, name, 'kamailio/modules', `${module}.so`))),
  );
}

/** Writes a kamailio.cfg with the lines of the page for this language in place of its include and routes. */
function written(directory: string, { module, run, file }: Language, change = (lines: string) => lines): string {
  const page = readFileSync(join(ROOT, 'docs/moving-in.md'), 'utf8');
  const lines = /^## Routes in another language\n[\s\S]*?^```\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
  const [head = ''] = readFileSync(join(ROOT, 'test/support/live/wrong.cfg'), 'utf8').split('include_file');
  const script = lines
    .replace(/app_python3\b/g, module)
    .replace(/python_exec\b/g, run)
    .replace('/etc/kamailio/kamailio.py', join(ROOT, 'test/support/live/languages', file))
    .replace('/etc/kamailio/siptrust/', join(ROOT, 'plugin/kamailio/'));
  writeFileSync(join(directory, 'language.cfg'), head + change(script));
  return relative(ROOT, join(directory, 'language.cfg'));
}

describe.each(builds('smoke'))('Kamailio $version', (build) => {
  it('ok/Python and JavaScript are here, whatever else it was packed with', () => {
    expect(languages(build).map(({ module }) => module)).toEqual(expect.arrayContaining(['app_python3', 'app_jsdt']));
  });
  describe.each(languages(build))('routes for $module', (language) => {
    let stage: Stage;
    let network: Network;
    let user: Caller;

    beforeAll(async () => {
      stage = await Stage.start({ build, partner: true, script: (directory) => written(directory, language) });
      ({ network, user } = stage);
    });
    afterAll(() => stage?.stop());

    async function call(caller: Caller, terms: Parameters<typeof request>[0] = {}) {
      const callId = freshCallId();
      caller.send(request({ callId, headers: SECRET, ...terms }));
      return { callId, answer: await caller.final(callId) };
    }

    it('ok/a partner keeps what it asserts', async () => {
      const trusted = await network.overTls(network.certificateOfA());
      const { callId, answer } = await call(trusted, { headers: ['P-Asserted-Identity: <sip:alice@a.example>'] });
      expect(statusOf(answer)).toBe(200);
      const got = await network.uas.received(callId, 'INVITE');
      expect(rowsOf(got, 'P-Asserted-Identity')).toEqual(['<sip:alice@a.example>']);
      expect(headerOf(got, 'Organization')).toBe('branch');
    });

    it.each(TRANSPORTS)('fail/a stranger does not, over %s, and is told nothing', async (transport) => {
      network.uas.options = { extra: privateRows('told') };
      const caller = await stage.connect(transport);
      const { callId, answer } = await call(caller, { transport: transport.toUpperCase() });
      network.uas.options = {};
      expect(statusOf(answer), answer).toBe(200);
      expectNowhere('secret', [await network.uas.received(callId, 'INVITE')]);
      expectNowhere('told', caller.answers);
    });

    it.each(TRANSPORTS)('ok/what our users call leaves to a stranger over %s, stripped', async (transport) => {
      const { callId, answer } = await call(user, { ruri: stage.stranger.uri(transport), transport: 'UDP' });
      expect(statusOf(answer), answer).toBe(200);
      expect(headerOf(await stage.stranger.received(callId, 'INVITE'), 'Organization')).toBe('branch');
      expectNowhere('secret', stage.stranger.got);
    });

    it('ok/and to a partner with the identity', async () => {
      const { callId, answer } = await call(user, { ruri: 'sip:party@b.example', transport: 'UDP' });
      expect(statusOf(answer), answer).toBe(200);
      expect(await stage.partner.received(callId, 'INVITE')).toContain('<sip:secret@own.example>');
    });

    it.each(['raises', 'ends'])('fail/nothing private leaves where the function of a branch %s', async (name) => {
      for (const transport of TRANSPORTS) {
        const ruri = stage.stranger.uri(transport, name);
        for (const method of ['INVITE', 'MESSAGE']) {
          const callId = freshCallId();
          user.send(request({ callId, ruri, method, transport: 'UDP', headers: SECRET }));
          await user.final(callId, method);
        }
      }
      expectNowhere('secret', stage.stranger.got);
    });
  });

  it.each(languages(build).filter(({ module }) => module === 'app_python3'))(
    'fail/with cfgengine no request gets anywhere, and the log says what to do',
    async (language) => {
      const engine = language.module.replace(/^app_|3s?$/g, '');
      const network = await Network.start({
        build,
        plain: true,
        script: (directory) =>
          written(directory, language, (lines) =>
            lines.replace(/^request_route[\s\S]*/m, '').replace(/^(modparam.*)$/m, `$1\ncfgengine "${engine}"`),
          ),
      });
      try {
        const caller = await network.ownUser();
        const callId = freshCallId();
        caller.send(request({ callId, transport: 'UDP', headers: SECRET }));
        await eventually('the line', () =>
          /siptrust: the poll has not run yet.*docs\/moving-in\.md/.test(network.cscf.log),
        );
        expect(network.uas.find(callId, 'INVITE')).toBeUndefined();
      } finally {
        await network.stop();
      }
    },
  );
});
