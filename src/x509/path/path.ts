/**
 * Certificate paths: search among unordered issuers, then RFC 5280 §6.1 on each candidate (path-check.ts).
 *
 * Operators cross-certify (TS 33.310 §5.2), so several certificates bear one name and key, chains loop, and some end
 * nowhere. The search goes from the leaf upwards and back again until a path holds or its budget is spent; of all that
 * failed, the reason that tells most is reported.
 */

import { type Finding, ranked } from '../../reasons.js';
import { entryAt, last } from '../../typed.js';
import {
  Budget,
  BudgetExhausted,
  type CertificateFacts,
  certificateName,
  isSelfSigned,
  keyIdentifiersAgree,
  keyIdentifiersDiffer,
  NameCheck,
  signatureVerifies,
  weakAlgorithm,
  weakKey,
} from '../certificate/index.js';
import { sipDomain } from '../identity/index.js';
import {
  DEFAULT_OCSP_RULES,
  either,
  type ListSigner,
  ocspStatus,
  type RevocationStatus,
  revocationStatus,
} from '../revocation/index.js';
import type { Place } from '../rules/index.js';
import { type Distances, Issuers } from './issuers.js';
import {
  type CheckContext,
  type CheckOutcome,
  canStandAbove,
  checkPath,
  judgeIssuer,
  judgeLeaf,
  namesAllowed,
} from './path-check.js';
import { listed, whereItEnds } from './path-end.js';
import type { PathInput, PathResult } from './path-question.js';

/** Intermediates of a path where the caller sets no bound: RFC 5280 has none, TS 33.310 §5.2 needs two. */
export const DEFAULT_MAX_DEPTH = 10;

/** Whole paths, and issuers, whose faults are kept to be told. */
const MOST_TOLD = 64;

/** Microseconds for an issuer that is looked at, for each certificate of the path it would stand above. */
const ISSUER_COST = 1;

/** Microseconds for a certificate that is judged by itself, for each of its extensions and names, and for importing a leaf's key. */
const JUDGE_COST = { certificate: 5, part: 0.5, key: 130 } as const;

/** Judges whether a path leads from the leaf to an anchor. Pure; never throws on certificates, whatever they say. */
export function verifyPath(input: PathInput): PathResult {
  const { budget } = input;
  return new PathSearch(input, budget instanceof Budget ? budget : new Budget(budget), []).run();
}

/** Issuers that are tried: those that can be on a good path, or all of the right name. */
type Among = 'fit' | 'any';

interface Judged {
  readonly path: readonly CertificateFacts[];
  readonly outcome: CheckOutcome;
}

class PathSearch {
  readonly #input: PathInput;
  readonly #budget: Budget;
  /** CRL signers under validation, so that two that vouch for each other end undetermined. */
  readonly #underway: readonly CertificateFacts[];

