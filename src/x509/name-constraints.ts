/**
 * Name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b), (c)): every name of every certificate below a constrained CA.
 *
 * Names and constraints are read into comparable values once per path; whatever cannot be read, or is of a kind that
 * siptrust does not compare, is refused as soon as a constraint of that kind meets a name of that kind.
 */

import type { Finding } from '../reasons.js';
import type { Budget } from './budget.js';
import { DerReader, MalformedDer } from './der.js';
import type { AlternativeName, CertificateFacts, NameConstraints, NameKeys, NameSubtree } from './facts.js';
import { generalNameText } from './general-name.js';
import { EMAIL_ADDRESS, nameWithin, parseName, readName } from './name.js';

/** The outcome of one comparison: inside the subtree, outside, or why they cannot be compared. */
type Match = 'inside' | 'outside' | { readonly unreadable: string };

/** A name of a certificate: what it is, what it says, how it reads in a message. */
interface Presented {
  readonly name: AlternativeName;
  readonly text: string;
  /** Of directory names: the key, read already where the subject is meant. */
  readonly keys?: NameKeys;
}

/** Compares names of one kind with a constraint of the same kind. `excluded` widens what a doubtful name touches. */
type Compare = (name: Presented, base: AlternativeName, excluded: boolean) => Match;

const ascii = (bytes: Uint8Array): string | undefined => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return /^[\x21-\x7e]*$/.test(text) ? text.toLowerCase() : undefined;
};

const HOST = /^(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Whether `host` is `base` or lies below it. */
function below(host: string, base: string): boolean {
  return base === '' || host === base || host.endsWith(`.${base}`);
}

/**
 * dNSName: zero or more labels added on the left. A constraint with a leading dot is not in RFC 5280 but deployed; it
 * means the names below. A presented wildcard stands for every name it could match: one such name inside an excluded
 * subtree excludes it.
 */
const compareDns: Compare = ({ name }, base, excluded) => {
  const constraint = ascii(base.bytes);
  const presented = ascii(name.bytes);
  const dotted = constraint?.startsWith('.') ?? false;
  const subtree = dotted ? constraint?.slice(1) : constraint;
  if (subtree === undefined || (subtree !== '' && !HOST.test(subtree)) || (dotted && subtree === '')) {
    return { unreadable: 'the constraint is no DNS name' };
  }
  const wildcard = presented?.startsWith('*.') ?? false;
  const host = wildcard ? presented?.slice(2) : presented;
  // One trailing dot only marks the name as absolute.
  const plain = host?.endsWith('.') ? host.slice(0, -1) : host;
  if (plain === undefined || !HOST.test(plain)) return { unreadable: 'the name is no DNS name' };
  if (wildcard) {
    if (below(plain, subtree)) return 'inside';
    const parent = subtree.slice(subtree.indexOf('.') + 1);
    return excluded && subtree.includes('.') && plain === parent ? 'inside' : 'outside';
  }
  if (dotted && !excluded && plain === subtree) return 'outside';
  return below(plain, subtree) ? 'inside' : 'outside';
};

/** iPAddress: address and mask of the same length; addresses of the other family are outside. */
const compareIp: Compare = ({ name }, base) => {
  const { bytes: constraint } = base;
  const size = constraint.length / 2;
  if (size !== 4 && size !== 16) return { unreadable: 'the constraint is no address with a mask' };
  const mask = constraint.subarray(size);
  if (!contiguous(mask)) return { unreadable: 'the mask of the constraint is no prefix' };
  const address = name.bytes;
  if (address.length !== 4 && address.length !== 16) return { unreadable: 'the name is no address' };
  if (address.length !== size) return 'outside';
  return address.every((octet, i) => ((octet ^ (constraint[i] ?? 0)) & (mask[i] ?? 0)) === 0) ? 'inside' : 'outside';
};

/** RFC 4632 style: ones, then zeros. */
function contiguous(mask: Uint8Array): boolean {
  let ended = false;
  for (const octet of mask) {
    if (ended ? octet !== 0 : (((octet ^ 0xff) + 1) & (octet ^ 0xff)) !== 0) return false;
    if (octet !== 0xff) ended = true;
  }
  return true;
}

interface Mailbox {
  readonly local: string;
  readonly host: string;
}

/** Local part as it stands (it may be case-sensitive, RFC 5321 §2.4), host in lower case. */
function mailbox(bytes: Uint8Array): Mailbox | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const parts = /^[\x21-\x7e]*$/.test(text) ? text.split('@') : [];
  const [local, host] = parts;
  if (parts.length !== 2 || !local || !host || !HOST.test(host.toLowerCase())) return undefined;
  return { local, host: host.toLowerCase() };
}

