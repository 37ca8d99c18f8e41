/**
 * `make demo`: other networks call ours. Real Kamailios, real TLS, a throw-away set of CAs, calls by sipp; then a table
 * of who called, what siptrust said, and what the called party got. Exit code 1 where a row is not as it must be.
 */

import { fileURLToPath } from 'node:url';
import type { Progress } from '../../src/ctl/long-work/index.js';
import { type Caller, request, udpCaller } from '../support/live/caller.js';
import { run } from '../support/live/child.js';
import type { Decision } from '../support/live/daemon.js';
import { installedBuild } from '../support/live/kamailio.js';
import { longWork } from '../support/live/long-work.js';
import { Network } from '../support/live/network.js';
import { passedOn } from '../support/live/passed-on.js';
import type { Identity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { headerOf, methodOf, rowsOf, type SipText, startLine } from '../support/live/sip-text.js';
import { startSipp } from '../support/live/sipp.js';

const ALICE = '"Alice" <sip:alice@a.example>';
const CALLS = 3;
const CTL = fileURLToPath(new URL('../../dist/ctl/main.js', import.meta.url));

/** How calls are made; each answers with their Call-IDs and the final answer to the INVITE. */
type Calls = (
  id: string,
  assertion: string,
) => Promise<{ readonly callIds: readonly string[]; readonly answer: string }>;

/** One row of the table: who calls, and what must come of it. */
interface Row {
  readonly who: string;
  /** Makes what the row needs (a policy, a connection), and gives the way to call. */
  readonly prepare: (stage: Stage) => Promise<Calls>;
  /** Value of P-Asserted-Identity in the calls. */
  readonly assertion?: string;
  readonly verdict: 'trusted' | 'untrusted' | 'refused';
  /** Must be the script's reason or among those of the decision log. */
  readonly reason: string;
  /** What the called party finds as P-Asserted-Identity; `gone` for none. Or the answer that the caller gets. */
  readonly arrives: string;
}

interface Outcome {
  readonly verdict: string;
  readonly reasons: readonly string[];
  readonly arrived: string;
  /** Where the verdict comes from. */
  readonly source: string;
  /** Of the decision, where one was made for this row. */
  readonly id: string | undefined;
}

const ROWS: readonly Row[] = [
  {
    who: 'a partner, with an agreement',
    prepare: (stage) => stage.partner(),
    verdict: 'trusted',
    reason: 'agreement-covers',
    arrives: ALICE,
  },
  {
    who: 'a stranger: good certificate, no agreement',
    prepare: (stage) => stage.edge(stage.network.certificateOfA({ names: ['DNS:c.example'], commonName: 'c.example' })),
    verdict: 'untrusted',
    reason: 'not-listed',
    arrives: 'gone',
  },
  {
    who: "the partner's name, from another partner's CA",
    prepare: (stage) => stage.edge(stage.network.certificateOfA({ issuer: stage.network.cast.operatorB })),
    verdict: 'untrusted',
    reason: 'anchor-mismatch',
    arrives: 'gone',
  },
  {
    who: "the partner's name, expired certificate",
    prepare: (stage) => stage.edge(stage.network.certificateOfA({ from: -30, until: -2 })),
    verdict: 'untrusted',
    reason: 'cert-time',
    arrives: 'gone',
  },
  {
    who: 'TLS without a client certificate',
    prepare: async ({ network }) => single(await network.overTls(), 'TLS'),
    verdict: 'untrusted',
    reason: 'no-client-cert',
    arrives: 'gone',
  },
  {
    who: 'plain TCP',
    prepare: async ({ network }) => single(await network.overTcp(), 'TCP'),
    verdict: 'untrusted',
    reason: 'no-tls',
    arrives: 'gone',
  },
  {
    who: 'plain UDP',
    prepare: async (stage) => stage.sipp(`${stage.network.address}:5060`),
    verdict: 'untrusted',
    reason: 'no-tls',
    arrives: 'gone',
  },
  {
    who: "the partner, asserting a third network's user",
    prepare: (stage) => stage.partner(),
    assertion: '<sip:carol@c.example>',
    verdict: 'trusted',
    reason: 'assert-foreign',
    arrives: 'gone',
  },
  {
    who: 'the partner, asserting OUR user',
    prepare: (stage) => stage.partnerOnce(),
    assertion: '<sip:bob@own.example>',
    verdict: 'refused',
    reason: 'assert-own',
    arrives: 'SIP/2.0 403',
  },
  {
    who: 'the partner, agreement withdrawn, connection still up',
    prepare: async (stage) => {
      await stage.withdraw('op-a');
      return stage.partner();
    },
    verdict: 'untrusted',
    reason: 'not-listed',
    arrives: 'gone',
  },
  {
    who: 'the partner, agreement back, same connection',
    prepare: async (stage) => {
      await stage.withdraw();
      return stage.partner();
    },
    verdict: 'trusted',
    reason: 'agreement-covers',
    arrives: ALICE,
  },
  {
    who: 'the partner, new connection, sidecar stopped',
    prepare: async (stage) => {
      await stage.stopSidecar();
      return stage.edge(stage.network.certificateOfA());
    },
    verdict: 'untrusted',
    reason: 'internal-error',
    arrives: 'gone',
  },
];

/** Our network with the edges of the others, and the ways to call it. */
class Stage {
  #partner: string | undefined;
  #sources = 0;
  readonly #open: { stop(): unknown }[] = [];

  constructor(readonly network: Network) {}

  /** Calls by sipp through a new edge with this certificate. */
  async edge(identity: Identity): Promise<Calls> {
    const { host } = await this.network.edge(identity);
    return this.sipp(`${host}:5060`);
  }

  /** The same through the partner's edge: one TLS connection for all rows. */
  async partner(): Promise<Calls> {
    return this.sipp(await this.#partnersEdge());
  }

  /** One call through the partner's edge, by a user that reads the answer. */
  async partnerOnce(): Promise<Calls> {
    const [host = ''] = (await this.#partnersEdge()).split(':');
    const user = await udpCaller(host, 5060, this.network.host(49));
    this.#open.push({ stop: () => user.close() });
    return single(user, 'UDP');
  }

  /** Ends the calls that are under way, then the networks. */
  async stop(): Promise<void> {
    for (const each of this.#open) await each.stop();
    await this.network.stop();
  }

  sipp(target: string): Calls {
    this.#sources += 1;
    const { directory, host, uas } = this.network;
    const source = host(50 + this.#sources);
    return async (id, assertion) => {
      const headers = [`Subject: ${id}`, `P-Asserted-Identity: ${assertion}`];
      const calls = startSipp({
        directory,
        target,
        source,
        rate: 20,
        calls: CALLS,
        headers,
        later: [`Subject: ${id}`],
      });
      this.#open.push(calls);
      const { succeeded, screen } = await calls.result;
      if (succeeded !== CALLS) throw new Error(`${succeeded} of ${CALLS} calls succeeded:\n${screen}`);
      const callIds = uas.got
        .filter((text) => methodOf(text) === 'INVITE' && headerOf(text, 'Subject') === id)
        .map((text) => headerOf(text, 'Call-ID') ?? '');
      return { callIds, answer: 'SIP/2.0 200 OK' };
    };
  }

  /** Puts the standard policy without this agreement in force, and waits until the proxy knows. */
  async withdraw(name?: string): Promise<void> {
    const { standardPolicy } = this.network;
    const agreements = standardPolicy.agreements.filter((each) => each.name !== name);
    await this.network.reload({ ...standardPolicy, agreements });
  }

  async stopSidecar(): Promise<void> {
    const { network } = this;
    await network.daemon.stop();
    await eventually('the proxy knows that the sidecar is gone', () => network.sidecarIsDown());
  }

  async #partnersEdge(): Promise<string> {
    this.#partner ??= `${(await this.network.edge(this.network.certificateOfA())).host}:5060`;
    return this.#partner;
  }
}

/** One INVITE by a caller of the test rig. */
function single(caller: Caller, transport: string): Calls {
  return async (id, assertion) => {
    const sent = request({ transport, headers: [`Subject: ${id}`, `P-Asserted-Identity: ${assertion}`] });
    caller.send(sent);
    const callId = headerOf(sent, 'Call-ID') ?? '';
    return { callIds: [callId], answer: startLine(await caller.final(callId)) };
  };
}

/** What the called party got as P-Asserted-Identity in all calls of a row. */
function assertionsIn(invites: readonly SipText[]): string {
  const values = new Set(invites.flatMap((text) => rowsOf(text, 'P-Asserted-Identity')));
  return values.size === 0 ? 'gone' : [...values].join(', ');
}

/** The decision of a row. The log is written after the answer: it may take its time. */
function logged(row: Row, last: () => Decision | undefined): Promise<Decision | undefined> {
  const there = () => {
    const decision = last();
    return (decision?.reasons as readonly string[] | undefined)?.includes(row.reason) && decision;
  };
  return eventually(`a decision for ${row.reason}`, there, 5_000).catch(last);
}

function told(decision: Decision | undefined) {
  const reasons = (decision?.reasons as readonly string[] | undefined) ?? [];
  return { decision, reasons, common: { id: decision?.id as string | undefined } };
}

/** What the script knew when it passed the calls on, and the decision that was made for them, if any. */
async function play(stage: Stage, row: Row, id: string): Promise<Outcome> {
  const { network } = stage;
  const calls = await row.prepare(stage);
  const before = network.daemon.decisions().length;
  const { callIds, answer } = await calls(id, row.assertion ?? ALICE);
  const invites = network.uas.got.filter((text) => methodOf(text) === 'INVITE' && headerOf(text, 'Subject') === id);
  const last = () => network.daemon.decisions().slice(before).at(-1);
  if (!answer.startsWith('SIP/2.0 200')) {
    const { decision, reasons, common } = told(await logged(row, last));
    const verdict = decision?.action === 'reject' ? 'refused' : 'failed';
    return { ...common, verdict, reasons, arrived: invites.length === 0 ? answer : 'the call', source: 'decision log' };
  }
  if (invites.length < callIds.length || callIds.length === 0) throw new Error('not all calls arrived');
  const script = await eventually('the log of the proxy', () => passedOn(network.cscf.log, callIds));
  // What the script does not know, only the decision log says.
  const { decision, reasons, common } = told(script.reasons.includes(row.reason) ? last() : await logged(row, last));
  return {
    ...common,
    verdict: script.verdict,
    reasons: [...new Set([...reasons, ...script.reasons])],
    arrived: assertionsIn(invites),
    source: decision === undefined ? 'script: nothing asked' : 'decision log',
  };
}

function asExpected(row: Row, { verdict, reasons, arrived }: Outcome): boolean {
  const right = row.verdict === 'refused' ? arrived.startsWith(row.arrives) : arrived === row.arrives;
  return right && verdict === row.verdict && reasons.includes(row.reason);
}

const COLUMNS = ['who called', 'verdict: reason', 'P-Asserted-Identity that arrived', 'as it must be'];

function table(lines: readonly (readonly string[])[]): string {
  const all = [COLUMNS, ...lines];
  const widths = COLUMNS.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const drawn = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' | ')
      .trimEnd(),
  );
  return [drawn[0], widths.map((width) => '-'.repeat(width)).join('-|-'), ...drawn.slice(1)].join('\n');
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function demo(stage: Stage, progress: Progress): Promise<number> {
  const lines: string[][] = [];
  const wrong: string[] = [];
  let shown: string | undefined;
  for (const [index, row] of ROWS.entries()) {
    progress.at(index, `row ${index + 1} of ${ROWS.length}, ${row.who}`);
    const outcome = await play(stage, row, `row-${index + 1}`).catch((error: unknown) => String(error));
    const good = typeof outcome !== 'string' && asExpected(row, outcome);
    if (!good) {
      const expected = `${row.verdict}, ${row.reason}, ${row.arrives}`;
      wrong.push(`row ${index + 1} (${row.who}): expected ${expected}; found ${JSON.stringify(outcome)}`);
    }
    if (typeof outcome === 'string') {
      lines.push([`${index + 1} ${row.who}`, 'failed', outcome.split('\n')[0] ?? '', 'NO']);
      continue;
    }
    const reason = outcome.reasons.includes(row.reason) ? row.reason : outcome.reasons.join(' ');
    const verdict = `${outcome.verdict}: ${reason} (${outcome.source})`;
    lines.push([`${index + 1} ${row.who}`, verdict, outcome.arrived, good ? 'yes' : 'NO']);
    if (row.reason === 'anchor-mismatch' && outcome.id !== undefined) {
      const { socket } = stage.network.daemon;
      shown = Buffer.from(await run('node', [CTL, '--socket', socket, 'explain', outcome.id]), 'latin1').toString();
    }
  }
  progress.clear();
  say(`\nEvery call carried an assertion: ${ALICE}, where the row says nothing else.\n\n${table(lines)}\n`);
  if (shown !== undefined)
    say(`Why row 3? "siptrustctl explain ID", with the ID from the decision log, says:\n\n${shown}`);
  for (const line of wrong) say(`NOT AS EXPECTED: ${line}`);
  say(wrong.length === 0 ? `All ${ROWS.length} rows are as they must be.` : `${wrong.length} rows are wrong.`);
  say('The page for operators: "make demo-ui" leaves it up at http://127.0.0.1:7061/ui, and prints tokens for it.');
  say('Next: "make run" in one terminal, then "node dist/ctl/main.js --help"; "siptrustctl explain" shows each check.');
  return wrong.length === 0 ? 0 : 1;
}

const build = installedBuild();
say(`Two networks on loopback addresses, Kamailio ${build.version}, siptrustd, sipp. This takes some seconds.`);
// No 180: Kamailio's workers may pass it on after the 200 that follows at once, which sipp takes for an error.
const uas = { provisional: [] };
await longWork('demo', ROWS.length, async (progress) => {
  progress.at(0, 'the networks start');
  const stage = new Stage(await Network.start({ build, script: 'test/support/live/demo.cfg', uas }));
  try {
    return await demo(stage, progress);
  } finally {
    await stage.stop();
  }
});
