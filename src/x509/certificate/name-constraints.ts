/**
 * Name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b), (c)): every name of every certificate below a constrained CA.
 *
 * The subtrees of a CA are sorted once, by kind and into sets, so that a name is looked up and not held against each of
 * them: thousands of names under thousands of subtrees cost their sum, not their product. Whatever cannot be read, or is
 * of a kind that siptrust does not compare, is refused as soon as a constraint of that kind meets a name of that kind.
 */

import type { Finding } from '../../reasons.js';
import { entryAt } from '../../typed.js';
import { DerReader, MalformedDer } from '../der/index.js';
import type { Budget } from './budget.js';
import { certificateName } from './certificate-name.js';
import type { AlternativeName, CertificateFacts, NameConstraints, NameKeys, NameSubtree } from './facts.js';
import { generalNameText } from './general-name.js';
import { EMAIL_ADDRESS, readName } from './name.js';
import {
  DirectoryTrees,
  EmailTrees,
  type Found,
  HOST,
  HostTrees,
  IpTrees,
  mailbox,
  type NameTrees,
  plainText,
  prefixMask,
  UriTrees,
} from './name-trees.js';

/** A name of a certificate: what it is, and how it reads in a message. */
interface Presented {
  readonly name: AlternativeName;
  readonly text: () => string;
  /** Of the subject: the key, which is read already. */
  readonly keys?: NameKeys;
}

type Kind = AlternativeName['type'];

/** undefined: the URI names no SIP domain, and nobody is known by it. */
type SipDomainOf = (uri: Uint8Array) => string | undefined;

/** Kinds that can be compared; a constraint on any other kind refuses every name of it. */
const TREES: Readonly<Partial<Record<Kind, (excluded: boolean) => NameTrees>>> = {
  dns: (excluded) => new HostTrees(excluded),
  ip: () => new IpTrees(),
  email: () => new EmailTrees(),
  uri: () => new UriTrees(),
  directory: () => new DirectoryTrees(),
};

/** The subtrees of one kind that a CA permits, or excludes. */
interface Side {
  readonly subtrees: readonly NameSubtree[];
  /** undefined: of this kind nothing can be compared. */
  readonly trees: NameTrees | undefined;
  /** The first subtree that no name can be held against, and why. */
  readonly defect: { readonly subtree: NameSubtree; readonly why: string } | undefined;
}

/** The constraints of one CA, by kind of name, so that a name meets only those of its own kind. */
interface Constraints {
  readonly from: string;
  readonly permitted: ReadonlyMap<Kind, Side>;
  readonly excluded: ReadonlyMap<Kind, Side>;
}

/** Microseconds for a subtree that is sorted or a name that is looked up, and for each octet of it. */
const COST = { name: 1, octet: 0.15, directoryOctet: 0.35 } as const;

function costOf({ type, bytes }: AlternativeName): number {
  return COST.name + bytes.length * (type === 'directory' ? COST.directoryOctet : COST.octet);
}

/** The name constraints of one verification: what was sorted, read and found is there for the next path. */
export class NameCheck {
  readonly #budget: Budget;
  readonly #sipDomain: SipDomainOf | undefined;

  readonly #sorted = new Map<CertificateFacts, Constraints>();
  readonly #presented = new Map<CertificateFacts, readonly Presented[]>();
  readonly #found = new Map<CertificateFacts, Map<Constraints, Finding | undefined>>();

  /**
   * @param sipDomain the SIP domain that a URI names, which is constrained like a DNS name (RFC 5922 §7.1): RFC 5280 §4.2.1.10
   *   finds no host in such a URI, so that a CA which is held to the DNS names of one partner could vouch for every other
   *   one below the same anchor. undefined: nobody is known by it
   */
  constructor(budget: Budget, sipDomain: SipDomainOf | undefined) {
    this.#budget = budget;
    this.#sipDomain = sipDomain;
  }

