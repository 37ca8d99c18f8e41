/** Answers of many rows as whoever is on shift reads them: what matters, in one line each. `--json` has all of it. */

import { counted, shortened } from '../../printable.js';
import { isList, isRecord } from '../../typed.js';
import { render } from './render.js';

const rowsOf = (value: unknown) => (isList(value) ? value.filter(isRecord) : []);

const text = (value: unknown): string => (value === undefined ? '' : String(value));
/** Details quote certificates: the whole stands in `explain`. */
const MOST_DETAIL = 120;
const short = (value: unknown): string => shortened(text(value), MOST_DETAIL);
const second = (value: unknown): string => text(value).replace(/\.\d+Z$/, 'Z');

/** The answer of partner.list: a line for each partner, in trouble first. */
export function renderPartners(answer: unknown): string {
  // A daemon of another version may answer otherwise: then it is shown as it is.
  if (!isRecord(answer) || !isList(answer.rows) || typeof answer.total !== 'number') return render(answer);
  const { total, trusted, untrusted, unasked, matched } = answer;
  const rows = rowsOf(answer.rows);
  const lines = rows.map((row) => ({
    partner: row.name,
    now: standing(row),
    reason: row.reason,
    id: row.id,
    asked: second(row.at),
    connections: row.connections,
    peers: row.peers,
    messages: row.messages,
    ends: row.ends === '' ? '' : `${row.ends}: ${counted(Number(row.days), 'day')}`,
    detail: row.trust === 'untrusted' ? short(row.detail) : '',
  }));
  const head = `${counted(total, 'partner')}: ${untrusted} not trusted, ${trusted} trusted, ${unasked} not asked yet; ${matched} fit, ${rows.length} shown`;
  return `${head}\n\n${render(lines)}`;
}

/** What was said last, and how the agreement stands since then. */
function standing({ trust, verdict, would, state }: Readonly<Record<string, unknown>>): string {
  const said = trust === 'unasked' ? 'not asked yet' : would === '' ? text(verdict) : `${verdict} (${would})`;
  return state === undefined || state === 'in-force' ? said : `${said}, ${state}`;
}

/** The decisions of a partner, one a line. */
export function renderDecisions(answer: unknown): string {
  if (!isRecord(answer) || !isList(answer.rows)) return render(answer);
  return render(
    rowsOf(answer.rows).map((row) => ({
      time: second(row.time),
      id: row.id,
      question: `${row.method} ${row.direction}`,
      partner: row.agreement || '(stranger)',
      peer: row.next_hop || row.source,
      verdict: row.verdict,
      action: row.action,
      reason: row.reason,
      detail: row.verdict === 'trusted' ? '' : short(row.detail),
    })),
  );
}

const HAPPENED: Readonly<Record<string, string>> = {
  start: 'siptrustd started',
  reload: 'read',
  refused: 'no good, not read',
  renewed: 'lists or pins changed',
};
/** Differences of one reading that are listed. */
const MOST_DIFFERENCES = 20;

/** What became of a policy: loads, refusals and what each changed. */
export function renderHistory(answer: unknown): string {
  if (!isList(answer)) return render(answer);
  return rowsOf(answer)
    .map(({ kind, revision, at, by, count, problems, differences, more }) => {
      const rows = rowsOf(differences);
      const times = Number(count) > 1 ? `, ${count} times` : '';
      const wrong = Number(problems) > 0 ? `, ${counted(Number(problems), 'problem')}` : '';
      const who = by === '' ? '' : `  by ${by}`;
      const head = `${revision}  ${second(at)}  ${HAPPENED[text(kind)] ?? text(kind)}${times}${wrong}${who}`;
      const shown = rows.slice(0, MOST_DIFFERENCES).map(({ subject, change, key, before, after }) => {
        const values = [before === '' ? '' : `- ${short(before)}`, after === '' ? '' : `+ ${short(after)}`];
        return `  ${[subject, change, key, ...values].filter((part) => part !== '').join(' ')}`;
      });
      const rest = rows.length - shown.length;
      if (rest > 0) shown.push(`  and ${rest} more${more === true ? ' and others' : ''} (--json)`);
      return [head, ...shown].map((line) => render(line)).join('\n');
    })
    .join('\n');
}

