/** The door of this room: everything that answers rest on, in one hand. */

export { TrustState } from './trust-state.js';
