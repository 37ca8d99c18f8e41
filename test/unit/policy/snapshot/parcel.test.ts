import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test, vi } from 'vitest';
import { parseAddress } from '../../../../src/net/address/address.js';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { checkPolicy } from '../../../../src/policy/snapshot/compile.js';
import { type Held, Packer, type Parcel, unpack } from '../../../../src/policy/snapshot/parcel.js';
import { eachRow, type Rows } from '../../../../src/policy/snapshot/rows.js';
import type { Snapshot } from '../../../../src/trust/agreement/snapshot.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { compile, compiled, MATERIAL, NOW, nds, PIN, tls } from '../fixtures.js';

const RICH = tls(
  'crls: [b.crl]',
  'intermediates: [ca.pem]',
  `pins: [${PIN}]`,
  'headers: {Diversion: {out: anonymise}}',
  'subject: {organization: x}',
  'asserts: {numbers: ["+49"]}',
  'targets: [192.0.2.7:5061]',
  'valid: {from: 2026-01-01}',
);

function packed(packer: Packer, text: string, held?: Held): Parcel {
  const checked = checkPolicy(filesInMemory({ ...MATERIAL, 'p.yaml': text }), 'p.yaml', 7, NOW);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  const parcel = packer.pack(checked.parts, held?.contents);
  // As it comes out of the other end of a message port.
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(parcel);
  const received = receiveMessageOnPort(port2);
  port1.close();
  return received?.message as Parcel;
}

function sent(text: string): Held {
  return atOnce(unpack(packed(new Packer(), text), undefined));
}

/** All of a snapshot but its tables, with the agreements that are found by their names. */
function told({
  agreements,
  byName,
  byDomain,
  byWildcard,
  byTarget,
  byServerName,
  authorities,
  sources,
  ...rest
}: Snapshot) {
  return {
    ...rest,
    sources: [...sources.keys()],
    agreements: [...agreements].map((each) => [each, byName.get(each.name)]),
  };
}

function countOf({ ends }: Rows): number {
  return ends.length;
}

function many(count: number, change: (at: number) => string = () => ''): string {
  const lines = Array.from({ length: count }, (_, at) => [
    `  - name: op-${at}`,
    `    domains: [d${at}.example]`,
    '    mechanism: tls',
    '    anchors: [ca.pem]',
    ...(change(at) === '' ? [] : [`    ${change(at)}`]),
  ]);
  return `${['own_domains: [a.example]', 'agreements:', ...lines.flat()].join('\n')}\n`;
}