/** rfc822Name: a mailbox, all of a host, or (leading dot) all hosts below a domain. */
const compareEmail: Compare = ({ name }, base) => {
  const presented = mailbox(name.bytes);
  if (presented === undefined) return { unreadable: 'the name is no mailbox' };
  const constraint = ascii(base.bytes);
  if (constraint === '') return 'inside';
  if (constraint?.includes('@')) {
    const only = mailbox(base.bytes);
    if (only === undefined) return { unreadable: 'the constraint is no mailbox' };
    return only.local === presented.local && only.host === presented.host ? 'inside' : 'outside';
  }
  return compareHost(presented.host, constraint);
};

/** A host constraint means that host alone; one with a leading dot all hosts below it, but not itself. */
function compareHost(host: string, constraint: string | undefined): Match {
  const dotted = constraint?.startsWith('.') ?? false;
  const domain = dotted ? constraint?.slice(1) : constraint;
  if (domain === undefined || !HOST.test(domain)) return { unreadable: 'the constraint is no host or domain' };
  return (dotted ? host.endsWith(`.${domain}`) : host === domain) ? 'inside' : 'outside';
}

/**
 * URI: applies to the host of the authority. A URI without one (every `sip:` URI), or with an address there, is refused
 * wherever URIs are constrained (RFC 5280 §4.2.1.10).
 */
const compareUri: Compare = ({ name }, base) => {
  const text = ascii(name.bytes);
  const authority = text === undefined ? undefined : /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/.exec(text)?.[1];
  const host = authority?.slice(authority.lastIndexOf('@') + 1).replace(/:\d*$/, '');
  if (host === undefined || !HOST.test(host) || /(^|\.)\d+$/.test(host)) {
    return { unreadable: 'the URI has no authority with a domain name' };
  }
  const constraint = ascii(base.bytes);
  return constraint === '' ? 'inside' : compareHost(host, constraint);
};

/** directoryName: the constraint is a prefix of the name. */
const compareDirectory: Compare = ({ name, keys }, base) => {
  try {
    const presented = keys ?? directoryKeys(name.bytes);
    return nameWithin(presented, directoryKeys(base.bytes)) ? 'inside' : 'outside';
  } catch (cause) {
    if (cause instanceof MalformedDer) return { unreadable: cause.message };
    throw cause;
  }
};

/** Keys of constraint names: read once per extension, not once per comparison. */
const known = new WeakMap<Uint8Array, NameKeys>();

function directoryKeys(der: Uint8Array): NameKeys {
  const remembered = known.get(der);
  if (remembered !== undefined) return remembered;
  const { keys } = parseName(der, 'directoryName');
  known.set(der, keys);
  return keys;
}

/** Kinds that can be compared; a constraint on any other kind refuses every name of it. */
const COMPARE: Readonly<Partial<Record<AlternativeName['type'], Compare>>> = {
  dns: compareDns,
  ip: compareIp,
  email: compareEmail,
  uri: compareUri,
  directory: compareDirectory,
};

/** All names that constraints look at: the subject, its emailAddress attributes, subjectAltName, and a CN that names a host. */
function presentedNames(certificate: CertificateFacts, isLeaf: boolean): Presented[] {
  const names: Presented[] = [];
  const { subjectKeys, subjectText, subjectAltNames } = certificate;
  if (subjectKeys.rdns.length > 0) {
    names.push({
      name: { type: 'directory', bytes: certificate.subjectDer },
      text: `subject ${subjectText}`,
      keys: subjectKeys,
    });
  }
  for (const attribute of certificate.subject) {
    if (attribute.oid === EMAIL_ADDRESS) {
      names.push({ name: textName('email', attribute.value), text: `emailAddress ${attribute.value} of the subject` });
    }
    // Without subjectAltName a common name may be taken for a DNS name (RFC 5922 §7.1), so it is constrained like one.
    if (
      isLeaf &&
      subjectAltNames === undefined &&
      attribute.type === 'CN' &&
      HOST.test(attribute.value.toLowerCase())
    ) {
      if (attribute.value.includes('.'))
        names.push({ name: textName('dns', attribute.value), text: `CN ${attribute.value}` });
    }
  }
  for (const name of subjectAltNames ?? []) names.push({ name, text: `subjectAltName ${generalNameText(name)}` });
  return names;
}

