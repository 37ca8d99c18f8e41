/** What the tests of plugin/opensips share. */

import { appendFileSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, expect } from 'vitest';
import { type Caller, freshCallId, inDialog, type RequestTerms, request } from '../support/live/caller.js';
import { type OpensipsBuild, opensipsBuild } from '../support/live/opensips.js';
import { agreementByWords, OpensipsNetwork, type OpensipsNetworkOptions } from '../support/live/opensips-network.js';
import { Party } from '../support/live/party.js';
import { eventually } from '../support/live/places.js';
import { expectNowhere } from '../support/live/secrets.js';
import { headerOf, methodOf, type SipText, statusOf } from '../support/live/sip-text.js';

const found = opensipsBuild();
if ('missing' in found) console.warn(`skipped: ${found.missing}`);

/** The OpenSIPS to test on; undefined: there is none, which has been said. */
export const BUILD: OpensipsBuild | undefined = 'missing' in found ? undefined : found;

/** The same where a test runs. */
export function theBuild(): OpensipsBuild {
  if (BUILD === undefined) throw new Error('no OpenSIPS');
  return BUILD;
}

/** Why this cannot be tried on this build; said once. */
export function absent(needed: readonly string[]): string | undefined {
  const build = BUILD;
  if (build === undefined) return 'no OpenSIPS';
  const missing = needed.filter((name) => !existsSync(join(build.modules, name, `${name}.so`)));
  if (missing.length === 0) return undefined;
  const why = `no modules ${missing.join(', ')}`;
  console.warn(`skipped: tests on OpenSIPS ${build.version}: ${why}`);
  return why;
}

/** Our network, two strangers whose certificate names nobody of the policy, a user of ours and a caller from outside. */
export interface Cast {
  readonly network: OpensipsNetwork;
  readonly stranger: Party;
  readonly other: Party;
  readonly user: Caller;
  readonly outsider: Caller;
  stop(): Promise<void>;
}

export async function cast(options: Omit<OpensipsNetworkOptions, 'build'> = {}): Promise<Cast> {
  const network = await OpensipsNetwork.start({ build: theBuild(), ...options });
  const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:stranger.example'] });
  const [stranger, other] = await Promise.all([12, 13].map((at) => Party.start(network.host(at), identity)));
  if (stranger === undefined || other === undefined) throw new Error('nobody there');
  const stop = async () => {
    for (const party of [stranger, other]) party.stop();
    await network.stop();
  };
  return { network, stranger, other, user: await network.user(), outsider: await network.udp(), stop };
}

export interface CastWithPartner extends Cast {
  readonly partner: Party;
}

/** The same, and the partner of b.example at a place of its own, which gets OPTIONS; `agreement` is what that says besides. */
export async function castWithPartner(
  options: Omit<OpensipsNetworkOptions, 'build'> & { readonly agreement?: object },
): Promise<CastWithPartner> {
  const all = await cast(options);
  const { network } = all;
  const terms = { targets: [`${network.host(5)}:5061`], ...options.agreement };
  const agreements = [
    agreementByWords('op-a', 'a.example', network.operatorA),
    agreementByWords('op-b', 'b.example', network.operatorB, terms),
  ];
  await network.daemon.reload({ ...network.standardPolicy, agreements });
  const identity = network.pki.certificate({ issuer: network.operatorB, names: ['DNS:b.example'] });
  const partner = await Party.start(network.host(5), identity);
  const stop = () => {
    partner.stop();
    return all.stop();
  };
  return { ...all, partner, stop };
}

const MI = ['httpd', 'mi_http'];
/** Why operators cannot give orders to this build; said once. */
export const noOrders = (): string | undefined => absent(MI);

/** What a script loads for `ordered`. */
export function takingOrders(script: string, host: (host: number) => string): string {
  const lines = [...MI.map((name) => `loadmodule "${name}.so"\n`), `modparam("httpd", "ip", "${host(8)}")\n`];
  return script.replace('loadmodule "rr.so"\n', (line) =>
    [line, ...lines, 'modparam("httpd", "port", 8888)\n'].join(''),
  );
}

