/**
 * Certificate paths: search among unordered issuers, then RFC 5280 §6.1 on each candidate (path-check.ts).
 *
 * Operators cross-certify (TS 33.310 §5.2), so several certificates bear one name and key, chains loop, and some end
 * nowhere. The search goes from the leaf upwards and back again until a path holds or its budget is spent; of all that
 * failed, the reason that tells most is reported.
 */

import { type Finding, ranked } from '../reasons.js';
import { Budget, BudgetExhausted, type BudgetLimits } from './budget.js';
import type { CrlFacts } from './crl.js';
import type { CertificateFacts } from './facts.js';
import { keyIdentifiersAgree, keyIdentifiersDiffer } from './key-identifiers.js';
import { DEFAULT_OCSP_RULES, type OcspAnswers, type OcspRules, ocspStatus } from './ocsp.js';
import {
  type CheckContext,
  type CheckOutcome,
  canStandAbove,
  checkPath,
  judgeIssuer,
  judgeLeaf,
  type RevocationMode,
} from './path-check.js';
import { listed, whereItEnds } from './path-end.js';
import type { PeerName } from './peer-name.js';
import { either, type RevocationStatus, revocationStatus } from './revocation.js';
import { signatureVerifies, weakAlgorithm, weakKey } from './signature.js';
import type { EkuPolicy, Role } from './usage.js';

export interface PathInput {
  readonly leaf: CertificateFacts;
  /** In any order; they need not be of one path, or of any. */
  readonly intermediates: readonly CertificateFacts[];
  /** Trusted by name and key; they need not be self-signed (TS 33.310 §5.2.4). What they say of themselves is judged. */
  readonly anchors: readonly CertificateFacts[];
  readonly crls: readonly CrlFacts[];
  /** OCSP answers about certificates of the path. */
  readonly ocsp?: OcspAnswers;
  readonly ocspRules?: OcspRules;
  /** Milliseconds by which a CRL may be used past its nextUpdate. */
  readonly crlGrace?: number;
  /** Milliseconds since 1970; whole seconds count (RFC 5280 §4.1.2.5). */
  readonly at: number;
  /** The part of the leaf's holder in TLS; `any`: RFC 5280 alone, no TLS rules. */
  readonly purpose: Role | 'any';
  /** Every one of them must be in subjectAltName; none: only the path is judged. */
  readonly names: readonly PeerName[];
  readonly revocation: RevocationMode;
  /** Most intermediates between leaf and anchor, self-issued ones included. */
  readonly maxDepth?: number | undefined;
  /** Milliseconds by which clocks may differ. */
  readonly skew?: number;
  readonly ekuPolicy?: EkuPolicy;
  /** Also ask what RFC 5280 §4 demands of CAs and §6.1 does not look at (see rules.ts). */
  readonly strict?: boolean;
  readonly budget?: BudgetLimits;
}

export type PathResult =
  | {
      readonly ok: true;
      /** Leaf first, anchor last. */
      readonly path: readonly CertificateFacts[];
      readonly anchor: CertificateFacts;
      /** Remarks: a status that could not be determined, where that is let pass. */
      readonly findings: readonly Finding[];
      /** Milliseconds since 1970 after which the answer must be asked for again. */
      readonly validUntil: number;
    }
  | {
      readonly ok: false;
      /** Most telling first; never empty. */
      readonly findings: readonly Finding[];
      /** The path that came furthest, where one led to an anchor. */
      readonly path?: readonly CertificateFacts[];
    };

/** Intermediates of a path where the caller sets no bound: RFC 5280 has none, TS 33.310 §5.2 needs two. */
export const DEFAULT_MAX_DEPTH = 10;

/** Whole paths that are judged before the search gives up on finding a better one. */
const MAX_JUDGED_PATHS = 64;

/** Judges whether a path leads from the leaf to an anchor. Pure; never throws on certificates, whatever they say. */
export function verifyPath(input: PathInput): PathResult {
  return new PathSearch(input, new Budget(input.budget), []).run();
}

