/** The numbers of a run: kept raw, and as tables for people and for spreadsheets. */

import type { CallSample } from './calls.js';
import type { StepSample } from './handshakes.js';

export interface WayResult {
  readonly name: string;
  readonly letter: string;
  readonly samples: readonly CallSample[];
}

export interface StepResult {
  readonly name: string;
  readonly samples: readonly StepSample[];
}

export interface Results {
  readonly at: string;
  readonly machine: string;
  readonly kamailio: string;
  readonly rounds: number;
  /** Load average of one minute at start and end: what else kept the machine busy. */
  readonly load: readonly [number, number];
  readonly ways: readonly WayResult[];
  readonly steps: readonly StepResult[];
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly largest: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1] ?? Number.NaN, sorted[sorted.length >> 1] ?? Number.NaN];
  return { median: (low + high) / 2, least: sorted[0] ?? Number.NaN, largest: sorted.at(-1) ?? Number.NaN };
}

function text(values: readonly number[], digits = 0): string {
  const { median, least, largest } = spread(values);
  const shown = (value: number) =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${shown(median)} (${shown(least)} to ${shown(largest)})`;
}

/** The same transport without any check, round by round: what a way is held against. */
function baseline({ ways }: Results, way: WayResult): WayResult | undefined {
  const transport = way.name.endsWith('UDP') ? 'UDP' : 'TLS';
  return ways.find(({ letter, name }) => letter === 'a' && name.endsWith(transport));
}

function ratios(results: Results, way: WayResult): readonly number[] {
  const held = baseline(results, way);
  return way.samples.map(
    ({ proxyMicroseconds }, round) => proxyMicroseconds / (held?.samples[round]?.proxyMicroseconds ?? Number.NaN),
  );
}

/** The tables of the run, in Markdown. */
export function tables(results: Results): string {
  const { at, machine, kamailio, rounds, load } = results;
  const ways = results.ways.map((way) => {
    const { letter, name, samples } = way;
    const cells = [
      `(${letter}) ${name}`,
      text(samples.map(({ proxyMicroseconds }) => proxyMicroseconds)),
      text(ratios(results, way), 2),
      text(samples.map(({ sidecarMicroseconds }) => sidecarMicroseconds)),
      text(samples.map(({ callsPerSecond }) => callsPerSecond)),
      String(samples.reduce((sum, { failed }) => sum + failed, 0)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const steps = results.steps.map(({ name, samples }) => {
    const cells = [text(samples.map(({ microseconds }) => microseconds)), text(samples.map(({ wall }) => wall))];
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return `# TLS versus IPsec: the numbers

Written by \`make bench-lab\`; [tls-versus-ipsec.md](tls-versus-ipsec.md) says what they mean. Each cell: the median of
${rounds} rounds, and the least and the largest of them. Raw numbers: [data/tls-versus-ipsec.csv](data/tls-versus-ipsec.csv)
and [.json](data/tls-versus-ipsec.json).

Run of ${at} on ${machine}; Kamailio ${kamailio}; load average ${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after.

![Cost per message, calls per second, and the steps of a TLS connection](tls-versus-ipsec.svg)

| Way | Proxy, µs a message | Of the same transport without a check | siptrustd, µs a message | Calls a second | Failed |
|---|---|---|---|---|---|
${ways.join('\n')}

| Step | Processor, µs | As the asking side waits, µs |
|---|---|---|
${steps.join('\n')}
`;
}

/** Every sample, one a line. */
export function csv({ ways, steps }: Results): string {
  const lines = ['kind,name,round,count,failed,messages,proxy_us,sidecar_us,calls_per_second,wall_us'];
  const quoted = (name: string) => `"${name}"`;
  for (const { letter, name, samples } of ways) {
    for (const [round, each] of samples.entries()) {
      const { calls, failed, messages, proxyMicroseconds, sidecarMicroseconds, callsPerSecond } = each;
      const numbers = [proxyMicroseconds, sidecarMicroseconds, callsPerSecond].map((value) => value.toFixed(2));
      lines.push([letter, quoted(name), round, calls, failed, messages, ...numbers, ''].join(','));
    }
  }
  for (const { name, samples } of steps) {
    for (const [round, { count, microseconds, wall }] of samples.entries()) {
      lines.push(
        ['step', quoted(name), round, count, 0, '', microseconds.toFixed(2), '', '', wall.toFixed(2)].join(','),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
