/** The door of this room: whether an agreement covers what a certificate proves (decision rules 1 to 4). */

export { END_BUDGET } from './chain-end.js';
export { type ApprovedPins, type CoverContext, NO_APPROVED_PINS, nextInstant } from './context.js';
export {
  agreementChange,
  agreementInForce,
  boundText,
  type Cover,
  certificateCovered,
  whyNotInForce,
} from './covers.js';
