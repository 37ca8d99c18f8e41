/**
 * Every key of an agreement, one row each (those of TLS in tls-keys.ts): the reader and its default, and how people see it:
 * docs/policy.md (whose tables are made of this one: `npx vitest run test/unit/policy/docs.test.ts -u`), agreement.show,
 * `policy diff`. A field of the agreement without a row does not compile.
 */

import { z } from 'zod';
import { INTERCONNECTS, PRIVACY_MODES } from '../../sip/table/index.js';
import type { Agreement } from '../../trust/agreement/index.js';
import { boundText } from '../../trust/cover/index.js';
import { entriesOf } from '../../typed.js';
import { choice, yesNo } from '../kinds/index.js';
import { someWords, word, words } from '../reading/index.js';
import { checkName, sourcePrefixes } from '../values/index.js';
import { ASSERTS, readAsserts } from './asserts.js';
import { HEADERS, readHeaders } from './header-rules.js';
import { type Key, key, plain } from './key.js';
import { MIGRATION_KEYS, TLS_KEYS } from './tls-keys.js';
import { readValidity, VALIDITY, validityEnds } from './validity.js';

/** What `defaults:` may say, too. */
export const PRIVACY = choice(...PRIVACY_MODES);

const MECHANISM = choice('tls', 'nds-ip');

/** By the field that their value has in the agreement. */
const COMMON_KEYS = {
  name: key({
    key: 'name',
    shape: word('the name of the agreement'),
    read: (given, site) => {
      checkName(given, site);
      return given;
    },
    doc: {
      values: 'letters, digits, `.`, `_`, `-`; at most 64',
      otherwise: 'required',
      text: 'Stands in verdicts, logs and metrics. Unique, whatever the case.',
    },
  }),
  domains: key({
    key: 'domains',
    shape: someWords('a domain name'),
    read: (_, __, { domains }) => domains,
    doc: {
      values: 'list of domains',
      otherwise: 'required',
      text: 'The domains of the peer network, compared whole with the SIP domain identities of its certificates (RFC 5922 §7.2). Our own domains only with `interconnect: loopback`.',
    },
  }),
  mechanism: key({
    key: 'mechanism',
    shape: MECHANISM.shape,
    read: (given) => given,
    doc: {
      values: MECHANISM.values,
      otherwise: 'required',
      text: 'How the hop is protected: by TLS, or by the path through a security gateway.',
    },
  }),
  interconnect: plain(
    'interconnect',
    choice(...INTERCONNECTS),
    'non-roaming',
    'Which rows of the header table are in force (TS 29.165 Table A.1). `roaming` and `loopback` peers may assert our own domains.',
  ),
  directions: key({
    key: 'directions',
    shape: z
      .array(z.enum(['in', 'out']))
      .min(1)
      .describe('a list of in and out')
      .optional(),
    read: (given): Agreement['directions'] => [...new Set(given ?? (['in', 'out'] as const))],
    doc: {
      values: 'list of `in`, `out`',
      otherwise: 'both',
      text: '`in`: the peer connects to us; `out`: we connect to the peer.',
    },
  }),
  valid: key({
    key: 'valid',
    shape: VALIDITY.optional(),
    read: readValidity,
    ends: validityEnds,
    show: ({ from, until }) => ({ from: boundText(from), until: boundText(until) }),
    said: ({ from, until }) => ({ from: boundText(from), until: boundText(until) }),
    doc: {
      values: '`{from, until}`',
      otherwise: 'always',
      text: 'When the agreement is in force. Ended, or ending within 30 days: a warning.',
      inner: {
        from: { values: 'day or RFC 3339 instant', otherwise: 'no bound', text: 'A day begins at 00:00 UTC.' },
        until: { values: 'day or RFC 3339 instant', otherwise: 'no bound', text: 'A day is valid to its end, UTC.' },
      },
    },
  }),
  asserts: key({
    key: 'asserts',
    shape: ASSERTS.optional(),
    read: readAsserts,
    doc: {
      values: '`{domains, hosts, numbers, transit}`',
      otherwise: 'see below',
      text: 'What P-Asserted-Identity of this peer may bear (RFC 3324 §2.2).',
      inner: {
        domains: {
          values: 'list of domains',
          otherwise: 'those of the agreement',
          text: 'Domains that its SIP identities may have. Ours only with `interconnect: roaming` or `loopback`.',
        },
        hosts: {
          values: 'list of addresses and host names',
          otherwise: 'none',
          text: "What else may stand as host in its SIP identities, as in `<sip:+1…@192.0.2.7>`: IPv4, IPv6 in quotes, names. Compared whole, addresses in every spelling. An address is nobody's domain (RFC 3324 §2.2): name those of the partner's own machines.",
        },
        numbers: {
          values: '`any`, or list of prefixes (`"+4930"`)',
          otherwise: '`any`',
          text: 'Global numbers that it may assert. `any` for an enterprise is a warning.',
        },
        transit: {
          values: '`true`, `false`',
          otherwise: '`false`',
          text: 'The peer passes on what others assert: any domain but ours, and below ours only what `asserts.domains` or another agreement names.',
        },
      },
    },
  }),
  privacy: key({
    key: 'privacy',
    shape: PRIVACY.shape.optional(),
    read: (given, _, { defaults }) => given ?? defaults.privacy,
    doc: {
      values: PRIVACY.values,
      otherwise: '`defaults.privacy`',
      text: 'What happens to identities towards this network while it is *not* trusted. `strict33203`: they are always removed (TS 33.203 §5.4). `rfc3325`: kept unless Privacy asks. `ims24229`: removed unless `Privacy: none` (TS 24.229 §4.4.2). `Privacy: id` removes in every mode.',
    },
  }),
  headers: key({
    key: 'headers',
    shape: HEADERS.optional(),
    read: readHeaders,
    show: (rules) => ({ headers: Object.fromEntries(rules) }),
    doc: {
      values: 'mapping from header field to `{in, out}`',
      otherwise: 'none',
      text: 'Overrides of the header table for this peer while it is trusted; compact forms mean the long name.',
      inner: {
        '*.in': { values: '`keep`, `remove`, `anonymise`', otherwise: 'the table', text: 'Messages from the peer.' },
        '*.out': { values: '`keep`, `remove`, `anonymise`', otherwise: 'the table', text: 'Messages to the peer.' },
      },
    },
  }),
  enforcement: plain(
    'enforcement',
    choice('enforce', 'monitor'),
    'enforce',
    '`monitor` changes no call, and says what it would do: see [monitor](#monitor).',
  ),
  enabled: plain(
    'enabled',
    yesNo,
    true,
    'What a disabled agreement says is checked like that of any other. It trusts nobody; that its lists name a certificate as revoked still counts, see [Where the name does not match](#where-the-name-does-not-match).',
  ),
};

