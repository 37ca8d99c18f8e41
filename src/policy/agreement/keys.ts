/**
 * Every key of an agreement, one row each: the reader and its default, the mechanism that it belongs to, and how people see
 * it: docs/policy.md (whose tables are made of this one: `npx vitest run test/unit/policy/docs.test.ts -u`), agreement.show, `policy diff`. A field of the agreement without
 * a row does not compile.
 */

import { z } from 'zod';
import type { Agreement } from '../../trust/agreement/index.js';
import { boundText } from '../../trust/cover/index.js';
import { entriesOf } from '../../typed.js';
import { instant } from '../../x509/der/index.js';
import { EKU_POLICIES } from '../../x509/rules/index.js';
import { choice, yesNo } from '../kinds/index.js';
import { someWords, word, words } from '../reading/index.js';
import { checkName, domainNames, pinHashes, sourcePrefixes, staticTargets, wildcardSuffixes } from '../values/index.js';
import { ANCHORS, readAnchors } from './anchors.js';
import { ASSERTS, readAsserts } from './asserts.js';
import { HEADERS, readHeaders } from './header-rules.js';
import { type Key, key, plain } from './key.js';
import { NAME_MATCH, NAME_MATCH_LINES, readIssuers, readNameMatch, WORDS_MATCH } from './name-match.js';
import { certificateEnds, crlEnds, showAuthority, showCrl, showTarget } from './show.js';
import { MIGRATION, readMigrationEnd, readValidity, VALIDITY, validityEnds } from './validity.js';

const DOMAINS = 'a domain name';
const CERTIFICATES = 'the path of a certificate file';
const PREFIX = 'an address prefix, as in 192.0.2.0/28';
const ENDPOINT = 'an IP address and a port, as in 192.0.2.7:5061';

/** What `defaults:` may say, too. */
export const PRIVACY = choice('strict33203', 'rfc3325', 'ims24229');
export const REVOCATION = choice('hard', 'soft', 'off');
export const EKU = choice(...EKU_POLICIES);

const MECHANISM = choice('tls', 'nds-ip');
const LEAF = choice('leaf');

