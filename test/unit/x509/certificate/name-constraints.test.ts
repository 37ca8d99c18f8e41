import { describe, expect, it } from 'vitest';
import {
  type CertificateSpec,
  ca,
  ext,
  leaf,
  type NameValue,
  root,
  type SubtreeSpec,
} from '../../../support/certificates.js';
import { expectPath, judgePath, type PathCase, type PathRow } from '../../../support/paths.js';

const constrained = (subtrees: SubtreeSpec): CertificateSpec => ({ add: [ext.constraints(subtrees)] });
const named = (...altNames: NameValue[]): CertificateSpec => ({ extensions: { altNames: ext.altNames(altNames) } });

/** root -> constrained CA -> leaf with these names; not strict, so that odd constraints are compared, not refused. */
function chain(subtrees: SubtreeSpec, end: CertificateSpec, ask: PathCase['ask'] = {}): PathCase {
  const r = root();
  const a = ca(r, constrained(subtrees));
  return { leaf: leaf(a, end), via: [a], anchors: [r], ask: { strict: false, ...ask } };
}

type Expected = 'inside' | 'outside' | 'refused';

/**
 * One name under one constraint: inside its subtree (a permitted one lets it pass, an excluded one does not), outside
 * (the other way round), or refused by both because they cannot be compared.
 */