interface Judged {
  readonly path: readonly CertificateFacts[];
  readonly outcome: CheckOutcome;
}

class PathSearch {
  private readonly context: CheckContext;
  private readonly issuers = new Map<string, CertificateFacts[]>();
  private readonly anchors = new Set<string>();
  /** Names from which issuer names lead to an anchor; others are dead ends. */
  private leading: ReadonlySet<string> = new Set();
  private readonly maxDepth: number;
  private readonly judged: Judged[] = [];
  private readonly dropped: Finding[] = [];
  private readonly fit = new Map<CertificateFacts, boolean>();

  constructor(
    private readonly input: PathInput,
    private readonly budget: Budget,
    /** CRL signers under validation, so that two that vouch for each other end undetermined. */
    private readonly underway: readonly CertificateFacts[],
  ) {
    const { at, purpose, names, revocation, skew = 0, ekuPolicy = 'tls', strict = false } = input;
    this.context = {
      at: Math.floor(at / 1000) * 1000,
      skew,
      purpose,
      ekuPolicy,
      names,
      levels: strict ? (purpose === 'any' ? ['path', 'profile'] : ['path', 'profile', 'tls']) : ['path'],
      revocation,
      revocationOf: (upwards) => this.revocationOf(upwards),
      budget,
    };
    this.maxDepth = input.maxDepth ?? DEFAULT_MAX_DEPTH;
    const known = new Set<string>();
    for (const certificate of [...input.anchors, ...input.intermediates]) {
      if (known.has(certificate.sha256)) continue;
      known.add(certificate.sha256);
      const list = this.issuers.get(certificate.subjectKeys.text);
      if (list === undefined) this.issuers.set(certificate.subjectKeys.text, [certificate]);
      else list.push(certificate);
    }
    for (const { sha256 } of input.anchors) this.anchors.add(sha256);
  }

  run(): PathResult {
    const { leaf } = this.input;
    try {
      // First without issuers that can be on no good path; if nothing was found, with them, to say what is wrong.
      const found = this.search(false) ?? (this.judged.length === 0 ? this.search(true) : undefined);
      if (found !== undefined) return this.success(found);
    } catch (cause) {
      if (!(cause instanceof BudgetExhausted)) throw cause;
      const detail = `${leaf.subjectText || '(empty name)'}: the search took ${cause.message}`;
      return this.failure([{ code: 'path-budget', detail }, ...this.failures()]);
    }
    return this.failure(this.failures());
  }

  private search(lenient: boolean): Judged | undefined {
    this.leading = this.namesThatLead(lenient);
    return this.extend([this.input.leaf], lenient);
  }

  private success({ path, outcome }: Judged): PathResult {
    const { skew } = this.context;
    const validUntil = Math.min(outcome.crlsUntil, ...path.map(({ notAfter }) => notAfter + skew + 1000));
    const anchor = path.at(-1) as CertificateFacts;
    return { ok: true, path, anchor, findings: ranked(outcome.remarks), validUntil };
  }

  private failure(findings: readonly Finding[]): PathResult {
    const seen = new Set<string>();
    const once = findings.filter(({ code, detail }) => {
      const key = `${code} ${detail}`;
      return !seen.has(key) && seen.add(key);
    });
    const best = this.judged[0];
    return best === undefined
      ? { ok: false, findings: ranked(once) }
      : { ok: false, findings: ranked(once), path: best.path };
  }

  private failures(): readonly Finding[] {
    if (this.judged.length > 0) return this.judged.flatMap(({ outcome }) => outcome.failures);
    const { leaf } = this.input;
    const who = leaf.subjectText || '(empty name)';
    const detail = leaf.selfIssued
      ? `${who}: expected a certificate issued under an accepted anchor, found a self-issued one`
      : `${who}: expected a path to one of ${this.anchors.size} anchors (${listed(this.input.anchors.map(({ subjectText }) => subjectText))}), found none: ${whereItEnds(leaf, this.issuers, this.anchors)}`;
    return [...this.dropped, { code: 'untrusted-chain', detail }];
  }

