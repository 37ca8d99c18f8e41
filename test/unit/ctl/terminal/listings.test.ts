import { describe, expect, test } from 'vitest';
import { renderCandidate } from '../../../../src/ctl/terminal/differences.js';
import {
  renderAudit,
  renderDecisions,
  renderExpiry,
  renderHistory,
  renderHops,
  renderLists,
  renderNodes,
  renderPartners,
  renderPins,
  renderStatus,
} from '../../../../src/ctl/terminal/listings.js';
import { render } from '../../../../src/ctl/terminal/render.js';

const partner = {
  ...{ name: 'op-b', domains: ['b.example'], trust: 'untrusted', verdict: 'untrusted', would: '', reason: 'cert-time' },
  ...{
    detail: `CN=${'b'.repeat(200)}`,
    id: 'a-1',
    at: '2026-11-28T10:00:00.123Z',
    connections: 1,
    peers: 2,
    messages: 3,
  },
  ...{ ends: 'anchor', days: 4 },
};

describe('what whoever is on shift reads', () => {
  test.each([
    ['partner.list', renderPartners],
    ['decision.list', renderDecisions],
    ['policy.history', renderHistory],
    ['policy.status', renderCandidate],
    ['audit.list', renderAudit],
    ['cert.expiry', renderExpiry],
    ['pin.list', renderPins],
    ['hop.list', renderHops],
    ['crl.list', renderLists],
    ['core.status', renderStatus],
    ['fleet.list', renderNodes],
  ])('ok/%s of a daemon of another version, which says something else, is shown as it is', (_, shown) => {
    const answers = [
      {},
      null,
      'x',
      { partners: 5 },
      { rows: 'x' },
      { changes: [{ partner: 'op-b' }] },
      { changes: [1] },
    ];
    for (const answer of answers) expect(shown(answer)).toBe(render(answer));
  });

  test('ok/partners: how many, then a line each', () => {
    const answer = { total: 3, trusted: 1, untrusted: 1, unasked: 1, matched: 1, rows: [partner] };
    const [head, , titles, line] = renderPartners(answer).split('\n');
    expect(head).toBe('3 partners: 1 not trusted, 1 trusted, 1 not asked yet; 1 fit, 1 shown');
    expect(renderPartners({ ...answer, total: 1 })).toMatch(/^1 partner: /);
    const stands = (state: string) => renderPartners({ ...answer, rows: [{ ...partner, state, days: 1 }] });
    // What was said last is no more true then, until the partner is asked about again.
    expect(stands('disabled')).toMatch(/^op-b +untrusted, disabled +cert-time .* anchor: 1 day +CN/m);
    expect(stands('in-force')).toMatch(/^op-b +untrusted +cert-time /m);
    expect(titles).toMatch(/^PARTNER +NOW +REASON +ID +ASKED/);
    expect(line).toMatch(/^op-b +untrusted +cert-time +a-1 +2026-11-28T10:00:00Z +1 .* anchor: 4 days +CN=b+\.\.\.$/);
    expect(line?.length).toBeLessThan(250);
  });
  test('ok/decisions; none', () => {
    const row = {
      ...{ id: 'a-2', time: '2026-11-28T10:00:00.123Z', method: 'trust.peer', direction: 'in', agreement: '' },
      ...{
        verdict: 'untrusted',
        action: 'continue',
        reason: 'no-tls',
        detail: 'udp',
        source: '192.0.2.1',
        next_hop: '',
      },
    };
    expect(renderDecisions({ rows: [row] }).split('\n')[1]).toMatch(
      /^2026-11-28T10:00:00Z +a-2 +trust.peer in +\(stranger\)/,
    );
    expect(renderDecisions({ rows: [] })).toBe('(none)');
  });
  test('ok/what operators changed', () => {
    const line = {
      ...{ time: '2026-11-28T10:00:00.123Z', method: 'pin.approve', params: { agreement: 'op-b', pin: 'all' } },
      ...{ outcome: 'done', wire: 'unix', peer: '/run/siptrust/siptrustd.sock', credential: '', by: 'ann' },
      ...{ old_revision: 1796023706, new_revision: 1796023707 },
    };
    const other = { ...line, params: {}, credential: 'desk', outcome: 'x'.repeat(300), new_revision: 1796023706 };
    const [, first, second] = renderAudit([line, other])
      .split('\n')
      .map((each) => each.split(/ {2,}/));
    const from = '/run/siptrust/siptrustd.sock';
    const params = '{"agreement":"op-b","pin":"all"}';
    expect(first).toEqual([
      '2026-11-28T10:00:00Z',
      'ann',
      from,
      '1796023706 > 1796023707',
      'pin.approve',
      'done',
      params,
    ]);
    expect(second?.slice(1, 5)).toEqual(['ann as desk', from, '1796023706', 'pin.approve']);
    expect(second?.[5]?.length).toBeLessThan(125);
  });
  test('ok/what ends: since when it lives is for programs', () => {
    const row = { what: 'anchor', begins: '', ends: '2026-12-28T10:00:00Z', days: 30 };
    expect(renderExpiry([row])).toBe(render([{ what: 'anchor', ends: row.ends, days: 30 }]));
  });
  test('ok/pins: a line each that a terminal holds, however long the names; the key whole, to be copied', () => {
    const pin = `sha256/${'A'.repeat(43)}=`;
    const row = {
      ...{ agreement: 'carrier-interconnect-op-b', state: 'observed', pin, subject: `CN=${'b'.repeat(300)}` },
      ...{ identities: ['b.example', 'c.example'], count: 12345, first_seen: '2026-11-01T10:00:00.123Z' },
      ...{ last_seen: '2026-11-28T10:00:00.123Z', approved_at: '', not_after: '2027-11-01T10:00:00.000Z' },
      certificate: 'c'.repeat(64),
    };
    const [titles = '', line = ''] = renderPins([row]).split('\n');
    expect(titles).toMatch(/^AGREEMENT +STATE +PIN +COUNT +SEEN +ENDS +SUBJECT$/);
    expect(line).toMatch(
      /^carrier\S+ +observed +sha256\/A{43}= +12345 +2026-11-28T10:00:00Z +2027-11-01T10:00:00Z +CN=b+\.\.\.$/,
    );
    expect(line.length).toBeLessThan(200);
    expect(renderPins([])).toBe(render([]));
    expect(renderPins({ revision: 7, pins: [row] }).split('\n')).toEqual(['revision: 7', '', titles, line]);
  });
  test('ok/lists: a line each, however long the name of the CA; where it comes from whole, to be fetched again', () => {
    const source = 'http://crl.b.example/pki/interconnection/tls-ca-2026.crl';
    const row = {
      ...{ kind: 'crl', source, issuer: `CN=${'b'.repeat(300)}`, certificate: '', entries: 41208, state: 'current' },
      ...{ this_update: '2026-11-01T10:00:00.000Z', next_update: '2026-12-01T10:00:00.000Z' },
      ...{ checked: '2026-11-28T10:00:00.123Z', next_check: '2026-11-28T11:00:00.123Z', error: 'expected status 200' },
    };
    const [titles = '', line = ''] = renderLists([row]).split('\n');
    expect(titles).toMatch(/^KIND +SOURCE +ISSUER +CERTIFICATE +NEXT_UPDATE +ENTRIES +STATE +CHECKED +ERROR$/);
    expect(line).toMatch(/^crl +http\S+\.crl +CN=b+\.\.\. +2026-12-01T10:00:00Z +41208 +current +2026\S+ +expected /);
    expect(line.length).toBeLessThan(220);
  });
  test('ok/next hops: a line each, however many targets; why there is none', () => {
    const hop = {
      ...{ status: 'ready', domain: 'b.example', tls: 'yes', require_tls: 1, action: 'continue', code: 0, phrase: '' },
      ...{ agreement: 'op-b', targets: Array(40).fill('tls:192.0.2.7:5061'), target1: 'tls:192.0.2.7:5061', dnssec: 0 },
      ...{ ttl: 60, reason: '', reasons: [], detail: 'what is known', revision: 7 },
    };
    const none = { ...hop, status: 'failed', domain: 'c.example', targets: [], detail: 'no address is left to try' };
    const [, , , , ready = '', failed] = renderHops({ revision: 7, hops: [hop, none], count: 2 }).split('\n');
    expect(ready).toMatch(/^b\.example +op-b +ready +yes +tls:192\.0\.2\.7:5061 tls.*\.\.\.$/);
    expect(ready.length).toBeLessThan(200);
    expect(failed).toMatch(/^c\.example +op-b +failed +yes +no address is left to try$/);
  });
  test('ok/history: what each reading changed; nothing in it drives a terminal', () => {
    const difference = {
      subject: 'agreement op-b',
      change: 'changed',
      key: 'domains',
      before: 'b\u001b[2J',
      after: 'c',
    };
    const event = {
      ...{ kind: 'reload', revision: 7, at: '2026-11-28T10:00:00.123Z', by: 'SIGHUP', count: 1, problems: 0 },
      ...{ differences: Array(25).fill(difference), more: true },
    };
    const lines = renderHistory([event, { ...event, kind: 'refused', count: 3, problems: 2, differences: [] }]).split(
      '\n',
    );
    expect(lines[0]).toBe('7  2026-11-28T10:00:00Z  read  by SIGHUP');
    expect(lines[1]).toBe('  agreement op-b changed domains - b\\x1b[2J + c');
    expect(lines.slice(21)).toEqual([
      '  and 5 more and others (--json)',
      '7  2026-11-28T10:00:00Z  no good, not read, 3 times, 2 problems  by SIGHUP',
    ]);
  });
  test('ok/three hundred problems of a policy are twenty lines', () => {
    const problems = Array.from({ length: 300 }, (_, at) => `/etc/siptrust/siptrust.yaml:${at}:1: error: x`);
    const lines = render({ status: 'stale-policy', problems, warnings: [] }).split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'status:   stale-policy',
      'problems:',
      '  /etc/siptrust/siptrust.yaml:0:1: error: x',
    ]);
    expect(lines.slice(22)).toEqual(['  and 280 more (--json)', 'warnings:']);
  });
});

describe('the state of the daemon', () => {
  test.each([
    [0, '0 s'],
    [59.94, '59 s'],
    [3600, '1 h 0 min 0 s'],
    [93_784, '1 d 2 h 3 min 4 s'],
  ])('ok/%s seconds since the start are %s', (uptime, shown) => {
    expect(renderStatus({ uptime })).toBe(`uptime: ${shown}`);
  });
  test('ok/memory is in MiB, the rest as it is', () => {
    expect(renderStatus({ status: 'ok', uptime: 5, memory: 101_969_920 })).toBe(
      'status: ok\nuptime: 5 s\nmemory: 97 MiB',
    );
  });
});

test('ok/the nodes of a fleet: since when is told with its unit', () => {
  const node = { node: 'a', lag: 0.25, last_contact: 2.8, problem: '' };
  expect(renderNodes({ revision: 1, nodes: [node] })).toBe(
    'revision: 1\nnodes:\n  NODE  LAG     LAST_CONTACT  PROBLEM\n  a     0.25 s  2.8 s ago',
  );
});