describe('a policy on its way between threads', () => {
  for (const [name, text] of [
    ['tls', RICH],
    ['nds-ip', nds('valid: {until: 2026-12-31}')],
    ['both', `${nds()}${RICH.slice(RICH.indexOf('  - name: op-b'))}`],
    ['no agreements', 'own_domains: [a.example]\nagreements: []\n'],
    ['own certificates', `own_certificates: [leaf.pem, ca.pem]\n${tls()}`],
  ] as const) {
    test(`ok/${name}: what arrives is what was sent`, () => {
      const { snapshot } = sent(text);
      const direct = compiled(compile(text)).snapshot;
      expect(told(snapshot)).toEqual(told(direct));
      expect(snapshot.agreements.length).toBe(text.split('- name: ').length - 1);
      expect(Object.keys(snapshot).sort()).toEqual(Object.keys(direct).sort());
    });
  }

  test('ok/sources lead to the agreements of the new snapshot, and lists of prefixes arrive', () => {
    const { snapshot } = sent(nds());
    const address = parseAddress('192.0.2.5');
    expect(address && snapshot.sources.get('za')?.lookup(address)).toBe(snapshot.agreements.at(0));
    expect(Array.from(snapshot.agreements.at(0)?.sources ?? [], ({ text }) => text)).toEqual(['192.0.2.0/28']);
  });

  test('ok/it is frozen through and through', () => {
    const { snapshot } = sent(`own_certificates: [leaf.pem]\n${RICH}`);
    const soft: string[] = [];
    const walk = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
      if (!Object.isFrozen(value)) soft.push(path);
      if (value instanceof Map || value instanceof Set) for (const each of [...value].flat()) walk(each, `${path}<>`);
      // The entries of a list of revoked certificates are the business of x509.
      for (const [key, each] of Object.entries(value)) if (key !== 'crls') walk(each, `${path}.${key}`);
    };
    walk(snapshot, '$');
    expect(soft).toEqual([]);
  });

  test('ok/certificates in force are not sent again, and stay the same objects', () => {
    const packer = new Packer();
    const before = atOnce(unpack(packed(packer, many(50)), undefined));
    const parcel = packed(
      packer,
      many(50, (at) => (at === 7 ? 'require_tls: true' : '')),
      before,
    );
    expect(countOf(parcel.certificates)).toBe(0);
    const after = atOnce(unpack(parcel, before));
    const [old, now] = [before.snapshot.agreements, after.snapshot.agreements];
    const changed = [...now].filter((_, at) => !now.same(at, old, at));
    expect(changed.map(({ name, requireTls }) => [name, requireTls])).toEqual([['op-7', true]]);
    expect(changed[0]?.anchors.client[0]).toBe(old.at(7)?.anchors.client[0]);
    expect(after.snapshot.byDomain.get('d7.example')).toEqual(changed[0]);
  });

  test('ok/what many agreements have alike is sent once and is one object, and nobody gets the terms of another', () => {
    const text = many(50, (at) => (at % 7 === 0 ? 'require_tls: true' : ''));
    const parcel = packed(new Packer(), text);
    const { terms, material } = parcel.agreements;
    expect([terms, material].map(({ texts }) => countOf(texts))).toEqual([2, 1]);
    const { snapshot } = atOnce(unpack(parcel, undefined));
    expect(told(snapshot)).toEqual(told(compiled(compile(text)).snapshot));
    const agreements = [...snapshot.agreements];
    expect(new Set(agreements.map(({ directions }) => directions)).size).toBe(2);
    expect(new Set(agreements.map(({ anchors }) => anchors)).size).toBe(1);
  });

  test('ok/agreements that stay the same objects are copied as they were packed, wherever they stand', () => {
    const packer = new Packer();
    const checked = checkPolicy(
      filesInMemory({ ...MATERIAL, 'p.yaml': `${nds()}${RICH.slice(RICH.indexOf('  - name: op-b'))}` }),
      'p.yaml',
      7,
      NOW,
    );
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    const agreements = [...checked.parts.agreements];
    packer.pack(checked.parts, undefined);
    const written = vi.spyOn(JSON, 'stringify');
    const turned = packer.pack({ ...checked.parts, agreements: agreements.toReversed() }, undefined);
    expect(written).not.toHaveBeenCalled();
    written.mockRestore();
    const names = [...atOnce(unpack(turned, undefined)).snapshot.agreements];
    expect(names).toEqual(
      [
        ...told(atOnce(unpack(new Packer().pack(checked.parts, undefined), undefined)).snapshot).agreements.map(
          ([each]) => each,
        ),
      ].reverse(),
    );
  });

  test('ok/what one side has lost is not made up', () => {
    const packer = new Packer();
    const before = sent(many(3));
    const parcel = packed(packer, many(4), before);
    expect(() => atOnce(unpack(parcel, undefined))).toThrow(/^expected certificate [0-9a-f]{64}, found none$/);
  });

  test('ok/it is opened in many steps', () => {
    const steps = unpack(
      packed(
        new Packer(),
        many(500, (at) => `headers: {X-${at}: {in: keep}}`),
      ),
      undefined,
    );
    let count = 0;
    while (!steps.next().done) count++;
    expect(count).toBeGreaterThan(20);
  });

  test('ok/what grows with the agreements is in memory that threads share, in pieces of bounded size', () => {
    const { contents, certificates, crls, agreements } = packed(new Packer(), many(6000));
    const { own, terms, material, sources, names, authorities } = agreements;
    const rows = [
      ...[contents.certificates, contents.crls, certificates, crls, own, sources, terms.texts, material.texts],
      ...[...Object.values(names), authorities.bySubject].map((index) => index.names),
    ];
    const chunks = rows.flatMap((each) => each.chunks);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(2 ** 18 + 2 ** 12);
    expect(own.chunks.length).toBeGreaterThan(3);
    const numbers = [...rows.map(({ ends }) => ends), terms.places, material.places, authorities.agreements];
    for (const { buffer } of [...chunks, ...numbers]) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('ok/so are prefixes: nothing of them is copied, or counted by V8 of the thread that gets them', () => {
    const { tables } = packed(new Packer(), nds()).agreements;
    const arrays = tables.flatMap(({ parts: { four, six } }) =>
      [four, six].flatMap(({ owners, intervals: { starts, entries, lengths } }) => [owners, starts, entries, lengths]),
    );
    expect(arrays).toHaveLength(8);
    for (const { buffer } of arrays) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('ok/each row is found in its chunk', () => {
    const { own } = packed(new Packer(), many(6000)).agreements;
    const names = [...eachRow(own)].map((row) => JSON.parse(row.toString())[0][0]);
    expect(names).toEqual(Array.from({ length: 6000 }, (_, at) => `op-${at}`));
  });
});
