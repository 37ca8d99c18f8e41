/** docs/partners.md: each policy of the page, run against certificates as such partners have them. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../src/policy/loading/loader.js';
import { readChain } from '../../src/rpc/params/peer-chain.js';
import { expiryRowsInSteps } from '../../src/state/expiry/expiry.js';
import type { Snapshot } from '../../src/trust/agreement/snapshot.js';
import type { Evidence } from '../../src/trust/evidence/evidence.js';
import { planMessage } from '../../src/trust/message/message.js';
import { judgePeer } from '../../src/trust/peer/peer.js';
import { parseCertificate } from '../../src/x509/certificate/certificate.js';
import type { CertificateFacts } from '../../src/x509/certificate/facts.js';
import { atOnce } from '../../src/x509/der/in-steps.js';
import { readPem } from '../../src/x509/der/pem.js';
import { evidenceWith, presenting } from '../support/evidence.js';
import { type Authority, type CertificateTerms, Pki } from '../support/live/pki.js';
import { inputOf } from '../unit/trust/message/message-support.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/partners.md'), 'utf8');
const directory = mkdtempSync(join(tmpdir(), 'siptrust-partners-'));
afterAll(() => rmSync(directory, { recursive: true }));
const pki = new Pki(join(directory, 'pki'));
const now = Date.now();

const publicRoot = pki.authority('Public Root');
const [r10, r11, r12] = ['R10', 'R11', 'R12'].map((name) => pki.authority(name, { issuer: publicRoot })) as [
  Authority,
  Authority,
  Authority,
];
const [oldCa, newCa, evil] = [pki.authority('Old CA'), pki.authority('New CA'), pki.authority('Evil CA')];
const FILES = { 'public-root': publicRoot, r10, r11, 'old-ca': oldCa, 'new-ca': newCa, 'op-b-ca': newCa };
for (const [name, { certificate }] of Object.entries(FILES)) copyFileSync(certificate, join(directory, `${name}.pem`));

const facts = (pem: string): CertificateFacts => {
  const [der] = readPem(pem);
  if (der === undefined) throw new Error('openssl made no certificate');
  return parseCertificate(der);
};
const made = (terms: Omit<CertificateTerms, 'issuer'>, issuer: Authority | undefined) =>
  facts(pki.certificate({ issuer, ...terms }).pem);
const dns = (...names: string[]) => ({ names: names.map((name) => `DNS:${name}`) });

const used = new Set<string>();

/** The blocks of one language under a heading. */
function blocks(heading: string, language: 'yaml' | 'sh'): string[] {
  const from = page.indexOf(`\n## ${heading}\n`);
  if (from < 0) throw new Error(`no heading "${heading}" in docs/partners.md`);
  used.add(heading);
  const end = page.indexOf('\n## ', from + 1);
  const section = page.slice(from, end < 0 ? undefined : end);
  return [...section.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, text = '']) => text);
}

/** The policy under a heading, in force; `warnings`: what siptrustd --check says of it. */
function policyOf(
  heading: string,
  change = (text: string) => text,
): { snapshot: Snapshot; warnings: readonly string[] } {
  const [text] = blocks(heading, 'yaml');
  const file = join(directory, 'siptrust.yaml');
  writeFileSync(file, change(`own_domains: [a.example]\n${text}`));
  const loaded = loadPolicy(file, 1, now);
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded;
}

interface Seen {
  readonly chain?: readonly Authority[];
  readonly to?: string;
  readonly verified?: boolean;
}

function judged(snapshot: Snapshot, certificate: CertificateFacts, { chain = [], to, verified = true }: Seen = {}) {
  const text = chain.map(({ certificate: file }) => encodeURIComponent(readFileSync(file, 'utf8'))).join('');
  const came = readChain(text, certificate, (pem) => facts(pem));
  const way: Partial<Evidence> = to === undefined ? {} : { direction: 'out', nextHop: to };
  const evidence = presenting(certificate, { verified, ...(came === undefined ? {} : { chain: came }) }, way);
  const { verdict, agreement, findings, domains } = judgePeer(evidence, snapshot, now);
  return { verdict, agreement: agreement?.name, reason: findings[0]?.code, detail: findings[0]?.detail, domains };
}
const TRUSTED = { verdict: 'trusted', reason: 'agreement-covers' };

