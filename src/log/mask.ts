/**
 * Masking of the user parts of identities: what a log may say of a subscriber without naming him.
 * Domains stay, because operators need them; of a user or a number the first two characters stay.
 */

/** `sip:alice@a.example` -> `sip:al***@a.example`, `tel:+4930123` -> `tel:+4***`. */
export function maskIdentities(text: string): string {
  return text
    .replace(/\b(sips?:)([^@\s<>"]+)@/gi, (_, scheme: string, user: string) => `${scheme}${shortened(user)}@`)
    .replace(/\b(tel:)([^\s<>";,]+)/gi, (_, scheme: string, number: string) => `${scheme}${shortened(number)}`);
}

function shortened(user: string): string {
  return `${user.slice(0, 2)}***`;
}
