import { z } from 'zod';
import type { ReloadReport } from '../../state/policy-holder.js';
import type { TrustState } from '../../state/trust-state.js';
import type { Agreement } from '../../trust/agreement.js';
import { instant } from '../../trust/covers.js';
import type { CertificateFacts } from '../../x509/facts.js';
import { RpcError } from '../errors.js';
import { defineMethod, type Method } from '../method.js';

/** Whether an agreement grants anything at `now`, in one word. */
function standing(agreement: Agreement, now: number): string {
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

function details(agreement: Agreement, now: number) {
  return {
    ...row(agreement, now),
    server_names: agreement.serverNames,
    wildcard_names: agreement.wildcardNames,
    from: instant(agreement.valid.from),
    interconnect: agreement.interconnect,
    asserts: agreement.asserts,
    privacy: agreement.privacy,
    revocation: agreement.revocation,
    eku: agreement.eku,
    stack_verification: agreement.stackVerification,
    cn_fallback: agreement.cnFallback,
    pins: agreement.pins.map((pin) => `sha256/${pin}`),
    pinned: agreement.pinned,
    pin_leaf: agreement.pinLeaf,
    enforcement: agreement.enforcement,
    subject: agreement.subject,
    issuer: agreement.issuer,
    headers: Object.fromEntries(agreement.headers),
    anchors: {
      client: agreement.anchors.client.map(authority),
      server: agreement.anchors.server.map(authority),
    },
    intermediates: agreement.intermediates.map(authority),
    interface: agreement.interface ?? '',
    sources: agreement.sources.map(({ text }) => text),
    migration_until: agreement.migrationUntil === undefined ? '' : instant(agreement.migrationUntil),
  };
}

/** The agreements in force. */
export function agreementMethods(state: TrustState, reload: () => ReloadReport): Method[] {
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
      handler: () => {
        const report = reload();
        if (!report.ok) throw new RpcError('unavailable', { revision: report.revision, problems: report.problems });
        return { revision: report.revision, warnings: report.warnings };
      },
    }),
  ];
}