function textName(type: 'email' | 'dns', value: string): AlternativeName {
  return { type, bytes: new Uint8Array(Buffer.from(value, 'utf8')) };
}

/** The constraints of one CA, by kind of name, so that a name meets only those of its own kind. */
interface Constraints {
  readonly from: string;
  readonly permitted: ReadonlyMap<AlternativeName['type'], readonly NameSubtree[]>;
  readonly excluded: ReadonlyMap<AlternativeName['type'], readonly NameSubtree[]>;
}

/** Sorts a CA's extension for `constraintViolation`. */
export function gatherConstraints(from: string, { permitted, excluded }: NameConstraints): Constraints {
  return { from, permitted: byKind(permitted ?? []), excluded: byKind(excluded ?? []) };
}

function byKind(subtrees: readonly NameSubtree[]): Map<AlternativeName['type'], NameSubtree[]> {
  const kinds = new Map<AlternativeName['type'], NameSubtree[]>();
  for (const subtree of subtrees) {
    const list = kinds.get(subtree.base.type);
    if (list === undefined) kinds.set(subtree.base.type, [subtree]);
    else list.push(subtree);
  }
  return kinds;
}

/**
 * The first name of the certificate that a CA above it does not allow, or undefined (RFC 5280 §6.1.3 (b), (c)). Each
 * CA's permitted subtrees are asked by themselves, which is their intersection (§6.1.4 (g)(1)).
 */
export function constraintViolation(
  certificate: CertificateFacts,
  above: readonly Constraints[],
  isLeaf: boolean,
  budget: Budget,
): Finding | undefined {
  if (above.length === 0) return undefined;
  const names = presentedNames(certificate, isLeaf);
  for (const constraints of above) {
    for (const name of names) {
      const problem = violation(name, constraints, budget);
      if (problem !== undefined) {
        const who = certificate.subjectText || '(empty name)';
        return { code: 'name-constraints', detail: `${who}: ${name.text}: ${problem} (${constraints.from})` };
      }
    }
  }
  return undefined;
}

function violation(presented: Presented, { permitted, excluded }: Constraints, budget: Budget): string | undefined {
  const { type } = presented.name;
  const allowed = permitted.get(type);
  const forbidden = excluded.get(type);
  if (allowed === undefined && forbidden === undefined) return undefined;
  const compare = COMPARE[type];
  if (compare === undefined) return `constraints on names of kind ${type} are not supported`;
  for (const subtree of forbidden ?? []) {
    const match = meet(compare, presented, subtree, true, budget);
    if (match === 'inside') return `excluded by ${generalNameText(subtree.base)}`;
    if (typeof match === 'object')
      return `cannot be compared with excluded ${generalNameText(subtree.base)}: ${match.unreadable}`;
  }
  if (allowed === undefined) return undefined;
  for (const subtree of allowed) {
    const match = meet(compare, presented, subtree, false, budget);
    if (match === 'inside') return undefined;
    if (typeof match === 'object')
      return `cannot be compared with permitted ${generalNameText(subtree.base)}: ${match.unreadable}`;
  }
  const shown = allowed.slice(0, 4).map(({ base }) => generalNameText(base));
  return `expected a name permitted by ${shown.join(', ')}${allowed.length > 4 ? ', ...' : ''}`;
}

function meet(compare: Compare, name: Presented, subtree: NameSubtree, excluded: boolean, budget: Budget): Match {
  budget.spend('comparisons');
  if (subtree.minimum !== 0 || subtree.maximum !== undefined) {
    return { unreadable: 'minimum other than 0 or maximum is not supported' };
  }
  return compare(name, subtree.base, excluded);
}

/** Why a constraint could never be compared, whatever the names are (RFC 5280 §4.2.1.10); undefined: it can. */
export function constraintDefect({ base }: NameSubtree): string | undefined {
  const text = ascii(base.bytes);
  switch (base.type) {
    case 'dns':
      // The leading dot belongs to URI and mailbox constraints.
      return text === '' || (text !== undefined && HOST.test(text)) ? undefined : 'expected a DNS name';
    case 'ip': {
      const size = base.bytes.length / 2;
      return (size === 4 || size === 16) && contiguous(base.bytes.subarray(size))
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
