/** The door of this room: everything that answers rest on, put together. */

export { type Of, type TrustState, trustState } from './trust-state.js';
