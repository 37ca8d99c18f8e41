/** The door of this room: views: what the page shows, one each. */

export { Decisions } from './decisions.js';
export { Fleet } from './fleet.js';
export { Login } from './login.js';
export { Partner } from './partner.js';
export { Partners } from './partners.js';
export { Pins } from './pins.js';
export { Policy } from './policy.js';
export { Revocation } from './revocation.js';