/** An order of an operator (MI), and what OpenSIPS says to it. */
export async function ordered(network: OpensipsNetwork, method: string, params: object): Promise<string> {
  const answer = await fetch(`http://${network.host(8)}:8888/mi`, {
    method: 'POST',
    headers: { connection: 'close', 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return text;
}

export const ASSERTED = 'P-Asserted-Identity: <sip:alice@a.example>';

/** Sends a request and gives the answer to it and what arrived inside. */
export async function called(
  network: OpensipsNetwork,
  caller: Caller,
  terms: RequestTerms = {},
): Promise<{ readonly answer: SipText; readonly arrived: SipText | undefined }> {
  const method = terms.method ?? 'MESSAGE';
  const text = request({ headers: [ASSERTED], ...terms, method });
  const callId = headerOf(text, 'Call-ID') ?? '';
  caller.send(text);
  const answer = await caller.final(callId);
  return { answer, arrived: network.uas.find(callId, method) };
}

/** Sends a request by UDP, an INVITE where nothing else is said, and gives the final answer. */
export function answerTo(caller: Caller, terms: RequestTerms): Promise<SipText> {
  const callId = terms.callId ?? freshCallId();
  caller.send(request({ transport: 'UDP', ...terms, callId }));
  return caller.final(callId, terms.method ?? 'INVITE');
}

type Heard = { readonly got: readonly SipText[] } | Pick<Caller, 'answers'>;
const heard = (who: Heard): readonly SipText[] => ('got' in who ? who.got : who.answers);

/**
 * An INVITE that is answered with 200, its ACK, and further requests of that dialog, each with these rows; all of them by
 * `terms`. They wait until the ACK is with one of `called`: b2b answers 408 to a BYE that it deals with beside the ACK.
 */
export async function talk(
  caller: Caller,
  called: readonly Heard[],
  { headers = [], from, ruri }: Pick<RequestTerms, 'headers' | 'from' | 'ruri'>,
  methods: readonly string[] = ['BYE'],
): Promise<void> {
  const own = from === undefined ? {} : { from };
  const answer = await answerTo(caller, { ...own, ...(ruri === undefined ? {} : { ruri }), headers });
  expect(statusOf(answer), answer).toBe(200);
  const { route, ...terms } = inDialog(answer);
  const within = { ...terms, ...own, headers: [...route, ...headers] };
  const acks = () => called.flatMap(heard).filter((text) => methodOf(text) === 'ACK').length;
  const earlier = acks();
  caller.send(request({ ...within, transport: 'UDP', method: 'ACK' }));
  await eventually('the ACK', () => acks() > earlier);
  for (const [index, method] of methods.entries()) {
    const got = await answerTo(caller, { ...within, method, cseq: index + 2 });
    expect(statusOf(got), got).toBe(200);
  }
}

/** Two sides: within a test nothing of ours (`secret`) is with strangers, and nothing of strangers (`forged`) is with us. */
export function apart(strangers: () => readonly Heard[], ours: () => readonly Heard[]): () => void {
  let before = new Map<Heard, number>();
  const since = (side: readonly Heard[]) => side.flatMap((who) => heard(who).slice(before.get(who)));
  beforeEach(() => {
    before = new Map([...strangers(), ...ours()].map((who) => [who, heard(who).length]));
  });
  return () => {
    expectNowhere('secret', since(strangers()));
    expectNowhere('forged', since(ours()));
  };
}

/** What stands for flags of create_dialog() in scripts of tests: they are letters, and words since OpenSIPS 4.0. */
const FLAGS: readonly (readonly [string, string, string])[] = [
  ['BYE_LATE', 'B', 'bye-on-timeout'],
  ['PINGS', 'Pp', 'options-ping-caller,options-ping-callee'],
  ['INVITES', 'Rr', 'reinvite-ping-caller,reinvite-ping-callee'],
];
/** The script with the flags of this build. */
export function withDialogFlags(script: string): string {
  const which = Number.parseInt(theBuild().version, 10) < 4 ? 1 : 2;
  return FLAGS.reduce((text, flags) => text.replace(flags[0], flags[which]), script);
}

/** A folder for the modules db_text and dispatcher: one set of gateways, the first of them first. */
export function gateways(folder: string, uris: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'version'), 'table_name(string) table_version(int) \ndispatcher:9\n');
  const columns =
    'id(int,auto) setid(int) destination(string) socket(string,null) state(int) probe_mode(int) weight(string) priority(int) attrs(string,null) description(string,null)';
  const rows = uris.map((uri, i) => `${i + 1}:1:${uri.replaceAll(':', '\\:')}::0:1:1:${uris.length - i}::\n`);
  writeFileSync(join(folder, 'dispatcher'), `${columns} \n${rows.join('')}`);
  return folder;
}

/** The tables that come with OpenSIPS for the module db_text; undefined: its sources are not beside the program. */
const TABLES = BUILD && join(dirname(BUILD.program), 'scripts/dbtext/opensips');

/** Why there are no such tables; said once. */
export function noTables(): string | undefined {
  if (TABLES !== undefined && existsSync(TABLES)) return undefined;
  console.warn(`skipped: no ${TABLES}`);
  return 'no tables';
}

/** Where a sample of ours has its certificates: files of the run may stand there. */
export function folderOf(sample: string): string {
  return /"\[outside\](.*)\/own\.pem"/.exec(sample)?.[1] ?? '';
}

/** A colon of a value, as db_text reads it. */
export function value(text: string): string {
  return text.replaceAll(':', '\\:');
}

/** A copy of the tables beside the sample, with these rows. */
export function tables(sample: string, rows: Readonly<Record<string, readonly string[]>>): string {
  const folder = join(folderOf(sample), 'db');
  cpSync(TABLES ?? '', folder, { recursive: true });
  for (const [name, all] of Object.entries(rows)) appendFileSync(join(folder, name), `${all.join('\n')}\n`);
  return folder;
}
