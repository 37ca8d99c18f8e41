/** The door of this room: what was answered and found out about peers, as long as it counts. */

export { type Alarmed, Alarms } from './alarms.js';
export { Candidate, type CandidateOptions } from './candidate.js';
export { CertificateCache } from './certificate-cache.js';
export { Connections } from './connections.js';
export { Counters } from './counters.js';
export { type DifferenceRow, Differences } from './differences.js';
export { Partners, type Spell } from './partners.js';
export { type Answer, MAX_RECENT, type Question, questionOf, RecentAnswers } from './recent.js';
export { RepeatedParams } from './repeated-params.js';
export { VerdictCache } from './verdict-cache.js';
export { OTHER } from './verdict-counts.js';
