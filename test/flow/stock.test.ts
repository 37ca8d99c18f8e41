/** The configuration that Debian's package of Kamailio comes with, and what README says to add to it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { Child } from '../support/live/child.js';
import { withPartnerB } from '../support/live/daemon.js';
import { readmeSteps, turnedTrusting } from '../support/live/existing-script.js';
import { builds } from '../support/live/kamailio.js';
import { GROUPS, Network } from '../support/live/network.js';
import { installIdentity, Pki } from '../support/live/pki.js';
import { eventually, runDirectory } from '../support/live/places.js';
import { expectRelayed } from '../support/live/relayed.js';
import { headerOf, methodOf, rowsOf, statusOf } from '../support/live/sip-text.js';
import { TlsUas } from '../support/live/uas.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ALICE = 'P-Asserted-Identity: <sip:alice@a.example>';
const CAROL = 'P-Asserted-Identity: "Carol" <sip:carol@own.example>';
/** What the tests define for scripts of their own, and README does not ask for. */
const OURS = ['INSIDE_NETS', 'SOCKET_TLS', 'SOCKET_TCP', 'SOCKET_UDP', 'GROUPS'];

const readmeDefines = () => ({
  ...Object.fromEntries(OURS.map((name) => [`SIPTRUST_${name}`, undefined])),
  SIPTRUST_GROUPS: { string: GROUPS },
});