  /** Extends the chain (leaf first) by each issuer of its last certificate; answers the first path that holds. */
  private extend(chain: readonly CertificateFacts[], lenient: boolean): Judged | undefined {
    const current = chain.at(-1) as CertificateFacts;
    const misfits: Finding[] = [];
    let fits = false;
    for (const issuer of this.candidates(current, chain)) {
      this.budget.spend('steps');
      const misfit = this.misfit(current, issuer);
      if (misfit !== undefined) {
        misfits.push(misfit);
        continue;
      }
      fits = true;
      const isAnchor = this.anchors.has(issuer.sha256);
      if (!isAnchor && chain.length > this.maxDepth) {
        const detail = `${issuer.subjectText}: expected at most ${this.maxDepth} intermediates, found more`;
        this.dropped.push({ code: 'path-length', detail });
        continue;
      }
      if (!lenient && !(this.isFit(issuer) && canStandAbove(chain, issuer, this.context))) continue;
      const found = isAnchor ? this.judge([...chain, issuer]) : this.extend([...chain, issuer], lenient);
      if (found !== undefined || this.hopeless()) return found;
    }
    if (!fits && lenient) this.dropped.push(...misfits);
    return undefined;
  }

  /** Nothing that another path could mend, or enough paths judged. */
  private hopeless(): boolean {
    if (this.judged.length === 0) return false;
    return this.judged.length >= MAX_JUDGED_PATHS || judgeLeaf(this.input.leaf, this.context).length > 0;
  }

  private judge(path: readonly CertificateFacts[]): Judged | undefined {
    const judged = { path, outcome: checkPath(path, this.context) };
    if (judged.outcome.failures.length === 0) return judged;
    this.judged.push(judged);
    return undefined;
  }

  /** Certificates that bear the issuer's name, the likely ones first: anchors, then by key identifier. */
  private candidates(current: CertificateFacts, chain: readonly CertificateFacts[]): readonly CertificateFacts[] {
    const all = this.issuers.get(current.issuerKeys.text) ?? [];
    const fit = all.filter((issuer) => {
      if (!this.anchors.has(issuer.sha256)) {
        // A name and key twice in one path is a loop; it could only make the path worse.
        const twice = chain.some(
          ({ subjectKeys, publicKey }) =>
            subjectKeys.text === issuer.subjectKeys.text && publicKey.id === issuer.publicKey.id,
        );
        return !twice && this.leading.has(issuer.issuerKeys.text);
      }
      return true;
    });
    if (fit.length < 2) return fit;
    const likely = (issuer: CertificateFacts): number =>
      (this.anchors.has(issuer.sha256) ? 0 : 2) + (keyIdentifiersAgree(current, issuer) ? 0 : 1);
    return fit.sort((a, b) => likely(a) - likely(b));
  }

  /** Why the certificate was not issued with this key; undefined: it was (§6.1.3 (a)(1), (4)). */
  private misfit(certificate: CertificateFacts, issuer: CertificateFacts): Finding | undefined {
    const who = certificate.subjectText || '(empty name)';
    const weak = weakAlgorithm(certificate.signatureAlgorithm);
    if (weak !== undefined) return { code: 'weak-key', detail: `${who}: signature: ${weak}` };
    const key = weakKey(issuer.publicKey);
    if (key !== undefined) return { code: 'weak-key', detail: `${issuer.subjectText || '(empty name)'}: ${key}` };
    if (!signatureVerifies(certificate, issuer.publicKey, this.budget)) {
      return {
        code: 'bad-signature',
        detail: `${who}: the signature does not verify with the key of ${issuer.subjectText}${keyIdentifiersDiffer(certificate, issuer)}`,
      };
    }
    if (this.input.strict && !keyIdentifiersAgree(certificate, issuer)) {
      const detail = `${who}: expected authorityKeyIdentifier of ${issuer.subjectText} (§4.2.1.1), found another`;
      return { code: 'bad-extension', detail };
    }
    return undefined;
  }