describe('A public CA, exact and wildcard names', () => {
  const { snapshot, warnings } = policyOf('A public CA, exact and wildcard names');
  const names = dns('sip.pstnhub.example', '*.pstnhub.example');
  test('ok/no warning', () => expect(warnings).toEqual([]));
  test.each([
    ['R10', r10],
    ['R11', r11],
    ['R12', r12],
  ] as const)('ok/in and out, whatever the intermediate: %s', (_, issuer) => {
    const certificate = made(names, issuer);
    for (const chain of [[issuer], [issuer, publicRoot]]) {
      expect(judged(snapshot, certificate, { chain })).toMatchObject(TRUSTED);
      expect(judged(snapshot, certificate, { chain, to: 'sip.pstnhub.example' })).toMatchObject(TRUSTED);
    }
  });
  test('fail/without its chain: which CA is missing', () => {
    const { reason, detail } = judged(snapshot, made(names, r12));
    expect([reason, detail]).toEqual(['missing-intermediate', expect.stringContaining('CN=R12')]);
  });
  test('fail/another customer of the CA', () => {
    expect(judged(snapshot, made(dns('evil.example'), r10), { chain: [r10] })).toMatchObject({ reason: 'not-listed' });
  });
  test('fail/the name by another CA', () => {
    expect(judged(snapshot, made(names, evil), { chain: [evil] })).toMatchObject({ reason: 'anchor-mismatch' });
  });
});

describe('A proxy that calls itself by its own name', () => {
  const heading = 'A proxy that calls itself by its own name';
  const { snapshot, warnings } = policyOf(heading);
  const certificate = made(dns('b.example'), newCa);
  test('ok/no warning', () => expect(warnings).toEqual([]));
  test.each(['b.example', 'sbc-1.b.example'])('ok/within a call, out to %s', (to) => {
    expect(judged(snapshot, certificate, { to })).toMatchObject(TRUSTED);
  });
  test('fail/without targets, or without the name under domains', () => {
    for (const words of [/ +targets: .*\n/, ', sbc-1.b.example']) {
      const { snapshot: less } = policyOf(heading, (text) => text.replace(words, ''));
      expect(judged(less, certificate, { to: 'sbc-1.b.example' }).verdict).toBe('untrusted');
    }
  });
});

describe('A network where users roam', () => {
  const { snapshot, warnings } = policyOf('A network where users roam');
  const certificate = made(dns('b.example'), newCa);
  test('ok/no warning', () => expect(warnings).toEqual([]));
  test('ok/in and out', () => {
    expect(judged(snapshot, certificate)).toMatchObject(TRUSTED);
    expect(judged(snapshot, certificate, { to: 'b.example' })).toMatchObject(TRUSTED);
  });
  test.each([
    'P-Asserted-Identity: <sip:alice@a.example>',
    'P-Asserted-Identity: <sip:carol@c.example>, <tel:+4930123>',
    'P-Visited-Network-ID: b.example',
    'WWW-Authenticate: Digest realm="b.example", nonce="x", ck="0011", ik="2233"',
  ])('ok/passes: %s', (row) => {
    const verdict = judgePeer(presenting(certificate), snapshot, now);
    const plan = planMessage({ ...inputOf([row], { method: 'MESSAGE' }), verdict, snapshot });
    expect(plan).toMatchObject({ action: 'continue', remove: [], append: [] });
  });
});

describe('A wildcard alone', () => {
  const { snapshot, warnings } = policyOf('A wildcard alone');
  const certificate = made(dns('*.pstn.x.example'), r10);
  test('ok/in, and out to any of its names', () => {
    const chain = [r10];
    expect(judged(snapshot, certificate, { chain })).toMatchObject({ ...TRUSTED, domains: ['*.pstn.x.example'] });
    expect(judged(snapshot, certificate, { chain, to: 'acme.pstn.x.example' })).toMatchObject(TRUSTED);
    expect(judged(snapshot, certificate, { chain, to: 'a.b.pstn.x.example' })).toMatchObject({ reason: 'not-listed' });
  });
  test('ok/the check warns of it', () => {
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('one label in front of pstn.x.example is accepted');
  });
  test('fail/without the setting', () => {
    const plain = policyOf('A wildcard alone', (text) => text.replace(/.*wildcard_names.*\n/, ''));
    expect(judged(plain.snapshot, certificate, { chain: [r10] })).toMatchObject({ reason: 'wildcard' });
  });
});

describe('Intermediates that rotate, without clientAuth', () => {
  const { snapshot } = policyOf('Intermediates that rotate, without clientAuth');
  const server = { extendedKeyUsage: 'serverAuth' };
  test.each([
    ['R10', r10],
    ['R11', r11],
  ] as const)('ok/calling, unverified, without a chain: %s', (_, issuer) => {
    expect(judged(snapshot, made({ ...dns('b.example'), ...server }, issuer), { verified: false })).toMatchObject(
      TRUSTED,
    );
  });
  test('ok/as next hop, by the name of a machine, under an intermediate that came', () => {
    const certificate = made({ ...dns('sbc-2.b.example'), ...server }, r12);
    expect(judged(snapshot, certificate, { chain: [r12], to: 'b.example' })).toMatchObject(TRUSTED);
  });
  test('fail/an intermediate that the CA added', () => {
    const certificate = made({ ...dns('b.example'), ...server }, r12);
    expect(judged(snapshot, certificate, { verified: false })).toMatchObject({ reason: 'missing-intermediate' });
  });
});