describe.each(builds('smoke'))('the configuration of the package, Kamailio $version', (build) => {
  let network: Network;
  let trusted: Caller;
  let stranger: Caller;
  let user: Caller;
  let partner: TlsUas;
  let foreign: TlsUas;

  beforeAll(async () => {
    let tls = '';
    network = await Network.start({
      build,
      script: (directory, host) => {
        const nets = [3, 4, 5].map(host).join(', ');
        const listen = 'listen=INSIDE\nlisten=OUTSIDE_TLS\nalias="own.example"\n';
        const written = turnedTrusting(build, directory, { listen, nets });
        tls = written.tls;
        // It relays to other networks only where it authenticates its users.
        const closed =
          /^\tif\(uri!=myself\) \{\n\t\tsl_send_reply\("403", ?"Not relaying"\);\n\t\texit;\n\t\}\n(?=\n#!endif)/m;
        const text = readFileSync(join(ROOT, written.script), 'utf8');
        expect(text).toMatch(closed);
        writeFileSync(join(ROOT, written.script), text.replace(closed, ''));
        return written.script;
      },
      tls: () => tls,
      privateMemory: readmeSteps().memory,
      defines: readmeDefines,
      policy: (standard, host) => withPartnerB(standard, { targets: [`${host(10)}:5061`] }),
      before: async ({ host, pki, cast }) => {
        const server = (at: number, name: string) =>
          TlsUas.start(host(at), pki.certificate({ issuer: cast.operatorB, names: [`DNS:${name}`] }));
        partner = await server(10, 'b.example');
        foreign = await server(12, 'stranger.example');
      },
    });
    trusted = await network.overTls(network.certificateOfA());
    stranger = await network.overTls(network.certificateOfA({ names: ['DNS:c.example'] }));
    user = await network.ownUser();
    await registered('bob', `sip:bob@${network.uas.host}:${network.uas.port}`);
    await registered('partner', 'sip:party@b.example');
  });
  afterAll(async () => {
    partner?.stop();
    foreign?.stop();
    await network?.stop();
  });

  /** From our own side. */
  async function registered(name: string, contact: string): Promise<void> {
    const callId = freshCallId();
    const to = `<sip:${name}@own.example>`;
    const terms = { method: 'REGISTER', ruri: 'sip:own.example', to, from: `${to};tag=1`, transport: 'UDP', callId };
    user.send(request(terms).replace(/^Contact: .*$/m, `Contact: <${contact}>;expires=600`));
    expect(statusOf(await user.final(callId))).toBe(200);
  }

  async function call(caller: Caller, terms: RequestTerms = {}) {
    const callId = freshCallId();
    const sent = request({ callId, headers: [ALICE, 'Subject: kept'], ...terms });
    caller.send(sent);
    return { sent, callId, answer: await caller.final(callId) };
  }

  /** The Request-URI is where Bob is. */
  const asRelayed = (sent: string) =>
    sent.replace(/^INVITE \S+/, `INVITE sip:bob@${network.uas.host}:${network.uas.port}`);

  it('ok/a partner keeps what it asserts, from its first call on', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { sent, callId, answer } = await call(trusted);
      expect(statusOf(answer), answer).toBe(200);
      expectRelayed(await network.uas.received(callId, 'INVITE'), asRelayed(sent));
    }
  });

  it('fail/a stranger does not', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { sent, callId, answer } = await call(stranger);
      expect(statusOf(answer), answer).toBe(200);
      expectRelayed(await network.uas.received(callId, 'INVITE'), asRelayed(sent), ['P-Asserted-Identity']);
    }
  });

  it('ok/the call goes on and ends', async () => {
    const { callId, answer } = await call(trusted);
    const { route, ...dialog } = inDialog(answer);
    trusted.send(request({ ...dialog, method: 'ACK', headers: route }));
    trusted.send(request({ ...dialog, method: 'BYE', cseq: 2, headers: route }));
    expect(statusOf(await trusted.final(callId, 'BYE'))).toBe(200);
    await network.uas.received(callId, 'ACK');
  });

  it('ok/its own answers come as they came before', async () => {
    expect(statusOf((await call(trusted, { ruri: 'sip:nobody@own.example' })).answer)).toBe(404);
    // The first request on a connection is asked about, and then goes on.
    const fresh = await network.overTls(network.certificateOfA());
    expect(statusOf((await call(fresh, { ruri: 'sip:nobody@own.example' })).answer)).toBe(404);
    const other = await network.overTls(network.certificateOfA());
    expect(statusOf((await call(other, { ruri: 'sip:own.example' })).answer)).toBe(484);
  });

  it('ok/a call of ours to where somebody else is reaches him, stripped', async () => {
    // (The Route that led here, with what no stranger gets.)
    const headers = [CAROL, `Route: <sip:${network.host(3)}:5060;lr;cpc=ordinary>`];
    const terms = { ruri: `sip:party@${foreign.host}:5061;transport=tls`, transport: 'UDP', headers };
    const { callId, answer } = await call(user, { ...terms, from: '<sip:carol@own.example>;tag=1' });
    expect(statusOf(answer), answer).toBe(200);
    const got = await foreign.received(callId, 'INVITE');
    for (const name of ['P-Asserted-Identity', 'Route']) expect(rowsOf(got, name)).toEqual([]);
    // The script itself appends this.
    expect(rowsOf(got, 'P-Hint')).toEqual(['outbound']);
  });

  it('ok/P-11 a call of ours reaches a partner with its identity, over the client profile that README gives, and he ends it', async () => {
    await network.proven('b.example');
    const callId = freshCallId();
    const [from, to] = ['<sip:carol@own.example>;tag=1', '<sip:partner@own.example>'];
    const sent = request({ callId, ruri: 'sip:partner@own.example', from, to, transport: 'UDP', headers: [CAROL] });
    user.send(sent.replace(/^Contact: .*$/m, `Contact: <sip:carol@${user.source}>`));
    expect(statusOf(await user.final(callId))).toBe(200);
    const got = await partner.received(callId, 'INVITE');
    expect(rowsOf(got, 'P-Asserted-Identity')).toHaveLength(1);
    expect(network.cscf.log).not.toMatch(/CRITICAL/);
    // By TLS, over the same connection, whatever his Contact says.
    const { route, ...answered } = inDialog(await user.final(callId));
    const ack = { ...answered, ruri: `sip:party@${partner.host}:5061`, from, transport: 'UDP', headers: route };
    user.send(request({ ...ack, method: 'ACK' }));
    await partner.received(callId, 'ACK');
    expect(partner.connections).toBe(1);
    // From of his BYE is what our user dialled.
    const headers = rowsOf(got, 'Record-Route').map((row) => `Route: ${row}`);
    const dialog = { callId, ruri: `sip:carol@${user.source}`, from: `${to};tag=uas`, to: from };
    partner.send(request({ ...dialog, method: 'BYE', headers }));
    await eventually('his BYE', () => user.answers.find((text) => methodOf(text) === 'BYE' && text.includes(callId)));
  });
});

