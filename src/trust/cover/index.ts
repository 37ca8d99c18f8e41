/** The door of this room: whether an agreement covers what a certificate proves (decision rules 1 to 4). */

export { END_BUDGET } from './chain-end.js';
export {
  type ApprovedPins,
  agreementChange,
  agreementInForce,
  type Cover,
  type CoverContext,
  certificateCovered,
  instant,
  NO_APPROVED_PINS,
  nextInstant,
} from './covers.js';