const pairs: readonly (readonly [constraint: NameValue, name: NameValue, expected: Expected])[] = [
  // dNSName: zero or more labels on the left.
  [{ dns: 'example.com' }, { dns: 'example.com' }, 'inside'],
  [{ dns: 'example.com' }, { dns: 'foo.bar.example.com' }, 'inside'],
  [{ dns: 'Example.COM' }, { dns: 'foo.eXample.com' }, 'inside'],
  [{ dns: 'example.com' }, { dns: 'not-example.com' }, 'outside'],
  [{ dns: 'example.com' }, { dns: 'notexample.com' }, 'outside'],
  [{ dns: 'example.com' }, { dns: 'example.com.evil.example' }, 'outside'],
  [{ dns: 'host.example.com' }, { dns: 'host1.example.com' }, 'outside'],
  [{ dns: 'host.example.com' }, { dns: 'example.com' }, 'outside'],
  [{ dns: '' }, { dns: 'anything.example' }, 'inside'],
  [{ dns: 'example.com' }, { dns: 'example.com.' }, 'inside'],
  [{ dns: 'example.com' }, { dns: '*.example.com' }, 'inside'],
  [{ dns: 'example.com' }, { dns: '.example.com' }, 'refused'],
  [{ dns: 'example.com' }, { dns: 'a\0.example.com' }, 'refused'],
  [{ dns: 'example.com' }, { dns: 'a b.example.com' }, 'refused'],
  [{ dns: 'example.com' }, { dns: 'a..example.com' }, 'refused'],
  [{ dns: 'example.com' }, { dns: '' }, 'refused'],
  [{ dns: '*.example.com' }, { dns: 'foo.example.com' }, 'refused'],
  // A leading dot is not in RFC 5280; deployed ones mean the names below.
  [{ dns: '.example.com' }, { dns: 'foo.example.com' }, 'inside'],
  // iPAddress: address and mask.
  [{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }, { ip: [192, 0, 2, 1] }, 'inside'],
  [{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }, { ip: [192, 0, 3, 1] }, 'outside'],
  [{ ip: [192, 0, 2, 128, 255, 255, 255, 128] }, { ip: [192, 0, 2, 1] }, 'outside'],
  [{ ip: [0, 0, 0, 0, 0, 0, 0, 0] }, { ip: [203, 0, 113, 9] }, 'inside'],
  [{ ip: [0, 0, 0, 0, 0, 0, 0, 0] }, { ip: new Uint8Array(16) }, 'outside'],
  [
    { ip: Uint8Array.from({ length: 32 }, (_, i) => (i < 15 ? 0 : i === 15 ? 1 : 255)) },
    { ip: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)) },
    'inside',
  ],
  [{ ip: [192, 0, 2, 1] }, { ip: [192, 0, 2, 1] }, 'refused'],
  [{ ip: [10, 0, 0, 0, 255, 0, 255, 0] }, { ip: [10, 1, 0, 1] }, 'refused'],
  [{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }, { ip: [192, 0, 2, 0, 255, 255, 255, 0] }, 'refused'],
  // rfc822Name: a mailbox, a host, or a domain.
  [{ email: 'foo@example.com' }, { email: 'foo@example.com' }, 'inside'],
  [{ email: 'foo@example.com' }, { email: 'foo@EXAMPLE.com' }, 'inside'],
  [{ email: 'foo@example.com' }, { email: 'Foo@example.com' }, 'outside'],
  [{ email: 'foo@example.com' }, { email: 'bar@example.com' }, 'outside'],
  [{ email: 'example.com' }, { email: 'foo@example.com' }, 'inside'],
  [{ email: 'example.com' }, { email: 'foo@host.example.com' }, 'outside'],
  [{ email: '.example.com' }, { email: 'foo@host.example.com' }, 'inside'],
  [{ email: '.example.com' }, { email: 'foo@example.com' }, 'outside'],
  [{ email: 'example.com' }, { email: 'invalid@address@example.com' }, 'refused'],
  [{ email: 'invalid@invalid@example.com' }, { email: 'foo@example.com' }, 'refused'],
  // URI: the host of the authority.
  [{ uri: 'example.com' }, { uri: 'https://example.com/x' }, 'inside'],
  [{ uri: 'example.com' }, { uri: 'https://user@EXAMPLE.com:8443/x' }, 'inside'],
  [{ uri: 'example.com' }, { uri: 'https://host.example.com/' }, 'outside'],
  [{ uri: '.example.com' }, { uri: 'https://host.example.com/' }, 'inside'],
  [{ uri: '.example.com' }, { uri: 'https://example.com/' }, 'outside'],
  [{ uri: '.example.com' }, { uri: 'https://example.com@evil.example/' }, 'outside'],
  [{ uri: 'a.example' }, { uri: 'sip:a.example' }, 'refused'],
  [{ uri: 'a.example' }, { uri: 'sips:a.example' }, 'refused'],
  [{ uri: 'example.com' }, { uri: 'https://evil.example\\@example.com/' }, 'refused'],
  [{ uri: 'example.com' }, { uri: 'https://user@evil.example@example.com/' }, 'refused'],
  [{ uri: 'example.com' }, { uri: 'https://example.com:80:90/' }, 'refused'],
  [{ uri: 'example.com' }, { uri: 'https://example.com' }, 'inside'],
  [{ uri: 'example.com' }, { uri: 'https://user:pass%20@example.com:?x=@evil.example' }, 'inside'],
  [{ uri: 'example.com' }, { uri: 'https://192.0.2.1/' }, 'refused'],
  [{ uri: 'example.com' }, { uri: 'https://[2001:db8::1]/' }, 'refused'],
  [{ uri: 'example.com' }, { uri: 'urn:service:sos' }, 'refused'],
  // directoryName: a prefix, relative name by relative name.
  [{ directory: 'O=A' }, { directory: 'O=A,CN=x' }, 'inside'],
  [{ directory: 'O=A' }, { directory: 'O=a,CN=x' }, 'inside'],
  [{ directory: 'O=A,OU=B' }, { directory: 'O=A,CN=x' }, 'outside'],
  [{ directory: 'O=A' }, { directory: 'CN=x,O=A' }, 'outside'],
  [{ directory: 'O=A' }, { directory: 'O=A+OU=B' }, 'outside'],
  // As RFC 4518 prepares strings: what looks the same is the same, invisible characters or not.
  [{ directory: 'O=Evil' }, { directory: 'O=E\u00advil,CN=x' }, 'inside'],
  [{ directory: 'O=Evil' }, { directory: 'O=E\u200bvi\ufe0fl' }, 'inside'],
  [{ directory: 'O=Evil' }, { directory: 'O=\uff25vil' }, 'inside'],
  [{ directory: 'O=Big Evil' }, { directory: 'O= big\u00a0\u2003EVIL ' }, 'inside'],
  [{ directory: 'O=Evil' }, { directory: 'O=\u0415vil' }, 'outside'],
  // Kinds that are not compared.
  [{ other: '1.3.6.1.4.1.55738.666.3' }, { other: '1.3.6.1.4.1.55738.666.3' }, 'refused'],
  [{ rid: '1.2.3' }, { rid: '1.2.4' }, 'refused'],
];