const NDS_KEYS = {
  interface: key({
    key: 'interface',
    shape: word('the name of an interface').optional(),
    read: (given, _, { migration }) => given ?? migration?.interface,
    show: (name) => ({ interface: name ?? '' }),
    doc: { values: 'name of an interface', otherwise: 'required', text: 'Where messages of this network arrive.' },
  }),
  sources: key({
    key: 'sources',
    shape: words('an address prefix, as in 192.0.2.0/28').optional(),
    read: (given, site, { migration, site: whole }) =>
      given === undefined && migration !== undefined
        ? sourcePrefixes(migration.sources, whole.at('migration', 'sources'))
        : sourcePrefixes(given ?? [], site),
    show: (sources) => ({ sources: Array.from(sources, ({ text }) => text) }),
    doc: {
      values: 'list of prefixes',
      otherwise: 'required',
      text: 'Its addresses. Bits after the length must be zero; a bare address is one host. One prefix on one interface belongs to one agreement; of overlapping ones the longest wins, with a warning.',
    },
  }),
};

/** Rows that mean nothing to the other mechanism. */
function only<Rows extends { readonly [field: string]: Key }>(mechanism: Agreement['mechanism'], rows: Rows): Rows {
  // Each row is what it was, and says one thing more.
  return Object.fromEntries(Object.entries(rows).map(([field, row]) => [field, { ...row, mechanism }])) as Rows;
}

/** All of them, in the order in which people see them. */
export const AGREEMENT_KEYS = {
  ...COMMON_KEYS,
  ...only('tls', TLS_KEYS),
  ...only('nds-ip', NDS_KEYS),
  ...only('tls', MIGRATION_KEYS),
} as const satisfies { readonly [Field in keyof Agreement]: Key<Agreement[Field]> };

type Keys = typeof AGREEMENT_KEYS;
type Shapes = { readonly [Field in keyof Keys as Keys[Field]['key']]: Keys[Field]['shape'] };

/** The rows in the order of the table, without their types. */
export const KEY_ROWS: readonly (readonly [keyof Agreement, Key])[] = entriesOf(AGREEMENT_KEYS);

/** An agreement as the file holds it. */
export const AGREEMENT = z.strictObject(
  Object.fromEntries(KEY_ROWS.map(([, { key, shape }]) => [key, shape])) as Shapes,
);

export type AgreementInput = z.infer<typeof AGREEMENT>;
