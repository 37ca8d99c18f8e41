/** What a soak has shown: whether it holds, and the page that says so. */

import type { Tally } from './calls.js';
import type { Sample, SoakReport } from './run.js';
import { SIDES, standsReload } from './stage.js';

/** Calls that may fail more than without siptrust: which of two equal proxies meets a busy moment is chance. */
function tolerance({ calls }: Tally): number {
  return Math.max(3, Math.ceil(calls * 0.0005));
}

/** The median of what was sampled from one second to another. */
function median(samples: readonly Sample[], from: number, to: number, of: (sample: Sample) => number): number {
  const values = samples.filter(({ second }) => from <= second && second <= to).map(of);
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

interface Course {
  readonly name: string;
  readonly of: (sample: Sample) => number;
  /** Growth that is none: of what the process has anyway, and in KiB. */
  readonly part: number;
  readonly atLeast: number;
}

/** A siptrustd that is killed every minute has no course of its own. */
const COURSES: readonly Course[] = [
  { name: 'siptrustd that is never killed', of: ({ steady }) => steady, part: 0.1, atLeast: 16_384 },
  { name: 'proxy with siptrust, its own', of: ({ proxy }) => proxy.siptrust, part: 0.1, atLeast: 8_192 },
  { name: 'proxy without, its own', of: ({ proxy }) => proxy.plain, part: 0.1, atLeast: 8_192 },
  { name: 'proxy with siptrust, shared', of: ({ shared }) => shared.siptrust, part: 0.15, atLeast: 8_192 },
  { name: 'proxy without, shared', of: ({ shared }) => shared.plain, part: 0.15, atLeast: 8_192 },
];

/** Memory once it has settled, and at the end: a sixth of the run each (minutes 5 to 10, and 25 to 30). */
function courseOf({ samples, options: { seconds } }: SoakReport, { of }: Course): readonly [number, number] {
  const part = seconds / 6;
  return [median(samples, part, 2 * part, of), median(samples, 5 * part, seconds, of)];
}

/** What does not hold; empty: all of it does. `memory`: the run was long enough to look for leaks. */
export function complaints(report: SoakReport, { memory }: { readonly memory: boolean }): readonly string[] {
  const { steady, passing, arrived } = report;
  const found: string[] = [];
  for (const [what, both] of Object.entries({ steady, passing })) {
    const [ours, plain] = [both.siptrust, both.plain];
    if (ours.failed > plain.failed + tolerance(ours)) {
      found.push(`${what} calls: ${ours.failed} failed with siptrust, ${plain.failed} without`);
    }
    // Where nothing goes, nothing can be worse.
    if (plain.failed > tolerance(plain) + plain.calls * 0.01)
      found.push(`${what} calls: ${plain.failed} failed without siptrust`);
    if (ours.calls === 0) found.push(`${what} calls: there were none`);
  }
  const { kept, leaked } = arrived.siptrust;
  if (leaked > 0) found.push(`${leaked} assertions of a stranger arrived`);
  if (kept === 0) found.push('no assertion of the partner arrived');
  // Without siptrust they arrive: otherwise nothing was shown by the ones that do not.
  if (arrived.plain.leaked === 0) found.push('no assertion of a stranger arrived without siptrust');
  if (!memory) return found;
  for (const course of COURSES) {
    const [settled, end] = courseOf(report, course);
    const most = settled + Math.max(settled * course.part, course.atLeast);
    if (!(end <= most)) found.push(`${course.name}: ${settled} KiB once settled, ${end} KiB at the end`);
  }
  const files = report.samples.map((sample) => sample.files.steady);
  if (Math.max(...files) > (files[0] ?? 0) + 20)
    found.push(`open files of siptrustd: ${files[0]} to ${Math.max(...files)}`);
  return found;
}

const thousands = (value: number) => value.toLocaleString('en');

export function page(reports: readonly SoakReport[], machine: string): string {
  return `# Soak

Calls through two equal proxies side by side, one with siptrust and one without, while what they depend on dies and
changes. Written by \`make soak\` on ${machine}.

While siptrustd is dead or starts, new connections are not trusted: the partner's calls go through, and lose the asserted
identity. Kamailio 5.6 with OpenSSL 3 does not stand \`tls.reload\` under load, with siptrust or without: it breaks
connections ("protocol level error" in its log), keeps the old certificate, or stops to take connections. There
certificates are better changed by a restart, and in its run the proxies keep theirs.

${reports.map(section).join('\n')}`;
}

function section(report: SoakReport): string {
  const { day, kamailio, options, rate, limit, arrived, kills, reloads, rotations, questions } = report;
  const found = complaints(report, { memory: options.seconds >= 600 });
  const { every, seconds } = options;
  const calls = SIDES.map((name) => {
    const [steady, passing] = [report.steady[name], report.passing[name]];
    const cells = [steady.calls, steady.failed, passing.calls, passing.failed].map(thousands);
    return `| ${name === 'plain' ? 'without' : 'with'} | ${cells.join(' | ')} |`;
  });
  const arrivals = SIDES.map((name) => {
    const { kept, removed, leaked, strangers } = arrived[name];
    const cells = [kept, removed, leaked, strangers - leaked].map(thousands);
    return `| ${name === 'plain' ? 'without' : 'with'} | ${cells.join(' | ')} |`;
  });
  const courses = COURSES.map((course) => {
    const [settled, end] = courseOf(report, course);
    return `| ${course.name} | ${(settled / 1024).toFixed(1)} | ${(end / 1024).toFixed(1)} |`;
  });
  const how =
    limit === undefined
      ? ''
      : `: together seven tenths of the ${thousands(Math.round(limit))} that this machine did just before`;
  return `## Kamailio ${kamailio}

On ${day}: ${Math.round(seconds / 60)} minutes, ${rate} calls a second through each proxy${how}.

Meanwhile: a TLS connection of the partner that comes, calls and goes every ${every.connect} s (every fourth is a
stranger's, without a certificate, who asserts the partner's identity); siptrustd killed (SIGKILL) and started again
${kills} times; ${reloads} reloads of changing policies; ${rotations} times a new certificate for the partner${
    standsReload(kamailio) ? ', and for\nall three proxies, which read it by `tls.reload`' : ''
  }. A second siptrustd is never killed: it gets the same
reloads and ${thousands(questions)} questions.

**${found.length === 0 ? 'All of it held.' : `Not all of it held: ${found.join('; ')}.`}**

| siptrust | Calls over a connection that stays | Failed | Calls over one of their own | Failed |
|---|---|---|---|---|
${calls.join('\n')}

| siptrust | Partner's calls that arrived with the asserted identity | Without it | Stranger's calls with it | Without it |
|---|---|---|---|---|
${arrivals.join('\n')}

| Memory, MiB (median) | Second sixth of the run | Last sixth |
|---|---|---|
${courses.join('\n')}

Every sample: [data/soak-${kamailio}.csv](data/soak-${kamailio}.csv); the whole report:
[data/soak-${kamailio}.json](data/soak-${kamailio}.json).
`;
}

export function csv({ samples }: SoakReport): string {
  const lines = [
    'second,siptrustd,steady,proxy_with,proxy_without,shared_with,shared_without,files_steady,files_with,files_without',
  ];
  for (const { second, siptrustd, steady, proxy, shared, files } of samples) {
    const memory = [siptrustd, steady, proxy.siptrust, proxy.plain, shared.siptrust, shared.plain];
    lines.push([second, ...memory, files.steady, files.siptrust, files.plain].join(','));
  }
  return `${lines.join('\n')}\n`;
}