const text = (name: NameValue): string =>
  JSON.stringify(name, (_, value) => (value instanceof Uint8Array ? [...value].join('.') : value));

describe('one name under one constraint (RFC 5280 §4.2.1.10)', () => {
  it.each(
    pairs.map(([constraint, name, expected]) => [text(name), text(constraint), expected, constraint, name] as const),
  )('%s under %s: %s', (_, __, expected, constraint, name) => {
    // Directory constraints reach the subject as well, so it lies inside them.
    const subject = 'directory' in constraint ? (constraint.directory as string) : 'CN=end';
    const excludedSubject = 'directory' in constraint ? 'C=DE' : 'CN=end';
    const permitted = judgePath(chain({ permitted: [constraint] }, { subject, ...named(name) }));
    const excluded = judgePath(chain({ excluded: [constraint] }, { subject: excludedSubject, ...named(name) }));
    expect({ permitted: permitted.ok, excluded: excluded.ok }).toEqual({
      permitted: expected === 'inside',
      excluded: expected === 'outside',
    });
    for (const result of [permitted, excluded]) {
      if (!result.ok) expect(result.findings[0]?.code).toBe('name-constraints');
    }
  });
});

const rows: readonly PathRow[] = [
  [
    'ok/other kinds of names are not constrained',
    () => chain({ permitted: [{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }] }, named({ dns: 'a.example' })),
  ],
  [
    'ok/a constraint on a kind that no name has',
    () => chain({ permitted: [{ dns: 'a.example' }], excluded: [{ other: '1.2.3' }] }, named({ dns: 'a.example' })),
  ],
  [
    'fail/the second name is outside',
    'name-constraints',
    () => chain({ permitted: [{ dns: 'a.example' }] }, named({ dns: 'a.example' }, { dns: 'b.example' })),
  ],
  [
    'fail/excluded wins over permitted',
    'name-constraints',
    () => chain({ permitted: [{ dns: 'a.example' }], excluded: [{ dns: 'a.example' }] }, named({ dns: 'a.example' })),
  ],
  [
    'ok/one of several permitted subtrees',
    () => chain({ permitted: [{ dns: 'b.example' }, { dns: 'a.example' }] }, named({ dns: 'a.example' })),
  ],
  [
    'fail/a wildcard that could match an excluded name (CVE-2025-61727)',
    'name-constraints',
    () =>
      chain(
        { permitted: [{ dns: 'example.com' }], excluded: [{ dns: 'bar.example.com' }] },
        named({ dns: '*.example.com' }),
      ),
  ],
  [
    'ok/a wildcard beside an excluded name that it cannot match',
    () => chain({ excluded: [{ dns: 'x.bar.example.com' }] }, named({ dns: '*.example.com' })),
  ],
  [
    'fail/a wildcard wider than what is permitted',
    'name-constraints',
    () => chain({ permitted: [{ dns: 'foo.example.com' }] }, named({ dns: '*.example.com' })),
  ],
  [
    'fail/a leading dot permits only what lies below',
    'name-constraints',
    () => chain({ permitted: [{ dns: '.example.com' }] }, named({ dns: 'example.com' })),
  ],
  [
    'fail/a leading dot excludes the name itself as well',
    'name-constraints',
    () => chain({ excluded: [{ dns: '.example.com' }] }, named({ dns: 'example.com' })),
  ],
  [
    'fail/the subject is a directory name',
    'name-constraints',
    () => chain({ permitted: [{ directory: 'CN=foo' }] }, { subject: 'CN=not-foo', ...named({ directory: 'CN=foo' }) }),
  ],
  [
    'fail/the subject is excluded',
    'name-constraints',
    () => chain({ excluded: [{ directory: 'CN=foo' }] }, { subject: 'CN=foo', ...named({ directory: 'CN=not-foo' }) }),
  ],
  [
    'ok/an empty subject is no directory name',
    () =>
      chain(
        { permitted: [{ directory: 'CN=foo' }] },
        { subject: '', extensions: { altNames: ext.altNames([{ dns: 'a.example' }], true) } },
      ),
  ],
  [
    'fail/emailAddress of the subject',
    'name-constraints',
    () =>
      chain(
        { permitted: [{ email: 'a.example' }] },
        { subject: 'CN=x,emailAddress=u@b.example', ...named({ email: 'u@a.example' }) },
      ),
  ],
  [
    'ok/emailAddress of the subject inside',
    () => chain({ permitted: [{ email: 'a.example' }] }, { subject: 'CN=x,emailAddress=u@a.example' }),
  ],
  [
    'fail/a common name that stands for a missing subjectAltName',
    'name-constraints',
    () =>
      chain({ permitted: [{ dns: 'a.example' }] }, { subject: 'CN=b.example', extensions: { altNames: undefined } }),
  ],
  [
    'ok/a common name beside subjectAltName',
    () => chain({ permitted: [{ dns: 'a.example' }] }, { subject: 'CN=b.example', ...named({ dns: 'a.example' }) }),
  ],
  [
    'fail/a sip: URI under a URI constraint (rulebook F9)',
    'name-constraints',
    () => chain({ permitted: [{ uri: '.a.example' }] }, named({ uri: 'sip:sbc.a.example' })),
  ],
  [
    'fail/a sip: URI under a DNS constraint: its host is a domain (rulebook F9, T-38)',
    'name-constraints',
    () => chain({ permitted: [{ dns: 'a.example' }] }, named({ uri: 'sip:b.example' })),
  ],
  [
    'fail/with a port and parameters, in capitals',
    'name-constraints',
    () => chain({ permitted: [{ dns: 'a.example' }] }, named({ uri: 'SIP:B.Example:5061;transport=tls' })),
  ],
  ...['sip:b.example?x=y', 'sip:b.example:5061', 'sip:b.example;maddr=a.example'].map(
    (uri): PathRow => [
      `fail/${uri} beside a URI that is permitted`,
      'name-constraints',
      () => chain({ permitted: [{ dns: 'a.example' }] }, named({ uri: 'sip:a.example' }, { uri })),
    ],
  ),
  [
    'fail/an excluded domain in a sip: URI beside a dNSName that is not',
    'name-constraints',
    () => chain({ excluded: [{ dns: 'b.example' }] }, named({ uri: 'sip:b.example' }, { dns: 'a.example' })),
  ],
  [
    'ok/a sip: URI of a permitted domain, and others that name none',
    () =>
      chain(
        { permitted: [{ dns: 'a.example' }] },
        named({ uri: 'sip:sbc.a.example:5061' }, { uri: 'https://b.example/' }, { uri: 'sip:x@b.example' }),
      ),
  ],
  ...[
    'sip:192.0.2.1',
    'sip:192.0.2.1:5061',
    'sip:[2001:db8::1]',
    'sip:sbc-1',
    'sip:alice:secret@a.example',
    'sip:alice;x=1@a.example',
    'sip:b.example:x@a.example',
    'sip:b_1.example',
    'sip:b.example;x="y"',
    'sip:b.example:port',
  ].map(
    (uri): PathRow => [
      `ok/${uri} names no SIP domain, and is held to no DNS constraint`,
      () => chain({ permitted: [{ dns: 'a.example' }] }, named({ uri: 'sip:a.example' }, { uri })),
    ],
  ),
  [
    'ok/a sip: URI below an excluded domain of another name',
    () => chain({ excluded: [{ dns: 'c.example' }] }, named({ uri: 'sip:b.example' })),
  ],
  [
    'fail/the anchor is constrained',
    'name-constraints',
    () => {
      const r = root(constrained({ permitted: [{ dns: 'a.example' }] }));
      return { leaf: leaf(r), anchors: [r] };
    },
  ],
  [
    'ok/the names of the anchor itself are not constrained',
    () => {
      const r = root({
        add: [ext.constraints({ permitted: [{ dns: 'peer.example' }] }), ext.altNames([{ dns: 'other.example' }])],
      });
      return { leaf: leaf(r), anchors: [r] };
    },
  ],
  [
    'fail/an intermediate has an excluded name',
    'name-constraints',
    () => {
      const r = root(constrained({ excluded: [{ dns: 'forbidden.example' }] }));
      const a = ca(r);
      const b = ca(a, { extensions: { altNames: ext.altNames([{ dns: 'forbidden.example' }]) } });
      return { leaf: leaf(b), via: [a, b], anchors: [r] };
    },
  ],
  [
    'ok/a self-issued intermediate is not constrained',
    () => {
      const r = root({ subject: 'CN=self', ...constrained({ permitted: [{ dns: 'peer.example' }] }) });
      const a = ca(r, { subject: 'CN=self', extensions: { altNames: ext.altNames([{ dns: 'other.example' }]) } });
      return { leaf: leaf(a), via: [a], anchors: [r] };
    },
  ],
  [
    'fail/a self-issued leaf is',
    'name-constraints',
    () => {
      const r = root(constrained({ permitted: [{ dns: 'peer.example' }] }));
      const a = ca(r, { subject: 'CN=self' });
      return { leaf: leaf(a, { subject: 'CN=self', ...named({ dns: 'other.example' }) }), via: [a], anchors: [r] };
    },
  ],
  [
    'fail/a CA below narrows',
    'name-constraints',
    () => {
      const r = root();
      const a = ca(r, constrained({ permitted: [{ dns: 'foo.example' }, { dns: 'peer.example' }] }));
      const b = ca(a, constrained({ permitted: [{ dns: 'foo.example' }] }));
      return { leaf: leaf(b), via: [a, b], anchors: [r] };
    },
  ],
  [
    'fail/a CA below does not widen',
    'name-constraints',
    () => {
      const r = root();
      const a = ca(r, constrained({ permitted: [{ dns: 'foo.example' }] }));
      const b = ca(a, constrained({ permitted: [{ dns: 'foo.example' }, { dns: 'peer.example' }] }));
      return { leaf: leaf(b), via: [a, b], anchors: [r] };
    },
  ],
  [
    'ok/another certificate of the constrained CA is not',
    () => {
      const [x, y] = [root(), root()];
      const a = ca(x, constrained({ excluded: [{ dns: 'peer.example' }] }));
      const b = ca(y, { subject: a.subject, key: a.key });
      return { leaf: leaf(a), via: [a, b], anchors: [x, y] };
    },
  ],
];

describe('names along a path (RFC 5280 §6.1.3 (b), (c))', () => {
  it.each(rows.map((row) => [row[0], row] as const))('%s', (_, row) => {
    expectPath(row);
  });

  it('ok/thousands of names under thousands of constraints cost their sum, not their product', () => {
    const excluded = Array.from({ length: 1100 }, (_, i) => ({ dns: `x${i}.test` }));
    const names = Array.from({ length: 513 }, (_, i) => ({ dns: `t${i}.test` }));
    const asked = chain({ excluded }, named(...names));
    expect(judgePath({ ...asked, ask: { ...asked.ask, budget: 8_000 } })).toMatchObject({ ok: true });
  });

  it('fail/one constraint that cannot be compared hides what the others of its kind say', () => {
    const odd = { permitted: [{ dns: 'peer.example' }, { dns: '*.example' }] };
    expect(judgePath(chain(odd, named({ dns: 'peer.example' }))).findings[0]?.detail).toContain('cannot be compared');
  });
});
