/** The door of this room: all that siptrustd listens on, opened and closed; and the same methods without a daemon. */

export { openListeners } from './listeners.js';
export { badInput, identityRecord, offlineAnswer, offlineAnswers } from './offline.js';
