import { counted } from '../../printable.js';
import type { Finding, ReasonCode } from '../../reasons.js';
import { entryAt } from '../../typed.js';
import { type CertificateFacts, certificateName, keyIdentifiersAgree } from '../../x509/certificate/index.js';
import { instant } from '../../x509/der/index.js';
import { listed } from '../../x509/path/index.js';
import { purposeText, rolePurpose } from '../../x509/rules/index.js';
import { type Agreement, missingNames, type SecurityMechanism } from '../agreement/index.js';
import { type CoverContext, nextInstant, peerRole } from './context.js';
import { judgePath } from './path.js';

export interface Cover {
  readonly ok: boolean;
  /** What the trust would rest on. */
  readonly assurance: 'tls-attributes' | 'tls-certificate' | 'tls-pinned';
  /** The peer is who it says: everything held but an approval of the key or the word of the TLS stack. */
  readonly proven: boolean;
  /** Everything held, but for an approval of the key where that is missing: the key may be put before the operator. */
  readonly pinnable: boolean;
  /** Instant (ms) at which one of the facts behind this answer changes by itself. */
  readonly validUntil: number;
}

/** The part of an agreement that holds without looking at a certificate; the trail says whether it does. */
export function agreementInForce(agreement: Agreement, protectedBy: SecurityMechanism, context: CoverContext): boolean {
  const { direction, trail } = context;
  const name = `agreement ${agreement.name}`;
  const why = whyNotInForce(agreement, protectedBy, context);
  if (why === undefined) trail.pass(name, `enabled, valid now, covers direction ${direction}`, 'TS 33.203 §5.4');
  else trail.fail(name, why.code, why.detail);
  return why === undefined;
}

/** Why an agreement says nothing of this hop, whoever is at the other end (TS 33.203 §5.4); undefined: it is in force. */
export function whyNotInForce(
  { name, mechanism, enabled, valid: { from, until }, directions }: Agreement,
  protectedBy: SecurityMechanism,
  { direction, now }: Pick<CoverContext, 'direction' | 'now'>,
): Finding | undefined {
  const not = (code: ReasonCode, text: string): Finding => ({ code, detail: `agreement ${name}: ${text}` });
  if (mechanism !== protectedBy) return not('agreement-mechanism', `expected ${mechanism}, found ${protectedBy}`);
  if (!enabled) return not('agreement-disabled', 'enabled is false');
  if (now < from || now > until) {
    const bounds = now < from ? `from ${instant(from)} on` : `until ${instant(until)}`;
    return not('agreement-time', `expected a time ${bounds}, found ${instant(now)}`);
  }
  if (directions.includes(direction)) return undefined;
  return not('agreement-direction', `expected one of ${directions.join(', ')}, found ${direction}`);
}

/** A bound of an agreement for people; one that is not set reads `always`. */
export function boundText(ms: number): string {
  return Number.isFinite(ms) ? instant(ms) : 'always';
}

/** The next instant at which an agreement begins or ends. */
export function agreementChange(agreement: Agreement, now: number): number {
  if (now < agreement.valid.from) return agreement.valid.from;
  return now <= agreement.valid.until ? agreement.valid.until + 1 : Number.POSITIVE_INFINITY;
}

