/** The keys of an agreement that mean something to TLS alone, one row each (keys.ts). */

import { instant } from '../../x509/der/index.js';
import { EKU_POLICIES } from '../../x509/rules/index.js';
import { choice, yesNo } from '../kinds/index.js';
import { someWords, words } from '../reading/index.js';
import { domainNames, pinHashes, staticTargets, wildcardSuffixes } from '../values/index.js';
import { ANCHORS, readAnchors } from './anchors.js';
import { key, plain } from './key.js';
import { NAME_MATCH, NAME_MATCH_LINES, readIssuers, readNameMatch, WORDS_MATCH } from './name-match.js';
import { certificateEnds, crlEnds, showAuthority, showCrl, showTarget } from './show.js';
import { MIGRATION, readMigrationEnd } from './validity.js';

const DOMAINS = 'a domain name';
const CERTIFICATES = 'the path of a certificate file';
const ENDPOINT = 'an IP address and a port, as in 192.0.2.7:5061';

/** What `defaults:` may say, too. */
export const REVOCATION = choice('hard', 'soft', 'off');
export const EKU = choice(...EKU_POLICIES);

const LEAF = choice('leaf');

/** By the field that their value has in the agreement. */
export const TLS_KEYS = {
  anchors: key({
    key: 'anchors',
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
    shape: NAME_MATCH.optional(),
    read: readNameMatch,
    doc: { values: 'mapping', otherwise: 'none asked for', text: 'The same for the issuer.', inner: NAME_MATCH_LINES },
  }),
  attributeIssuers: key({
    key: 'attributes',
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
  ),
  cnFallback: plain(
    'cn_fallback',
    yesNo,
    false,
    'Accept the common name where a certificate has no subjectAltName at all (RFC 5922 §7.1).',
  ),
  pins: key({
    key: 'pins',
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
  ),
  pinLeaf: key({
    key: 'pin',
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
  ),
  targets: key({
    key: 'targets',
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
  ),
};

/** Of a network that moves to TLS: the path that still stands beside it. */
export const MIGRATION_KEYS = {
  migrationUntil: key({
    key: 'migration',
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
};
