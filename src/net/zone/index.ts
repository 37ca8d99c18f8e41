/** The door of this room: what a zone has to say so that others reach us over TLS. */

export { isInside, type ZoneHost, zoneLines } from './lines.js';
export { reviewZone, type ZoneReview, type ZoneTarget } from './review.js';
