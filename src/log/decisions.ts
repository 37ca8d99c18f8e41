import type { Finding } from '../reasons.js';
import type { Evidence } from '../trust/evidence/index.js';
import type { Plan } from '../trust/message/index.js';
import type { Treatment, Verdict } from '../trust/verdict/index.js';
import { askedOf, tooLong } from './asked.js';
import type { OnLost, Reopening } from './log-file.js';
import { jsonLines } from './logger.js';
import { maskIdentities, maskMessageText } from './mask.js';

/** One line of the decision log before masking. */
export interface Decision {
  readonly id: string;
  readonly at: number;
  readonly method: 'trust.peer' | 'trust.message';
  readonly evidence: Evidence;
  readonly verdict: Verdict;
  /** Of an answer about a message. */
  readonly plan?: Plan | undefined;
  /** What the proxy does because of the verdict; of an answer about a peer. */
  readonly treatment?: Treatment | undefined;
}

export interface DecisionLog {
  write(decision: Decision): void;
  close(): Promise<void>;
}

/** Keeps nothing: for a daemon without a decision log, and for questions without a daemon. */
export const NO_DECISION_LOG: DecisionLog & Reopening = {
  write: () => {},
  reopen: async () => {},
  close: async () => {},
};

/**
 * The decision log: one JSON line for each answer (JSON Lines), so that every verdict can be found again by its id.
 * With `mask` identities of subscribers are shortened; domains stay.
 * @param onLost told of lines that could not be written
 * @throws {Error} the file cannot be opened
 */
export function decisionLog(file: string | undefined, mask: boolean, onLost: OnLost): DecisionLog & Reopening {
  if (file === undefined) return NO_DECISION_LOG;
  const lines = jsonLines(file, onLost);
  return { ...lines, write: (decision) => lines.write(record(decision, mask)) };
}

function details(findings: readonly Finding[], shown: ((text: string) => string) | undefined): string[] {
  return findings.map(({ code, detail }) => `${code}: ${shown === undefined ? detail : shown(detail)}`);
}

function record({ id, at, method, evidence, verdict, plan, treatment }: Decision, mask: boolean): object {
  const certificate = evidence.tls?.certificate;
  const aboutMessage = plan?.findings ?? [];
  const findings = [...aboutMessage, ...verdict.findings];
  // Of a next hop its domain is asked about, which stays.
  const nextHop = mask ? maskIdentities(short(evidence.nextHop)) : short(evidence.nextHop);
  return {
    time: new Date(at).toISOString(),
    id,
    method,
    verdict: verdict.verdict,
    agreement: verdict.agreement?.name ?? '',
    assurance: verdict.assurance,
    reasons: findings.map(({ code }) => code),
    details: [
      ...details(aboutMessage, mask ? maskMessageText : undefined),
      ...details(verdict.findings, mask ? maskIdentities : undefined),
    ],
    revision: verdict.revision,
    direction: evidence.direction,
    proto: evidence.transport,
    conid: short(evidence.connectionId),
    src: endpoint(evidence.sourceAddress, evidence.sourcePort),
    rcv: endpoint(evidence.localAddress, evidence.localPort),
    ...(evidence.tls === undefined ? {} : { verified: evidence.tls.verified }),
    certificate: certificate !== undefined && 'sha256' in certificate ? certificate.sha256 : '',
    next_hop: nextHop,
    ...(treatment === undefined
      ? {}
      : {
          profile: treatment.profile,
          asserts: treatment.asserts,
          action: treatment.action,
          code: treatment.code,
          ask: askedOf({ ...evidence, nextHop: evidence.nextHop && nextHop }, verdict),
        }),
    ...(plan === undefined
      ? {}
      : { action: plan.action, code: plan.code, remove: plan.remove, appended: plan.append.length, flags: plan.flags }),
    ...(verdict.would === undefined ? {} : wouldHave(verdict.would, plan?.would)),
  };
}

/** What an agreement that is only monitored would have come to. */
function wouldHave({ verdict, reason }: NonNullable<Verdict['would']>, plan: Plan | undefined): object {
  const message = { action: plan?.action, remove: plan?.remove, reasons: plan?.findings.map(({ code }) => code) };
  return { would: { verdict, reason: reason ?? '', ...(plan === undefined ? {} : message) } };
}

const MOST_CHARACTERS = 1024;

function short(text = ''): string {
  return text.length > MOST_CHARACTERS ? tooLong(text) : text;
}

/** `address:port`, IPv6 in brackets (RFC 5952 §6). */
function endpoint(address = '', port: number | undefined): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port ?? ''}`;
}