/** What ends when; since when it lives stands in `--json`. */
export function renderExpiry(answer: unknown): string {
  if (!isList(answer) || !answer.every(isRecord)) return render(answer);
  return render(answer.map(({ begins, ...row }) => row));
}

/** Names are as long as the CAs of partners like. */
const MOST_SUBJECT = 50;

/** CRLs and OCSP statuses, one a line: the source whole, to be asked for again; other times stand in `--json`. */
export function renderLists(answer: unknown): string {
  if (!isList(answer)) return render(answer);
  return render(
    rowsOf(answer).map((row) => ({
      kind: row.kind,
      source: row.source,
      issuer: shortened(text(row.issuer), MOST_SUBJECT),
      certificate: shortened(text(row.certificate), MOST_SUBJECT),
      next_update: second(row.next_update),
      entries: row.entries,
      state: row.state,
      checked: second(row.checked),
      error: short(row.error),
    })),
  );
}

/** Keys of partners, one a line, and what became of them; names, certificate and first time stand in `--json`. */
export function renderPins(answer: unknown): string {
  if (isRecord(answer) && isList(answer.pins)) {
    const { pins, ...rest } = answer;
    return `${render(rest)}\n\n${renderPins(pins)}`;
  }
  if (!isList(answer)) return render(answer);
  return render(
    rowsOf(answer).map((row) => ({
      agreement: row.agreement,
      state: row.state,
      pin: row.pin,
      count: row.count,
      seen: second(row.last_seen),
      ends: second(row.not_after),
      subject: shortened(text(row.subject), MOST_SUBJECT),
    })),
  );
}

/** Targets are as many as DNS says. */
const MOST_TARGETS = 80;

/** Next hops of the agreements, one a line. */
export function renderHops(answer: unknown): string {
  if (!isRecord(answer) || !isList(answer.hops)) return render(answer);
  const { hops, ...rest } = answer;
  const lines = rowsOf(hops).map((row) => ({
    domain: row.domain,
    agreement: row.agreement,
    status: row.status,
    tls: row.tls,
    targets: shortened(isList(row.targets) ? row.targets.join(' ') : text(row.targets), MOST_TARGETS),
    detail: row.status === 'ready' ? '' : shortened(text(row.detail), MOST_TARGETS),
  }));
  return `${render(rest)}\n\n${render(lines)}`;
}

/** What operators changed, one a line. */
export function renderAudit(answer: unknown): string {
  if (!isList(answer)) return render(answer);
  return render(
    rowsOf(answer).map(({ time, method, params, outcome, peer, credential, by, old_revision, new_revision }) => ({
      time: second(time),
      by: [by, credential].filter((who) => who !== '' && who !== undefined).join(' as '),
      from: peer,
      revision: old_revision === new_revision ? old_revision : `${old_revision} > ${new_revision}`,
      asked: method,
      outcome: short(outcome),
      params: isRecord(params) && Object.keys(params).length === 0 ? '' : short(JSON.stringify(params)),
    })),
  );
}

/** The answer of fleet.list: its seconds with their unit. */
export function renderNodes(answer: unknown): string {
  if (!isRecord(answer) || !isList(answer.nodes)) return render(answer);
  const nodes = rowsOf(answer.nodes).map((row) => ({
    ...row,
    ...('lag' in row ? { lag: `${row.lag} s` } : {}),
    ...('last_contact' in row ? { last_contact: `${row.last_contact} s ago` } : {}),
  }));
  return render({ ...answer, nodes });
}

/** The answers of core.status and core.uptime, with units. */
export function renderStatus(answer: unknown): string {
  if (!isRecord(answer)) return render(answer);
  const { uptime, memory } = answer;
  return render({
    ...answer,
    ...(typeof uptime === 'number' ? { uptime: spanText(uptime) } : {}),
    ...(typeof memory === 'number' ? { memory: `${Math.round(memory / 1_048_576)} MiB` } : {}),
  });
}

/** Seconds from the largest unit that is not 0 on: `1 d 2 h 3 min 4 s`. */
function spanText(seconds: number): string {
  const parts = [
    `${Math.floor(seconds / 86_400)} d`,
    `${Math.floor(seconds / 3600) % 24} h`,
    `${Math.floor(seconds / 60) % 60} min`,
    `${Math.floor(seconds) % 60} s`,
  ];
  const first = parts.findIndex((part) => !part.startsWith('0 '));
  return parts.slice(first).join(' ');
}