/** Whether the agreement covers this certificate in this role: attributes, pins, path to its own anchors, usage. */
export function certificateCovered(
  agreement: Agreement,
  leaf: CertificateFacts,
  stackVerified: boolean,
  context: CoverContext,
): Cover {
  const { trail, now, snapshot } = context;
  const no: Cover = {
    ...{ ok: false, assurance: 'tls-certificate', proven: false, pinnable: false },
    validUntil: nextInstant(now, [leaf], snapshot.skew),
  };

  const missing = missingNames(agreement, leaf);
  if (missing.length > 0) {
    trail.fail('attributes', 'agreement-attributes', `agreement ${agreement.name}: ${missing.join('; ')}`);
    return no;
  }

  const pin = `sha256/${leaf.spkiSha256}`;
  const listed = agreement.pins.includes(leaf.spkiSha256);
  const approved = context.approved.get(agreement.name)?.has(leaf.spkiSha256) === true;
  const pinned = listed || approved;
  const assurance = pinned ? 'tls-pinned' : 'tls-certificate';
  if (agreement.pins.length > 0 && !agreement.pinned && !listed) {
    const expected = `expected a pin of the policy (${pinsText(agreement.pins)})`;
    trail.fail('pin', 'pin-mismatch', `agreement ${agreement.name}: ${expected}, found ${pin}`);
    return no;
  }
  if (pinned) {
    const by = listed ? 'pinned by' : 'an approved pin of';
    trail.pass('pin', `${pin} is ${by} agreement ${agreement.name}`, 'operator policy');
  }

  // Only a pin of the policy makes a certificate its own anchor: an approval narrows trust and never widens it.
  const path = judgePath(agreement, leaf, listed, context);
  const stackRefused = !stackVerified && agreement.stackVerification === 'required';
  if (!path.ok || stackRefused) {
    // Of the two the path says more; that the stack refused it too is told beside it.
    if (stackRefused) failStack(agreement, leaf, path.path, context);
    if (agreement.pinned && !pinned) failApproval(agreement, pin, '', context);
    return { ok: false, assurance, proven: path.ok, pinnable: false, validUntil: path.validUntil };
  }
  trail.pass(
    'stack',
    stackVerified
      ? 'the TLS stack verified the certificate'
      : `the TLS stack did not verify the certificate; agreement ${agreement.name} sets stack_verification: advisory`,
    'TS 33.203 §6.5',
  );
  if (agreement.pinned && !pinned) {
    const how = `; to approve it: siptrustctl pin approve ${agreement.name} ${pin}`;
    failApproval(agreement, pin, how, context);
    return { ok: false, assurance, proven: true, pinnable: true, validUntil: path.validUntil };
  }
  return { ok: true, assurance, proven: true, pinnable: true, validUntil: path.validUntil };
}

function failApproval(agreement: Agreement, pin: string, how: string, { approved, trail }: CoverContext): void {
  const { name, pins } = agreement;
  const expected = `a pin of the policy (${pinsText(pins)}) or an approved one (${pinsText(approved.get(name) ?? [])})`;
  trail.fail('pin', 'pin-mismatch', `agreement ${name}, pinned: expected ${expected}, found ${pin}${how}`);
}

function pinsText(pins: Iterable<string>): string {
  return listed([...pins].map((spkiSha256) => `sha256/${spkiSha256}`));
}

function failStack(
  agreement: Agreement,
  leaf: CertificateFacts,
  path: readonly CertificateFacts[],
  { direction, now, trail }: CoverContext,
): void {
  const detail =
    'expected a certificate that the TLS stack of the proxy verified, found verified=0' +
    ` (agreement ${agreement.name}, stack_verification: ${agreement.stackVerification})`;
  const why = stricterStack(leaf, rolePurpose(peerRole(direction)), now) || whereToLook(path);
  trail.fail('stack', 'stack-unverified', detail + why);
}

/** What an operator can do about a stack that refuses what holds here. */
function whereToLook(path: readonly CertificateFacts[]): string {
  const anchor = path.at(-1);
  if (anchor === undefined) return '';
  const [leaf] = path;
  if (leaf === anchor)
    return '; the pin holds: no stack verifies what stands by itself, and advisory lets siptrust decide';
  const at = path.findIndex((each, index) => index > 0 && !keyIdentifiersAgree(entryAt(path, index - 1), each));
  if (at > 0) {
    const [below, above] = [certificateName(entryAt(path, at - 1)), certificateName(entryAt(path, at))];
    return `; ${below} names another certificate of its issuer, by key identifier or serial number, than that of ${above}, which OpenSSL asks for`;
  }
  const between = counted(path.length - 2, 'CA');
  return `; siptrust's own path holds: look for its anchor ${certificateName(anchor)} in ca_list of the proxy, and at verify_depth (${between} between)`;
}

/** Where OpenSSL takes less than we do: its verdict comes without a reason. */
function stricterStack(
  { notBefore, notAfter, extendedKeyUsage }: CertificateFacts,
  purpose: string,
  now: number,
): string {
  if (now < notBefore) {
    return `; the certificate begins at ${instant(notBefore)}: the stack knows no skew, and verifies it once the connection is opened anew`;
  }
  if (now > notAfter) return `; the certificate has ended at ${instant(notAfter)}: the stack knows no skew`;
  if (extendedKeyUsage === undefined || extendedKeyUsage.includes(purpose)) return '';
  const found = purposeText(extendedKeyUsage);
  return `; its extendedKeyUsage ${found} names no ${purposeText([purpose])}, which OpenSSL asks for`;
}
