/** What a certificate is called in a message. */

import type { CertificateFacts } from './facts.js';
import { generalNameText } from './general-name.js';

/** Its subject; where that is empty, as public CAs leave it for servers, the first of its alternative names. */
export function certificateName({
  subjectText,
  subjectAltNames: [first] = [],
}: Pick<CertificateFacts, 'subjectText' | 'subjectAltNames'>): string {
  if (subjectText !== '') return subjectText;
  return first === undefined ? '(empty name)' : generalNameText(first);
}
