/**
 * Masking of identities: what a log may say of a subscriber without naming him. Domains stay, because operators need
 * them; of a user, a number or a display name the first two characters stay.
 */

/** What stands in quotes is text out of a message (`printable`), in which no quotes stand any more. */
const QUOTED = /"([^"]*)"/g;
/** What names nobody: field names with their colon, methods, media types and versions, short numbers. */
const PROTOCOL_WORD =
  /^(?:[A-Za-z][A-Za-z0-9-]*:|INVITE|ACK|BYE|CANCEL|OPTIONS|REGISTER|PRACK|SUBSCRIBE|NOTIFY|PUBLISH|INFO|REFER|MESSAGE|UPDATE|[A-Za-z]+\/[A-Za-z0-9.+-]{1,40}|[0-9.]{1,5}|)$/;

const SIP_USER = /\b(sips?|im|pres|mailto|xmpp):([^\s<>"@,]+?)(@|\.\.\.)/gi;
const TEL = /\b(tel|callto|fax):([^\s<>";,]+)/gi;
/** Tried where such a word begins alone: what is no address takes no more steps than it has characters. */
const ADDRESS = /(?<![^\s<>"@:,;=])([^\s<>"@:,;=]+)@/g;
/** A global number with or without visual separators (RFC 3966 §3); a shorter one is a prefix out of the policy. */
const NUMBER = /\+\d(?:[-.() ]{0,2}\d){6,}/g;

/** `sip:alice@a.example` -> `sip:al***@a.example`, `tel:+4930123` -> `tel:+4***`, `+4930123456` -> `+4***`. */
export function maskIdentities(text: string): string {
  return text
    .replace(SIP_USER, (_, scheme: string, user: string, end: string) => `${scheme}:${shortened(user)}${end}`)
    .replace(TEL, (_, scheme: string, number: string) => `${scheme}:${shortened(number)}`)
    .replace(ADDRESS, (_, user: string) => `${shortened(user)}@`)
    .replace(NUMBER, shortened);
}

/**
 * A finding about a message: what it quotes may be anything that its sender wrote, so of that two characters stay, and
 * the domains behind an `@`.
 */
export function maskMessageText(text: string): string {
  return maskIdentities(text.replace(QUOTED, (_, quoted: string) => `"${maskQuoted(quoted)}"`));
}

/** What masks the findings of an answer. */
export function maskOf(method: 'trust.peer' | 'trust.message'): (text: string) => string {
  return method === 'trust.message' ? maskMessageText : maskIdentities;
}

function maskQuoted(text: string): string {
  if (PROTOCOL_WORD.test(text)) return text;
  const domains = [...text.matchAll(/@([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])/g)].map(([at]) => at);
  return `${shortened(text)}${domains.join(' ')}`;
}

function shortened(user: string): string {
  return user.endsWith('***') ? user : `${user.slice(0, 2)}***`;
}