describe('A self-signed certificate', () => {
  const [commands = ''] = blocks('A self-signed certificate', 'sh');
  const home = mkdtempSync(join(directory, 'self-'));
  const pin = execFileSync('sh', ['-ec', commands], {
    cwd: home,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const own = facts(readFileSync(join(home, 'own.pem'), 'utf8'));
  const { snapshot } = policyOf('A self-signed certificate', (text) => text.replace('PIN', pin.trim()));
  test('ok/in and out', () => {
    expect(judged(snapshot, own, { verified: false })).toMatchObject(TRUSTED);
    expect(judged(snapshot, own, { verified: false, to: 'b.example' })).toMatchObject(TRUSTED);
  });
  test('fail/the same name with another key', () => {
    const other = made(dns('b.example'), undefined);
    expect(judged(snapshot, other, { verified: false })).toMatchObject({
      verdict: 'untrusted',
      reason: 'pin-mismatch',
    });
  });
});

describe('A CA that is replaced', () => {
  const [before, during, after] = ['[old-ca.pem]', '[old-ca.pem, new-ca.pem]', '[new-ca.pem]'].map(
    (anchors) =>
      policyOf('A CA that is replaced', (text) => text.replace(/anchors: .*/, `anchors: ${anchors}`)).snapshot,
  ) as [Snapshot, Snapshot, Snapshot];
  const [old, renewed] = [made(dns('b.example'), oldCa), made(dns('b.example'), newCa)];
  test('ok/no question is refused on the way', () => {
    expect([...policyOf('A CA that is replaced').snapshot.agreements]).toEqual([...during.agreements]);
    for (const to of [undefined, 'b.example']) {
      const seen = to === undefined ? {} : { to };
      expect(judged(before, old, seen)).toMatchObject(TRUSTED);
      expect(judged(during, old, seen)).toMatchObject(TRUSTED);
      expect(judged(during, renewed, seen)).toMatchObject(TRUSTED);
      expect(judged(after, renewed, seen)).toMatchObject(TRUSTED);
    }
  });
  test('fail/out of order', () => {
    expect(judged(before, renewed, { chain: [newCa] })).toMatchObject({ reason: 'anchor-mismatch' });
    expect(judged(after, old).verdict).toBe('untrusted');
  });
});

const overUdp = (localPort: number, sourceAddress = '192.0.2.7') =>
  evidenceWith({ transport: 'udp', tls: undefined, sourceAddress, localAddress: '10.0.0.1', localPort });

describe('Two partners behind one address', () => {
  const heading = 'Two partners behind one address';
  test('ok/told apart by our socket', () => {
    const { snapshot } = policyOf(heading);
    const whose = (port: number) => judgePeer(overUdp(port), snapshot, now).agreement?.name;
    expect([whose(5062), whose(5063), whose(5064)]).toEqual(['op-c', 'op-d', undefined]);
  });
  test('fail/on one interface: refused, with the lines of both', () => {
    expect(() => policyOf(heading, (text) => text.replace('interface: za-d', 'interface: za-c'))).toThrow(
      /192\.0\.2\.7\/32 on interface za-c is claimed already by agreement op-c, at .*siptrust\.yaml:10:/,
    );
  });
});

describe('An older partner on UDP behind a gateway', () => {
  const { snapshot } = policyOf('An older partner on UDP behind a gateway');
  test('ok/by socket and prefix, with addresses in its identities', () => {
    const verdict = judgePeer(overUdp(5062), snapshot, now);
    expect(verdict).toMatchObject({ verdict: 'trusted', assurance: 'za' });
    expect(verdict.agreement?.asserts.hosts).toEqual(['192.0.2.7', '[2001:db8:c::7]']);
  });
  test('fail/from elsewhere', () =>
    expect(judgePeer(overUdp(5062, '192.0.2.99'), snapshot, now).verdict).toBe('untrusted'));
});

describe('A certificate of one’s own that is renewed', () => {
  const ours = (until: number) => pki.certificate({ issuer: oldCa, ...dns('a.example'), until }).certificate;
  copyFileSync(ours(10), join(directory, 'own.pem'));
  copyFileSync(ours(300), join(directory, 'own-next.pem'));
  const { snapshot } = policyOf("A certificate of one's own that is renewed");
  test('ok/what ends is told', () => {
    const sources = { snapshot, access: [], pins: [], peers: [], fetched: [], crlWarnMs: 0 };
    const rows = (within: number) =>
      atOnce(expiryRowsInSteps(sources, within, now)).filter(({ what }) => what === 'own-certificate');
    expect([rows(30).length, rows(365).length]).toEqual([1, 2]);
  });
});

test('ok/every policy of the page is run', () => {
  const headings = page
    .split('\n## ')
    .slice(1)
    .filter((section) => section.includes('```yaml'));
  expect([...used].sort()).toEqual(headings.map((section) => section.split('\n')[0]).sort());
});