describe.each(builds('smoke'))('the same with WITH_NAT, Kamailio $version', (build) => {
  let network: Network;
  let user: Caller;
  let place: TlsUas;

  /** At the head of route[NATDETECT], as docs/troubleshooting.md has it. */
  function partnersAsTheyAre(script: string): string {
    const advice = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8');
    const line = /`(route\(SIPTRUST_TELL\); if [^`]+)`/.exec(advice)?.[1];
    const text = readFileSync(join(ROOT, script), 'utf8');
    writeFileSync(
      join(ROOT, script),
      text.replace(/^route\[NATDETECT\] \{\n/m, (head) => `${head}\t${line}\n`),
    );
    return script;
  }

  beforeAll(async () => {
    network = await Network.start({
      build,
      script: (directory, host) => {
        const listen = '#!define WITH_NAT\nlisten=INSIDE\nlisten=OUTSIDE_TLS\nalias="own.example"\n';
        const nets = [3, 4, 5].map(host).join(', ');
        return partnersAsTheyAre(turnedTrusting(build, directory, { listen, nets }).script);
      },
      privateMemory: readmeSteps().memory,
      defines: readmeDefines,
      policy: (standard, host) => {
        const [a] = standard.agreements;
        return { ...standard, agreements: [{ ...a, targets: [`${host(10)}:5061`] }] };
      },
      before: async (stage) => {
        place = await TlsUas.start(stage.host(10), stage.certificateOfA());
      },
    });
    user = await network.ownUser();
    const callId = freshCallId();
    const to = '<sip:bob@own.example>';
    const terms = { method: 'REGISTER', ruri: 'sip:own.example', to, from: `${to};tag=1`, transport: 'UDP', callId };
    user.send(request(terms).replace(/^Contact: .*$/m, 'Contact: <sip:bob@10.9.9.9:5060>;expires=600'));
    expect(statusOf(await user.final(callId))).toBe(200);
  }, 90_000);
  afterAll(async () => {
    place?.stop();
    await network?.stop();
  });

  const arrived = (callId: string) =>
    eventually('the call at the address that NAT gives', () =>
      user.answers.find((text) => methodOf(text) === 'INVITE' && headerOf(text, 'Call-ID') === callId),
    );

  it('ok/the branch to a user behind NAT is managed as the file does it', async () => {
    const callId = freshCallId();
    const caller = await network.ownUser();
    caller.send(request({ callId, from: '<sip:carol@own.example>;tag=2', transport: 'UDP' }));
    const got = await arrived(callId);
    expect(rowsOf(got, 'Record-Route').join(), got).toContain(';nat=yes');
  });

  it('ok/what is sent within a call that a partner began keeps its identities', async () => {
    await network.proven('a.example');
    const callId = freshCallId();
    const trusted = await network.overTls(network.certificateOfA());
    const contact = `Contact: <sip:alice@${place.host}:5061;transport=tls>`;
    trusted.send(request({ callId }).replace(/^Contact: .*$/m, contact));
    const got = await arrived(callId);
    const dialog = { callId, from: '<sip:bob@own.example>;tag=2', to: headerOf(got, 'From') ?? '', transport: 'UDP' };
    const route = rowsOf(got, 'Record-Route').map((row) => `Route: ${row}`);
    const ruri = /<([^>]+)>/.exec(headerOf(got, 'Contact') ?? '')?.[1] ?? '';
    user.send(request({ ...dialog, ruri, method: 'UPDATE', headers: [...route, CAROL] }));
    expect(rowsOf(await place.received(callId, 'UPDATE'), 'P-Asserted-Identity')).toHaveLength(1);
  });
});

const root = process.getuid?.() === 0;
if (!root) console.warn('kamailio-cfg/ as its first lines say: not run, a network namespace of its own needs root');

describe.skipIf(!root)('G-16 kamailio-cfg/ runs as it says, from a clone', () => {
  it.each(['cscf', 'edge'])('ok/%s.cfg', { timeout: 60_000 }, async (name) => {
    const { path, remove } = runDirectory();
    const pki = new Pki(join(path, 'pki'));
    const own = pki.authority('Own Operator');
    installIdentity(
      pki.certificate({ issuer: own, names: ['DNS:own.example'] }),
      own.certificate,
      join(path, 'etc/tls'),
    );
    const head = readFileSync(join(ROOT, `kamailio-cfg/${name}.cfg`), 'utf8');
    const steps = [...head.matchAll(/^# {3}((?:cp|kamailio) .*)$/gm)].map(([, command = '']) => command);
    expect(steps.length).toBe(2);
    const commands = [
      'set -e',
      'ip link set lo up',
      `mount --bind ${path}/etc /etc/kamailio`,
      'mkdir -p /etc/kamailio/siptrust',
      ...readmeSteps().commands.filter((line) => line.startsWith('cp plugin/')),
      ...steps.map((line) => line.replace(/^kamailio .*/, (start) => `exec ${start} -DD -E -Y ${path} -w ${path}`)),
    ];
    // Its processes end with the first: a Kamailio that is told to stop while it starts may leave one behind, for ever.
    const child = new Child('unshare', ['-m', '-n', '-p', '--kill-child', 'sh', '-c', commands.join('\n')], {
      cwd: ROOT,
    });
    // Nobody else is there: cscf.cfg says so, and edge.cfg has nobody to ask.
    const runs = () => (name === 'cscf' ? /siptrust: no sidecar answers/ : /Listening on|udp: 127/).test(child.output);
    await eventually(`it runs: ${commands.join('; ')}`, () => runs() || child.ended, 30_000);
    expect(child.ended, child.output).toBe(false);
    expect(child.output).not.toMatch(/CRITICAL|could not/);
    await child.stop('SIGKILL');
    remove();
  });
});