  /** Whether nothing is wrong with a certificate as an issuer, whatever path it is on. */
  private isFit(issuer: CertificateFacts): boolean {
    const known = this.fit.get(issuer);
    if (known !== undefined) return known;
    const place = this.anchors.has(issuer.sha256) ? 'anchor' : 'intermediate';
    const fit = judgeIssuer(issuer, place, this.context).length === 0;
    this.fit.set(issuer, fit);
    return fit;
  }

  /** Issuer names from which names lead to an anchor: what is not among them need not be searched. */
  private namesThatLead(lenient: boolean): ReadonlySet<string> {
    const below = new Map<string, string[]>();
    for (const certificate of this.input.intermediates) {
      if (!lenient && !this.isFit(certificate)) continue;
      const { subjectKeys, issuerKeys } = certificate;
      const list = below.get(issuerKeys.text);
      if (list === undefined) below.set(issuerKeys.text, [subjectKeys.text]);
      else list.push(subjectKeys.text);
    }
    const anchors = this.input.anchors.filter((anchor) => lenient || this.isFit(anchor));
    const leading = new Set(anchors.map(({ subjectKeys }) => subjectKeys.text));
    const queue = [...leading];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      for (const subject of below.get(name) ?? []) {
        if (leading.has(subject)) continue;
        leading.add(subject);
        queue.push(subject);
      }
    }
    return leading;
  }

  /** Revocation status of the first certificate of a path that goes up to its anchor: by OCSP, by CRL (RFC 6960 §5). */
  private revocationOf(upwards: readonly CertificateFacts[]): RevocationStatus {
    const [certificate, issuer] = upwards as [CertificateFacts, CertificateFacts];
    const byCrl = this.statusByCrl(certificate, upwards);
    const answer = this.input.ocsp?.get(certificate.sha256);
    if (answer === undefined) return byCrl;
    const { at, skew } = this.context;
    const byOcsp = ocspStatus(certificate, issuer, answer, {
      ...(this.input.ocspRules ?? DEFAULT_OCSP_RULES),
      at,
      skew,
      budget: this.budget,
      responderStatus: (responder) => this.statusByCrl(responder, [responder, ...upwards.slice(1)]),
    });
    return either(byOcsp, byCrl);
  }

  private statusByCrl(certificate: CertificateFacts, upwards: readonly CertificateFacts[]): RevocationStatus {
    const { at, skew, purpose } = this.context;
    return revocationStatus(certificate, {
      crls: this.input.crls,
      at,
      skew,
      grace: this.input.crlGrace ?? 0,
      strict: this.input.strict ?? false,
      tls: purpose !== 'any',
      budget: this.budget,
      signers: (name) =>
        this.signers(name, certificate, upwards[1] as CertificateFacts, upwards.at(-1) as CertificateFacts),
    });
  }

  /** RFC 5280 §6.3.3 (f): the certificate's own issuer first, then others whose path leads to the same anchor. */
  private *signers(
    name: string,
    certificate: CertificateFacts,
    issuer: CertificateFacts,
    anchor: CertificateFacts,
  ): Generator<CertificateFacts> {
    if (issuer.subjectKeys.text === name) yield issuer;
    if (anchor !== issuer && anchor.subjectKeys.text === name) yield anchor;
    // A CRL issuer that its own distribution point makes the judge of itself (PKITS 4.14.30).
    if (certificate.subjectKeys.text === name && !certificate.selfIssued && this.underway.includes(certificate)) {
      yield certificate;
    }
    for (const signer of this.issuers.get(name) ?? []) {
      if (signer === issuer || signer === anchor || this.underway.includes(signer)) continue;
      const search = new PathSearch(
        { ...this.input, leaf: signer, anchors: [anchor], purpose: 'any', names: [] },
        this.budget,
        [...this.underway, signer],
      );
      if (search.run().ok) yield signer;
    }
  }
}
