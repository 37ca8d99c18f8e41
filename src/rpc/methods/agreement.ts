import { z } from 'zod';
import type { ReloadReport } from '../../state/policy/index.js';
import type { TrustState } from '../../state/trust/index.js';
import { type Agreement, type StaticTarget, servedByWords } from '../../trust/agreement/index.js';
import { instant } from '../../trust/cover/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { CrlFacts } from '../../x509/revocation/index.js';
import { askerOf, defineMethod, type Method, RpcError } from '../dispatch/index.js';

/** Whether an agreement grants anything at `now`, in one word. */
export function standing(agreement: Agreement, now: number): string {
  if (!agreement.enabled) return 'disabled';
  if (now < agreement.valid.from) return 'not-yet-valid';
  if (now > agreement.valid.until) return 'expired';
  return agreement.enforcement === 'monitor' ? 'monitored' : 'in-force';
}

function row(agreement: Agreement, now: number) {
  return {
    name: agreement.name,
    domains: agreement.domains,
    mechanism: agreement.mechanism,
    directions: agreement.directions,
    state: standing(agreement, now),
    until: instant(agreement.valid.until),
  };
}

function authority(facts: CertificateFacts) {
  return { subject: facts.subjectText, sha256: facts.sha256, not_after: instant(facts.notAfter) };
}

function list(crl: CrlFacts) {
  return {
    issuer: crl.issuerText,
    this_update: instant(crl.thisUpdate),
    next_update: crl.nextUpdate === undefined ? '' : instant(crl.nextUpdate),
    entries: crl.entryCount,
  };
}

/** How `agreement.show` shows each key of an agreement: a key without a row here does not compile. */
const SHOWN: {
  readonly [Key in keyof Agreement]: (agreement: Pick<Agreement, Key>) => Readonly<Record<string, unknown>>;
} = {
  name: ({ name }) => ({ name }),
  domains: ({ domains }) => ({ domains }),
  serverNames: ({ serverNames }) => ({ server_names: serverNames }),
  wildcardNames: ({ wildcardNames }) => ({ wildcard_names: wildcardNames }),
  mechanism: ({ mechanism }) => ({ mechanism }),
  directions: ({ directions }) => ({ directions }),
  enabled: ({ enabled }) => ({ enabled }),
  enforcement: ({ enforcement }) => ({ enforcement }),
  valid: ({ valid }) => ({ from: instant(valid.from), until: instant(valid.until) }),
  interconnect: ({ interconnect }) => ({ interconnect }),
  asserts: ({ asserts }) => ({ asserts }),
  privacy: ({ privacy }) => ({ privacy }),
  headers: ({ headers }) => ({ headers: Object.fromEntries(headers) }),
  anchors: ({ anchors }) => ({
    anchors: { client: anchors.client.map(authority), server: anchors.server.map(authority) },
  }),
  intermediates: ({ intermediates }) => ({ intermediates: intermediates.map(authority) }),
  subject: ({ subject }) => ({ subject }),
  issuer: ({ issuer }) => ({ issuer }),
  attributeIssuers: ({ attributeIssuers }) => ({ attributes: { issuers: attributeIssuers } }),
  eku: ({ eku }) => ({ eku }),
  stackVerification: ({ stackVerification }) => ({ stack_verification: stackVerification }),
  cnFallback: ({ cnFallback }) => ({ cn_fallback: cnFallback }),
  pins: ({ pins }) => ({ pins: pins.map((pin) => `sha256/${pin}`) }),
  pinned: ({ pinned }) => ({ pinned }),
  pinLeaf: ({ pinLeaf }) => ({ pin_leaf: pinLeaf }),
  revocation: ({ revocation }) => ({ revocation }),
  crls: ({ crls }) => ({ crls: crls.map(list) }),
  requireTls: ({ requireTls }) => ({ require_tls: requireTls }),
  targets: ({ targets }) => ({ targets: targets.map(endpoint) }),
  allowTlsFallback: ({ allowTlsFallback }) => ({ allow_tls_fallback: allowTlsFallback }),
  interface: (agreement) => ({ interface: agreement.interface ?? '' }),
  sources: ({ sources }) => ({ sources: Array.from(sources, ({ text }) => text) }),
  migrationUntil: ({ migrationUntil }) => ({
    migration_until: migrationUntil === undefined ? '' : instant(migrationUntil),
  }),
};

/** `192.0.2.7:5061`, IPv6 in brackets (RFC 5952 §6). */
function endpoint({ address, port }: StaticTarget): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function details(agreement: Agreement, now: number) {
  const shown = Object.values(SHOWN).map((one) => one(agreement));
  // What an OpenSIPS makes of it, which has words about certificates alone (docs/opensips.md).
  return Object.assign({ ...row(agreement, now) }, ...shown, { by_words: servedByWords(agreement) });
}

/** The agreements in force. */
export function agreementMethods(state: TrustState, reload: (by: string) => Promise<ReloadReport>): Method[] {
  return [
    defineMethod({
      name: 'agreement.list',
      role: 'viewer',
      doc: 'All agreements of the policy in force, one row each',
      params: z.strictObject({}),
      handler: () => state.snapshot.agreements.map((agreement) => row(agreement, state.now())),
    }),
    defineMethod({
      name: 'agreement.show',
      role: 'viewer',
      doc: 'One agreement in full, by its name',
      params: z.strictObject({ name: z.string() }),
      positional: ['name'],
      handler: ({ name }) => {
        const found = state.snapshot.agreements.find((agreement) => agreement.name === name);
        if (found === undefined) throw new RpcError('not-found', `no agreement is named "${name}"`);
        return details(found, state.now());
      },
    }),
    defineMethod({
      name: 'agreement.reload',
      role: 'operator',
      doc: 'Reads the policy file again; a bad one leaves the last good policy in force and is answered as an error',
      params: z.strictObject({}),
      handler: async (_, context) => {
        const report = await reload(askerOf(context));
        if (!report.ok) throw new RpcError('unavailable', { revision: report.revision, problems: report.problems });
        return { revision: report.revision, warnings: report.warnings };
      },
    }),
  ];
}