  readonly #context: CheckContext;
  readonly #issuers: Issuers;
  #distances: Distances = new Map();
  readonly #maxDepth: number;
  readonly #judged: Judged[] = [];
  readonly #dropped: Finding[] = [];
  /** What is wrong with a certificate by itself, by its place. */
  readonly #faults: Readonly<Record<Place, Map<CertificateFacts, readonly Finding[]>>> = {
    leaf: new Map(),
    intermediate: new Map(),
    anchor: new Map(),
  };

  constructor(input: PathInput, budget: Budget, underway: readonly CertificateFacts[]) {
    this.#input = input;
    this.#budget = budget;
    this.#underway = underway;

    const { at, purpose, names, revocation, skew = 0, ekuPolicy = 'tls', strict = false } = input;
    this.#context = {
      at: Math.floor(at / 1000) * 1000,
      skew,
      purpose,
      ekuPolicy,
      names,
      levels: strict ? (purpose === 'any' ? ['path', 'profile'] : ['path', 'profile', 'tls']) : ['path'],
      revocation,
      revocationOf: (upwards) => this.#revocationOf(upwards),
      budget,
      nameCheck: new NameCheck(budget, purpose === 'any' ? undefined : sipDomain),
    };
    this.#maxDepth = input.maxDepth ?? DEFAULT_MAX_DEPTH;
    this.#issuers = new Issuers(input.anchors, input.intermediates);
  }

  run(): PathResult {
    const { leaf } = this.#input;
    try {
      // First without issuers that can be on no good path; if nothing was found, with them, to say what is wrong.
      const found = this.#search('fit') ?? (this.#judged.length === 0 ? this.#search('any') : undefined);
      if (found !== undefined) return this.#success(found);
    } catch (cause) {
      if (!(cause instanceof BudgetExhausted)) throw cause;
      const detail = `${certificateName(leaf)}: the search took ${cause.message}`;
      return this.#failure([{ code: 'path-budget', detail }, ...this.#seen()]);
    }
    return this.#failure(this.#failures());
  }

  #search(among: Among): Judged | undefined {
    this.#distances = this.#issuers.distancesToAnchors(this.#input.leaf, (certificate) => {
      this.#budget.spend('issuers', ISSUER_COST);
      return among === 'any' || this.#isFit(certificate);
    });
    return this.#extend([this.#input.leaf], among);
  }

  #success({ path, outcome }: Judged): PathResult {
    const { skew } = this.#context;
    const validUntil = Math.min(outcome.crlsUntil, ...path.map(({ notAfter }) => notAfter + skew + 1000));
    const anchor = last(path);
    return { ok: true, path, anchor, findings: ranked(outcome.remarks), validUntil };
  }

  #failure(findings: readonly Finding[]): PathResult {
    const seen = new Set<string>();
    const once = findings.filter(({ code, detail }) => {
      const key = `${code} ${detail}`;
      return !seen.has(key) && seen.add(key);
    });
    const best = this.#judged[0];
    return best === undefined
      ? { ok: false, findings: ranked(once) }
      : { ok: false, findings: ranked(once), path: best.path };
  }

  /** What was wrong with what has been looked at. */
  #seen(): readonly Finding[] {
    return this.#judged.length > 0 ? this.#judged.flatMap(({ outcome }) => outcome.failures) : this.#dropped;
  }

  #failures(): readonly Finding[] {
    if (this.#judged.length > 0) return this.#seen();
    // A path that is too long is there: that no shorter one is says nothing more.
    if (this.#dropped.some(({ code }) => code === 'path-length')) return this.#dropped;
    const { leaf } = this.#input;
    const who = certificateName(leaf);
    const count = this.#issuers.anchors;
    const names = listed(this.#input.anchors.map(({ subjectText }) => subjectText));
    const wanted = `${count === 1 ? 'the anchor' : `one of ${count} anchors`} (${names})`;
    const detail = leaf.selfIssued
      ? `${who}: expected a certificate issued under an accepted anchor, found a self-issued one`
      : `${who}: expected a path to ${wanted}, found none: ${whereItEnds(leaf, this.#issuers)}`;
    return [...this.#dropped, { code: 'untrusted-chain', detail }];
  }

  /** Extends the chain (leaf first) by each issuer of its last certificate; answers the first path that holds. */
  #extend(chain: readonly CertificateFacts[], among: Among): Judged | undefined {
    const current = last(chain);
    const misfits: Finding[] = [];
    let fits = false;
    for (const issuer of this.#candidates(current, chain)) {
      this.#budget.spend('issuers', ISSUER_COST * chain.length);
      // What takes no public-key operation comes first.
      if (among === 'fit' && !(this.#isFit(issuer) && canStandAbove(chain, issuer, this.#context))) continue;
      const misfit = this.#misfit(current, issuer);
      if (misfit !== undefined) {
        if (misfits.length < MOST_TOLD) misfits.push(misfit);
        continue;
      }
      fits = true;
      if (this.#isTooLong(chain, issuer)) continue;
      if (among === 'fit' && !namesAllowed(chain, issuer, this.#context)) continue;
      const found = this.#issuers.isAnchor(issuer)
        ? this.#judge([...chain, issuer])
        : this.#extend([...chain, issuer], among);
      if (found !== undefined || this.#hopeless()) return found;
    }
    // A root of the name of an anchor is no forgery, and where a path ends.
    const isRoot = chain.length > 1 && misfits.length > 0 && among === 'any' && isSelfSigned(current, this.#budget);
    if (!fits && among === 'any' && !isRoot) this.#drop(misfits);
    return undefined;
  }

  /** Whether every path through this issuer has more intermediates than it may have. */
  #isTooLong(chain: readonly CertificateFacts[], issuer: CertificateFacts): boolean {
    if (this.#issuers.isAnchor(issuer)) return false;
    // Self-issued ones are no further CAs (§4.2.1.9): a CA that changes its key has one, and distances do not see them.
    const known = [...chain.slice(1), issuer].filter(({ selfIssued }) => !selfIssued).length;
    const needed = known + (this.#distances.get(issuer.issuerKeys.text) ?? 0);
    if (needed <= this.#maxDepth) return false;
    const least = needed > known ? `at least ${needed}` : 'more';
    const detail = `${issuer.subjectText}: expected at most ${this.#maxDepth} intermediates, found ${least}`;
    this.#drop([{ code: 'path-length', detail }]);
    return true;
  }

  #drop(findings: readonly Finding[]): void {
    this.#dropped.push(...findings.slice(0, MOST_TOLD - this.#dropped.length));
  }

  /** Nothing that another path could mend. */
  #hopeless(): boolean {
    return this.#judged.length > 0 && this.#faultsOf(this.#input.leaf, 'leaf').length > 0;
  }

  #judge(path: readonly CertificateFacts[]): Judged | undefined {
    this.#budget.spend('issuers', ISSUER_COST * path.length);
    const outcome = checkPath(path, this.#context, (certificate, place) => this.#faultsOf(certificate, place));
    if (outcome.failures.length === 0) return { path, outcome };
    if (this.#judged.length < MOST_TOLD) this.#judged.push({ path, outcome });
    return undefined;
  }

  /** Certificates that bear the issuer's name, the likely ones first. */
  #candidates(current: CertificateFacts, chain: readonly CertificateFacts[]): readonly CertificateFacts[] {
    const all = this.#issuers.above(current);
    this.#budget.spend('issuers', all.length * ISSUER_COST);
    const fit = all.filter((issuer) => {
      if (this.#issuers.isAnchor(issuer)) return true;
      // A name and key twice in one path is a loop; it could only make the path worse.
      const twice = chain.some(
        ({ subjectKeys, publicKey }) =>
          subjectKeys.text === issuer.subjectKeys.text && publicKey.id === issuer.publicKey.id,
      );
      return !twice && this.#distances.has(issuer.issuerKeys.text);
    });
    return this.#issuers.likelyFirst(current, fit);
  }

  /** Why the certificate was not issued with this key; undefined: it was (§6.1.3 (a)(1), (4)). */
  #misfit(certificate: CertificateFacts, issuer: CertificateFacts): Finding | undefined {
    const who = certificateName(certificate);
    const weak = weakAlgorithm(certificate.signatureAlgorithm);
    if (weak !== undefined) return { code: 'weak-key', detail: `${who}: signature: ${weak}` };
    const key = weakKey(issuer.publicKey);
    if (key !== undefined) return { code: 'weak-key', detail: `${certificateName(issuer)}: ${key}` };
    if (!signatureVerifies(certificate, issuer.publicKey, this.#budget)) {
      return {
        code: 'bad-signature',
        detail: `${who}: the signature does not verify with the key of ${issuer.subjectText}${keyIdentifiersDiffer(certificate, issuer)}`,
      };
    }
    if (this.#input.strict && !keyIdentifiersAgree(certificate, issuer)) {
      const detail = `${who}: expected authorityKeyIdentifier of ${issuer.subjectText} (§4.2.1.1), found another`;
      return { code: 'bad-extension', detail };
    }
    return undefined;
  }

  /** What is wrong with a certificate where it stands, whatever path it is on. */
  #faultsOf(certificate: CertificateFacts, place: Place): readonly Finding[] {
    const known = this.#faults[place].get(certificate);
    if (known !== undefined) return known;
    const { extensions, subjectAltNames = [], policies = [], nameConstraints } = certificate;
    const subtrees = (nameConstraints?.permitted?.length ?? 0) + (nameConstraints?.excluded?.length ?? 0);
    const parts = extensions.length + subjectAltNames.length + policies.length + subtrees;
    const key = place === 'leaf' ? JUDGE_COST.key : 0;
    this.#budget.spend('issuers', JUDGE_COST.certificate + parts * JUDGE_COST.part + key);
    const faults =
      place === 'leaf' ? judgeLeaf(certificate, this.#context) : judgeIssuer(certificate, place, this.#context);
    this.#faults[place].set(certificate, faults);
    return faults;
  }

  #isFit(issuer: CertificateFacts): boolean {
    return this.#faultsOf(issuer, this.#issuers.isAnchor(issuer) ? 'anchor' : 'intermediate').length === 0;
  }

  /** Revocation status of the first certificate of a path that goes up to its anchor: by OCSP, by CRL (RFC 6960 §5). */
  #revocationOf(upwards: readonly CertificateFacts[]): RevocationStatus {
    const [certificate, issuer] = [entryAt(upwards, 0), entryAt(upwards, 1)];
    const byCrl = this.#statusByCrl(certificate, upwards);
    const answer = this.#input.ocsp?.get(certificate.sha256);
    if (answer === undefined) return byCrl;
    const { at, skew } = this.#context;
    const byOcsp = ocspStatus(certificate, issuer, answer, {
      ...(this.#input.ocspRules ?? DEFAULT_OCSP_RULES),
      at,
      skew,
      budget: this.#budget,
      responderStatus: (responder) => this.#statusByCrl(responder, [responder, ...upwards.slice(1)]),
    });
    return either(byOcsp, byCrl);
  }

  #statusByCrl(certificate: CertificateFacts, upwards: readonly CertificateFacts[]): RevocationStatus {
    const { at, skew, purpose } = this.#context;
    return revocationStatus(certificate, {
      crls: this.#input.crls,
      at,
      skew,
      grace: this.#input.crlGrace ?? 0,
      strict: this.#input.strict ?? false,
      tls: purpose !== 'any',
      budget: this.#budget,
      signers: (name) => this.#signers(name, certificate, entryAt(upwards, 1), last(upwards)),
    });
  }

  /** RFC 5280 §6.3.3 (f): the certificate's own issuer first, then others whose path leads to the same anchor. */
  *#signers(
    name: string,
    certificate: CertificateFacts,
    issuer: CertificateFacts,
    anchor: CertificateFacts,
  ): Generator<ListSigner> {
    if (issuer.subjectKeys.text === name) yield { certificate: issuer };
    if (anchor !== issuer && anchor.subjectKeys.text === name) yield { certificate: anchor };
    // A CRL issuer that its own distribution point makes the judge of itself (PKITS 4.14.30).
    if (certificate.subjectKeys.text === name && !certificate.selfIssued && this.#underway.includes(certificate)) {
      yield { certificate };
    }
    for (const signer of this.#issuers.named(name)) {
      if (signer === issuer || signer === anchor || this.#underway.includes(signer)) continue;
      const search = new PathSearch(
        { ...this.#input, leaf: signer, anchors: [anchor], purpose: 'any', names: [] },
        this.#budget,
        [...this.#underway, signer],
      );
      const found = search.run();
      yield found.ok ? { certificate: signer } : { certificate: signer, fault: entryAt(found.findings, 0).detail };
    }
  }
}
