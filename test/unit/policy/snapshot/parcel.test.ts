import { deserialize, serialize } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { parseAddress } from '../../../../src/net/address/address.js';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { checkPolicy } from '../../../../src/policy/snapshot/compile.js';
import { type Held, octetsOf, Packer, type Parcel, unpack } from '../../../../src/policy/snapshot/parcel.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { CA_PEM, compile, compiled, MATERIAL, NOW, nds, PIN, tls } from '../fixtures.js';

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
  return deserialize(serialize(parcel));
}

function sent(text: string): Held {
  return atOnce(unpack(packed(new Packer(), text), undefined));
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
      expect(snapshot).toEqual(direct);
      expect(Object.keys(snapshot).sort()).toEqual(Object.keys(direct).sort());
    });
  }

  test('ok/sources lead to the agreements of the new snapshot, and lists of prefixes arrive', () => {
    const { snapshot } = sent(nds());
    const address = parseAddress('192.0.2.5');
    expect(address && snapshot.sources.get('za')?.lookup(address)).toBe(snapshot.agreements[0]);
    expect(Array.from(snapshot.agreements[0]?.sources ?? [], ({ text }) => text)).toEqual(['192.0.2.0/28']);
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
    expect(() => (snapshot.byDomain as Map<string, unknown>).set('b.example', 1)).toThrow('part of a snapshot');
  });

  test('ok/of what is in force only the changes are sent, and the rest stays the same objects', () => {
    const packer = new Packer();
    const before = atOnce(unpack(packed(packer, many(50)), undefined));
    const parcel = packed(
      packer,
      many(50, (at) => (at === 7 ? 'require_tls: true' : '')),
      before,
    );
    expect(parcel.agreements.own.map(({ ends }) => ends.length)).toEqual([1]);
    expect(parcel.certificates).toEqual([]);
    const after = atOnce(unpack(parcel, before));
    const changed = after.snapshot.agreements.filter((each, at) => each !== before.snapshot.agreements[at]);
    expect(changed.map(({ name, requireTls }) => [name, requireTls])).toEqual([['op-7', true]]);
    expect(changed[0]?.anchors.client[0]).toBe(before.snapshot.agreements[7]?.anchors.client[0]);
    expect(after.snapshot.byDomain.get('d7.example')).toBe(changed[0]);
  });

  test('ok/what many agreements have alike is sent once and is one object, and nobody gets the terms of another', () => {
    const text = many(50, (at) => (at % 7 === 0 ? 'require_tls: true' : ''));
    const parcel = packed(new Packer(), text);
    const sent = [parcel.agreements.terms, parcel.agreements.material].map(({ texts }) =>
      texts.map(({ ends }) => ends.length),
    );
    expect(sent).toEqual([[2], [1]]);
    const { agreements } = atOnce(unpack(parcel, undefined)).snapshot;
    expect(agreements).toEqual(compiled(compile(text)).snapshot.agreements);
    expect(new Set(agreements.map(({ directions }) => directions)).size).toBe(2);
    expect(new Set(agreements.map(({ anchors }) => anchors)).size).toBe(1);
  });

  test('ok/agreements that moved are found, whoever packs', () => {
    const before = sent(many(3));
    const turned = many(3).replace(/op-0|op-2/g, (name) => (name === 'op-0' ? 'op-2' : 'op-0'));
    const back = turned.replace(/d0\.|d2\./g, (name) => (name === 'd0.' ? 'd2.' : 'd0.'));
    const parcel = packed(new Packer(), back, before);
    expect([...parcel.same]).toEqual([2, 1, 0]);
    expect(atOnce(unpack(parcel, before)).snapshot.agreements).toEqual([...before.snapshot.agreements].reverse());
  });

  test('ok/agreements are found wherever they stood: some gone, some new, and many in another order', () => {
    const before = sent(many(60));
    const [head = '', ...entries] = many(60)
      .split('  - name: ')
      .map((text, at) => (at === 0 ? text : `  - name: ${text}`));
    const ways: Readonly<Record<string, readonly number[]>> = {
      'one is gone': entries.flatMap((_, at) => (at === 7 ? [] : [at])),
      'the first is last': [...entries.keys()].slice(1).concat(0),
      'half of them turned': [...entries.keys()].map((at) => (at < 30 ? 29 - at : at)),
      'all of them turned': [...entries.keys()].reverse(),
    };
    for (const [way, places] of Object.entries(ways)) {
      const text = head + places.map((at) => entries[at]).join('');
      expect([...packed(new Packer(), text, before).same], way).toEqual(places);
    }
    const changed = packed(
      new Packer(),
      many(61, (at) => (at === 3 || at === 4 ? 'privacy: ims24229' : '')),
      before,
    );
    expect([...changed.same]).toEqual(Array.from({ length: 61 }, (_, at) => ([3, 4, 60].includes(at) ? -1 : at)));
  });

  test('ok/an agreement is known again, however often it was packed', () => {
    const before = sent(RICH);
    for (let run = 0; run < 50; run++) expect([...packed(new Packer(), RICH, before).same]).toEqual([0]);
  });

  test('ok/what one side has lost is not made up', () => {
    const packer = new Packer();
    const before = sent(many(3));
    const parcel = packed(packer, many(4), before);
    expect(() => atOnce(unpack(parcel, undefined))).toThrow(/^expected certificate [0-9a-f]{64}, found none$/);
  });

  test('ok/it is opened in many steps', () => {
    const steps = unpack(packed(new Packer(), many(500)), undefined);
    let count = 0;
    while (!steps.next().done) count++;
    expect(count).toBeGreaterThan(20);
  });

  test('ok/it comes in pieces of bounded size, and what is opened is let go', () => {
    const parcel = packed(new Packer(), many(6000));
    const sizes = parcel.agreements.own.map(({ octets }) => octets.length);
    expect(sizes.length).toBeGreaterThan(3);
    expect(Math.max(...sizes)).toBeLessThan(2 ** 18 + 2 ** 12);
    const left: number[] = [];
    const steps = unpack(parcel, undefined);
    while (!steps.next().done) left.push(parcel.agreements.own.length);
    // One less after the other.
    expect(new Set(left)).toEqual(new Set([...sizes.keys(), sizes.length].reverse()));
    expect(parcel.agreements.own).toEqual([]);
  });

  test('ok/octets change hands whole: no buffer twice', () => {
    const checked = checkPolicy(filesInMemory({ ...MATERIAL, 'ca.pem': CA_PEM, 'p.yaml': nds() }), 'p.yaml', 7, NOW);
    if (!checked.ok) throw new Error('expected a policy');
    const octets = octetsOf(new Packer().pack(checked.parts, undefined));
    expect(new Set(octets).size).toBe(octets.length);
  });

  test('ok/what is named in each order to the thread is not copied for it', () => {
    const checked = checkPolicy(filesInMemory({ ...MATERIAL, 'ca.pem': CA_PEM, 'p.yaml': nds() }), 'p.yaml', 7, NOW);
    if (!checked.ok) throw new Error('expected a policy');
    const { contents } = new Packer().pack(checked.parts, undefined);
    for (const hashes of Object.values(contents)) expect(hashes.buffer).toBeInstanceOf(SharedArrayBuffer);
  });
});
