/** The door of this room: verdicts, what they rest on, and how they are explained. */

export { explain } from './explain.js';
export { decided, type Outcome, untrusted } from './outcome.js';
export { Trail } from './trail.js';
export { headerEdits, profileFor, type Treatment, treatmentOf, treatsOtherwise } from './treatment.js';
export { unknownConnection } from './unknown.js';
export {
  ASSURANCES,
  type Assurance,
  agreementInEffect,
  lacksLink,
  type Verdict,
  type VerdictScope,
} from './verdict.js';