  /**
   * The first name of a path (leaf first, anchor last) that a CA above it does not allow, or undefined. Each CA's
   * permitted subtrees are asked by themselves, which is their intersection (§6.1.4 (g)(1)). The anchor's own constraints
   * count (RFC 5937 §3.2); self-issued intermediates are exempt.
   */
  violation(path: readonly CertificateFacts[]): Finding | undefined {
    const above: Constraints[] = [];
    for (let index = path.length - 1; index >= 0; index--) {
      const certificate = entryAt(path, index);
      const isLeaf = index === 0;
      if (index < path.length - 1 && (isLeaf || !certificate.selfIssued)) {
        for (const constraints of above) {
          const finding = this.#below(certificate, constraints, isLeaf);
          if (finding !== undefined) return finding;
        }
      }
      if (!isLeaf && certificate.nameConstraints !== undefined) {
        above.push(this.#constraintsOf(certificate, certificate.nameConstraints));
      }
    }
    return undefined;
  }

  #constraintsOf(ca: CertificateFacts, constraints: NameConstraints): Constraints {
    const known = this.#sorted.get(ca);
    if (known !== undefined) return known;
    const { permitted = [], excluded = [] } = constraints;
    for (const { base } of [...permitted, ...excluded]) this.#budget.spend('names', costOf(base));
    const sorted = {
      from: `name constraints of ${ca.subjectText}`,
      permitted: sides(permitted, false),
      excluded: sides(excluded, true),
    };
    this.#sorted.set(ca, sorted);
    return sorted;
  }

  /** What is wrong with a certificate below one CA (§6.1.3 (b), (c)). Asked of each pair once. */
  #below(certificate: CertificateFacts, constraints: Constraints, isLeaf: boolean): Finding | undefined {
    const known = this.#found.get(certificate);
    if (known?.has(constraints)) return known.get(constraints);
    const names = this.#presented.get(certificate) ?? presentedNames(certificate, isLeaf, this.#sipDomain);
    this.#presented.set(certificate, names);
    let finding: Finding | undefined;
    for (const name of names) {
      this.#budget.spend('names', costOf(name.name));
      const problem = violation(name, constraints);
      if (problem === undefined) continue;
      const who = certificateName(certificate);
      finding = { code: 'name-constraints', detail: `${who}: ${name.text()}: ${problem} (${constraints.from})` };
      break;
    }
    this.#found.set(certificate, (known ?? new Map()).set(constraints, finding));
    return finding;
  }
}

function sides(subtrees: readonly NameSubtree[], excluded: boolean): ReadonlyMap<Kind, Side> {
  const kinds = new Map<Kind, NameSubtree[]>();
  for (const subtree of subtrees) {
    const list = kinds.get(subtree.base.type);
    if (list === undefined) kinds.set(subtree.base.type, [subtree]);
    else list.push(subtree);
  }
  return new Map([...kinds].map(([kind, list]) => [kind, side(list, TREES[kind]?.(excluded))]));
}

function side(subtrees: readonly NameSubtree[], trees: NameTrees | undefined): Side {
  let defect: Side['defect'];
  for (const subtree of subtrees) {
    const counted = subtree.minimum !== 0 || subtree.maximum !== undefined;
    const why = counted ? 'minimum other than 0 or maximum is not supported' : trees?.add(subtree.base);
    if (why !== undefined) defect ??= { subtree, why };
  }
  return { subtrees, trees, defect };
}

