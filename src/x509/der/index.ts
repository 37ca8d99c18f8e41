/** The door of this room: how certificates are written down. DER, PEM, times, and the files that people take for them. */

export { isUtf16, knownContainer } from './container.js';
export { DerReader, hex, hexHead, MalformedDer, oidText, sameOctets, TAG } from './der.js';
export { atOnce, copyInSteps, sha256InSteps, sortInSteps } from './in-steps.js';
export { MalformedPem, readPem, writePem } from './pem.js';
export { dayStart, INSTANT_FORM, instant, parseRfc3339 } from './rfc3339.js';
export { readTime } from './time.js';
