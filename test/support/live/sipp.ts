/** sipp as the users of a network: whole calls at a given rate. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child.js';

export interface SippOptions {
  readonly directory: string;
  /** Where the calls go (host:port), and the address that they come from. */
  readonly target: string;
  readonly source: string;
  /** Calls a second, and how many in all. */
  readonly rate: number;
  readonly calls: number;
  /** Whole header lines of each INVITE. */
  readonly headers: readonly string[];
  /** Header lines of each ACK and BYE. */
  readonly later?: readonly string[];
  readonly port?: number;
  /** Most calls at a time; undefined: as many as the rate brings about. */
  readonly concurrent?: number;
  /** What sipp is run by, where that is not this process (`ip netns exec NAME`). */
  readonly by?: readonly string[];
  /** The caller never gets an answer (its address is another's): it sends the INVITE, and no more. */
  readonly unanswered?: boolean;
}

export interface SippResult {
  readonly succeeded: number;
  readonly failed: number;
  /** Calls a second from the first to the last. */
  readonly perSecond: number;
  /** The last screen, which says what went wrong. */
  readonly screen: string;
}

function block(lines: readonly string[]): string {
  return `<![CDATA[\n${lines.map((line) => `      ${line}`).join('\n')}\n    ]]>`;
}

function message(lines: readonly string[]): string {
  return block([...lines, 'Max-Forwards: 70', 'Content-Length: 0', '']);
}

function scenario({ headers, later = [], unanswered = false }: SippOptions): string {
  const via = 'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]';
  const from = 'From: "Alice" <sip:alice@a.example>;tag=[pid]-[call_number]';
  const contact = 'Contact: <sip:alice@[local_ip]:[local_port]>';
  const dialog = (method: string, cseq: number): readonly string[] => [
    `${method} [next_url] SIP/2.0`,
    ...[via, '[routes]', from, 'To: <sip:bob@own.example>[peer_tag_param]', 'Call-ID: [call_id]'],
    ...[`CSeq: ${cseq} ${method}`, ...later],
  ];
  const invite = [
    'INVITE sip:bob@own.example SIP/2.0',
    ...[via, from, 'To: <sip:bob@own.example>', 'Call-ID: [call_id]', 'CSeq: 1 INVITE', contact, ...headers],
  ];
  const xml = '<?xml version="1.0" encoding="UTF-8"?>';
  if (unanswered) return `${xml}\n<scenario name="sends">\n  <send>\n    ${message(invite)}\n  </send>\n</scenario>\n`;
  return `${xml}
<scenario name="calls">
  <send retrans="500">
    ${message(invite)}
  </send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"/>
  <send>
    ${message(dialog('ACK', 1))}
  </send>
  <send retrans="500">
    ${message(dialog('BYE', 2))}
  </send>
  <recv response="200"/>
</scenario>
`;
}

/** Starts the calls; `result` is there when the last one is over. */
export function startSipp(options: SippOptions): { readonly result: Promise<SippResult>; stop(): Promise<void> } {
  const { directory, target, source, rate, calls, port = 5060, by = [] } = options;
  const { concurrent = Math.max(rate * 20, 100) } = options;
  const file = join(directory, `sipp-${source}-${port}.xml`);
  writeFileSync(file, scenario(options));
  const [command = '', ...first] = [...by, 'sipp'];
  const child = new Child(
    command,
    [
      ...first,
      ...['-sf', file, target, '-i', source, '-p', String(port), '-r', String(rate), '-m', String(calls)],
      ...['-nostdin', '-timeout', '120', '-max_socket', '100', '-l', String(concurrent)],
    ],
    { cwd: directory, env: { TERM: 'dumb' } },
  );
  const result = child.exit().then(() => {
    const count = (label: string): number => {
      const lines = [...child.output.matchAll(new RegExp(`${label}\\s*\\|\\s*\\d+\\s*\\|\\s*(\\d+)`, 'g'))];
      return Number(lines.at(-1)?.[1] ?? Number.NaN);
    };
    const screen = child.output.slice(-4000);
    const rates = [...child.output.matchAll(/Call Rate\s*\|[^|]*\|\s*([0-9.]+) cps/g)];
    const perSecond = Number(rates.at(-1)?.[1] ?? Number.NaN);
    return { succeeded: count('Successful call'), failed: count('Failed call'), perSecond, screen };
  });
  return { result, stop: () => child.stop() };
}

const UAS_ANSWER = [
  '[last_Via:]',
  '[last_Record-Route:]',
  '[last_From:]',
  '[last_To:];tag=[pid]-[call_number]',
  '[last_Call-ID:]',
  '[last_CSeq:]',
  'Contact: <sip:bob@[local_ip]:[local_port]>',
];

const uasScenario = (provisional: string) => `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="answers">
  <recv request="INVITE"/>
  ${provisional}
  <send retrans="500">
    ${message(['SIP/2.0 200 OK', ...UAS_ANSWER])}
  </send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send>
    ${message(['SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]'])}
  </send>
</scenario>
`;

const RINGING = `<send>
    ${message(['SIP/2.0 180 Ringing', ...UAS_ANSWER])}
  </send>`;

/**
 * A called party for more calls than the recording one can take. Without `ringing` it answers at once: where several
 * processes pass answers on, 180 may come after 200, and the caller would not stand that.
 */
export function startSippUas(directory: string, host: string, port = 5060, { ringing = true } = {}): Child {
  const file = join(directory, `sipp-uas-${host}.xml`);
  writeFileSync(file, uasScenario(ringing ? RINGING : ''));
  return new Child('sipp', ['-sf', file, '-i', host, '-p', String(port), '-nostdin'], {
    cwd: directory,
    env: { TERM: 'dumb' },
  });
}
