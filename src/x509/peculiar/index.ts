/** The door of this room: what @peculiar/x509 does for us. It is loaded where it is needed, and costs tens of milliseconds. */

export { certificateRequest, KEY_ALGORITHMS, type KeyAlgorithmName, type RequestSubject } from './request.js';
export { readingsDiffer } from './second-reading.js';