export const AGREEMENT_KEYS = {
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
    shape: someWords(DOMAINS),
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
    choice('non-roaming', 'roaming', 'loopback', 'enterprise', 'internet'),
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

  anchors: key({
    key: 'anchors',
    mechanism: 'tls',
    shape: ANCHORS.optional(),
    read: (given, site, { material }) => readAnchors(given, site, material),
    ends: ({ client, server }, now) => `${certificateEnds(client, now)} ${certificateEnds(server, now)}`,
    show: ({ client, server }) => ({
      anchors: { client: client.map(showAuthority), server: server.map(showAuthority) },
    }),
    doc: {
      values: 'list of files, or `{client, server}`',
      otherwise: 'required',
      text: 'CA certificates that may vouch for this network, and for no other. A plain list holds for both roles. Not needed with `pins` and `pin: leaf`.',
      inner: {
        client: {
          values: 'list of files',
          otherwise: 'none',
          text: 'For peers that connect to us: they are the TLS client.',
        },
        server: { values: 'list of files', otherwise: 'none', text: 'For peers that we connect to.' },
      },
    },
  }),
  intermediates: key({
    key: 'intermediates',
    mechanism: 'tls',
    shape: words(CERTIFICATES).optional(),
    read: (given, site, { material }) => material.certificates(given ?? [], site, 'intermediate'),
    ends: certificateEnds,
    show: (certificates) => ({ intermediates: certificates.map(showAuthority) }),
    doc: {
      values: 'list of files',
      otherwise: 'none',
      text: 'CA certificates that complete the path from peer to anchor; they are not trusted by themselves. What the peer sends with its certificate does the same (`tls.chain`): see [partners.md](partners.md).',
    },
  }),
  serverNames: key({
    key: 'server_names',
    mechanism: 'tls',
    shape: words(DOMAINS).optional(),
    read: (given, site) => domainNames(given ?? [], site),
    doc: {
      values: 'list of domains',
      otherwise: 'none',
      text: 'Names that the certificates of its servers may bear in place of the domain (`edge-1.b.example`), under the anchors of this agreement and as next hops of this agreement alone (RFC 5922 §7.3 asks for the domain). Several agreements may name one machine. Nobody is known by them who calls: such names belong under `domains`. Never one of our domains or a domain of another agreement.',
    },
  }),
  wildcardNames: key({
    key: 'wildcard_names',
    mechanism: 'tls',
    shape: words('the domain name behind the wildcard label').optional(),
    read: (given, site) => wildcardSuffixes(given ?? [], site),
    doc: {
      values: 'list of domains',
      otherwise: 'none',
      text: "Suffixes of which one label in front is this network, in both directions: `pstn.x.example` stands for certificates with `*.pstn.x.example` or `sbc7.pstn.x.example`, and for next hops `acme.pstn.x.example`. RFC 5922 §7.2 takes no wildcard, so each is a warning: any machine with a name there passes for the partner. Neither ours nor another agreement's: no overlap with `own_domains`, or with domains and suffixes of others, above or below.",
    },
  }),
  subject: key({
    key: 'subject',
    mechanism: 'tls',
    shape: NAME_MATCH.optional(),
    read: readNameMatch,
    doc: {
      values: 'mapping',
      otherwise: 'none asked for',
      text: 'Attributes that the subject of the certificate must have; each value is compared whole.',
      inner: NAME_MATCH_LINES,
    },
  }),
  issuer: key({
    key: 'issuer',
    mechanism: 'tls',
    shape: NAME_MATCH.optional(),
    read: readNameMatch,
    doc: { values: 'mapping', otherwise: 'none asked for', text: 'The same for the issuer.', inner: NAME_MATCH_LINES },
  }),
  attributeIssuers: key({
    key: 'attributes',
    mechanism: 'tls',
    shape: WORDS_MATCH.optional(),
    read: (given, site) => readIssuers(given?.issuers ?? [], site.at('issuers')),
    show: (issuers) => ({ attributes: { issuers } }),
    said: (issuers) => ({ issuers }),
    doc: {
      values: 'mapping',
      otherwise: 'none asked for',
      text: 'What is asked of words about a certificate.',
      inner: {
        issuers: {
          values: 'list of names on one line, as in `/O=Operator B/CN=Operator B CA`',
          otherwise: 'none',
          text: 'For proxies that have no certificate but words about one ([opensips.md](opensips.md)): the issuer that they read must be one of these, whole. Words count under no agreement that has neither this nor `issuer`.',
        },
      },
    },
  }),
  revocation: key({
    key: 'revocation',
    mechanism: 'tls',
    shape: REVOCATION.shape.optional(),
    read: (given, _, { defaults }) => given ?? defaults.revocation,
    doc: {
      values: REVOCATION.values,
      otherwise: '`defaults.revocation`',
      text: 'A status that cannot be determined is not trusted (`hard`), or trusted and flagged (`soft`). `off`: nobody looks. A certificate that is known to be revoked is refused in both other modes.',
    },
  }),
  crls: key({
    key: 'crls',
    mechanism: 'tls',
    shape: words('the path of a CRL file').optional(),
    read: (given, site, { material }) => material.crls(given ?? [], site),
    ends: crlEnds,
    show: (crls) => ({ crls: crls.map(showCrl) }),
    doc: {
      values: 'list of files',
      otherwise: 'none',
      text: 'CRLs for the certificates of the path. Past nextUpdate: a warning, and the list settles nothing.',
    },
  }),
  eku: key({
    key: 'eku',
    mechanism: 'tls',
    shape: EKU.shape.optional(),
    read: (given, _, { defaults }) => given ?? defaults.eku,
    doc: {
      values: EKU.values,
      otherwise: '`defaults.eku`',
      text: 'Which extended key usage a certificate needs, if it has any: that of its TLS role, id-kp-sipDomain (RFC 5924 §5), or one of the two. `any-role`: that of the other TLS role will do, too, as for a client whose certificate of a public CA says serverAuth alone ([certificates.md](certificates.md#extended-key-usage)).',
    },
  }),
  stackVerification: plain(
    'stack_verification',
    choice('required', 'advisory'),
    'required',
    "`required`: the TLS stack of the proxy must have verified the certificate too. `advisory`: siptrust's own path check decides alone; the proxy has to take certificates unverified (`verify_client=optional_no_ca`). A warning, because the one check is then all there is.",
    'tls',
  ),
  cnFallback: plain(
    'cn_fallback',
    yesNo,
    false,
    'Accept the common name where a certificate has no subjectAltName at all (RFC 5922 §7.1).',
    'tls',
  ),
  pins: key({
    key: 'pins',
    mechanism: 'tls',
    shape: words('a pin, as in sha256/BASE64').optional(),
    read: (given, site) => pinHashes(given ?? [], site),
    show: (pins) => ({ pins: pins.map((pin) => `sha256/${pin}`) }),
    doc: {
      values: 'list of `sha256/BASE64`',
      otherwise: 'none',
      text: 'SHA-256 of SubjectPublicKeyInfo: the certificate of the peer must have one of these keys.',
    },
  }),
  pinned: plain(
    'pinned',
    yesNo,
    false,
    'The key must be one of `pins` or one that the operator approved: see [pins.md](pins.md). Needs `pins` or `daemon.state.file`.',
    'tls',
  ),
  pinLeaf: key({
    key: 'pin',
    mechanism: 'tls',
    shape: LEAF.shape.optional(),
    read: (given) => given === 'leaf',
    show: (leaf) => ({ pin_leaf: leaf }),
    said: (leaf) => (leaf ? 'leaf' : undefined),
    doc: {
      values: LEAF.values,
      otherwise: 'none',
      text: 'A certificate with a pinned key is its own anchor: allows self-signed ones. Mostly needs `stack_verification: advisory`. Revocation is looked at as ever: `hard` takes a list of its issuer, which for a self-signed one is itself.',
    },
  }),
  requireTls: plain(
    'require_tls',
    yesNo,
    false,
    'Towards this network only TLS with a proven name: where URI and DNS lead to no target by TLS, `hop.resolve` says 503 (RFC 3263 §7). See [dns.md](dns.md).',
    'tls',
  ),
  targets: key({
    key: 'targets',
    mechanism: 'tls',
    shape: someWords(ENDPOINT).optional(),
    read: (given, site) => staticTargets(given ?? [], site),
    show: (targets) => ({ targets: targets.map(showTarget) }),
    doc: {
      values: 'list of `address:port` or `tls:address:port`',
      otherwise: 'none',
      text: 'Next hops by TLS that stand in place of DNS, in the order to try. They also stand for the domains of the agreement where a request goes to the address itself. One address and port belongs to one agreement.',
    },
  }),
  allowTlsFallback: plain(
    'allow_tls_fallback',
    yesNo,
    false,
    'Where the domain offers TLS, less secure transports may be tried after it. Nobody is trusted there.',
    'tls',
  ),

  interface: key({
    key: 'interface',
    mechanism: 'nds-ip',
    shape: word('the name of an interface').optional(),
    read: (given, _, { migration }) => given ?? migration?.interface,
    show: (name) => ({ interface: name ?? '' }),
    doc: { values: 'name of an interface', otherwise: 'required', text: 'Where messages of this network arrive.' },
  }),
  sources: key({
    key: 'sources',
    mechanism: 'nds-ip',
    shape: words(PREFIX).optional(),
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

  migrationUntil: key({
    key: 'migration',
    mechanism: 'tls',
    shape: MIGRATION.optional(),
    read: readMigrationEnd,
    ends: (until, now) => Number((until ?? now) < now),
    show: (until) => ({ migration_until: instant(until) }),
    said: (until) => ({ until: until === undefined ? undefined : instant(until) }),
    doc: {
      values: 'mapping',
      otherwise: 'none',
      text: 'The path of this network; `mechanism: tls` only.',
      inner: {
        interface: { values: 'name of an interface', otherwise: 'required', text: 'As in an nds-ip agreement.' },
        sources: { values: 'list of prefixes', otherwise: 'required', text: 'As in an nds-ip agreement.' },
        until: {
          values: 'day or RFC 3339 instant',
          otherwise: 'required',
          text: 'Until then a message by path is trusted with assurance `za` (or `address`) and the note `nds-migrating`; later it is not, with the reason `nds-ended`.',
        },
      },
    },
  }),
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