/** All names that constraints look at: the subject, its emailAddress attributes, subjectAltName, and a CN that names a host. */
function presentedNames(
  certificate: CertificateFacts,
  isLeaf: boolean,
  sipDomain: SipDomainOf | undefined,
): readonly Presented[] {
  const names: Presented[] = [];
  const { subjectKeys, subjectText, subjectAltNames } = certificate;
  if (subjectKeys.rdns.length > 0) {
    const name = { type: 'directory', bytes: certificate.subjectDer } as const;
    names.push({ name, text: () => `subject ${subjectText}`, keys: subjectKeys });
  }
  for (const { oid, type, value } of certificate.subject) {
    if (oid === EMAIL_ADDRESS) {
      names.push({ name: textName('email', value), text: () => `emailAddress ${value} of the subject` });
    }
    // Without subjectAltName a common name may be taken for a DNS name (RFC 5922 §7.1), so it is constrained like one.
    const mayName = isLeaf && subjectAltNames === undefined && type === 'CN' && value.includes('.');
    if (mayName && HOST.test(value.toLowerCase())) {
      names.push({ name: textName('dns', value), text: () => `CN ${value}` });
    }
  }
  for (const name of subjectAltNames ?? []) {
    const text = () => `subjectAltName ${generalNameText(name)}`;
    names.push({ name, text });
    const domain = isLeaf && name.type === 'uri' ? sipDomain?.(name.bytes) : undefined;
    if (domain !== undefined) names.push({ name: textName('dns', domain), text });
  }
  return names;
}

function textName(type: 'email' | 'dns', value: string): AlternativeName {
  return { type, bytes: new Uint8Array(Buffer.from(value, 'utf8')) };
}

/** Why a CA does not allow a name; undefined: it does. */
function violation({ name, keys }: Presented, { permitted, excluded }: Constraints): string | undefined {
  const { type } = name;
  const forbidden = excluded.get(type);
  const allowed = permitted.get(type);
  if (forbidden === undefined && allowed === undefined) return undefined;
  if (TREES[type] === undefined) return `constraints on names of kind ${type} are not supported`;
  if (forbidden !== undefined) {
    const found = lookUp(forbidden, name, keys);
    if ('inside' in found) return `excluded by ${generalNameText(found.inside)}`;
    if ('unreadable' in found) return `cannot be compared with excluded ${found.unreadable}`;
  }
  if (allowed === undefined) return undefined;
  const found = lookUp(allowed, name, keys);
  if ('inside' in found) return undefined;
  if ('unreadable' in found) return `cannot be compared with permitted ${found.unreadable}`;
  const shown = allowed.subtrees.slice(0, 4).map(({ base }) => generalNameText(base));
  return `expected a name permitted by ${shown.join(', ')}${allowed.subtrees.length > 4 ? ', ...' : ''}`;
}

/** One subtree that cannot be compared with any name hides what the others say. */
function lookUp({ subtrees, trees, defect }: Side, name: AlternativeName, keys: NameKeys | undefined): Found {
  if (defect !== undefined) return { unreadable: `${generalNameText(defect.subtree.base)}: ${defect.why}` };
  const found = trees?.find(name, keys) ?? { unreadable: 'its kind is not supported' };
  if (!('unreadable' in found)) return found;
  const [first] = subtrees;
  return { unreadable: `${first === undefined ? '' : generalNameText(first.base)}: ${found.unreadable}` };
}

/** Why a constraint could never be compared, whatever the names are (RFC 5280 §4.2.1.10); undefined: it can. */
export function constraintDefect({ base }: NameSubtree): string | undefined {
  const text = plainText(base.bytes);
  switch (base.type) {
    case 'dns':
      // The leading dot belongs to URI and mailbox constraints.
      return text === '' || (text !== undefined && HOST.test(text)) ? undefined : 'expected a DNS name';
    case 'ip': {
      const size = base.bytes.length / 2;
      return (size === 4 || size === 16) && prefixMask(base.bytes.subarray(size))
        ? undefined
        : 'expected address and mask';
    }
    case 'email':
      return text === '' ||
        mailbox(base.bytes) !== undefined ||
        (text !== undefined && HOST.test(text.replace(/^\./, '')))
        ? undefined
        : 'expected a mailbox, a host or a domain with a leading dot';
    case 'uri':
      return text === '' || (text !== undefined && HOST.test(text.replace(/^\./, '')))
        ? undefined
        : 'expected a host or a domain with a leading dot';
    case 'directory':
      try {
        const reader = new DerReader(base.bytes);
        readName(reader, 'directoryName');
        reader.finish('directoryName');
        return undefined;
      } catch (cause) {
        if (cause instanceof MalformedDer) return cause.message;
        throw cause;
      }
    default:
      return undefined;
  }
}
