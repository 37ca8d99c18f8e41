/** The door of this room: what the HTTP listener serves besides questions: health, page, decisions. */

export { DECISION_FILTER, type DecisionRow, decisionRow, fits } from './decision.js';
export { decisionRoute } from './decision-stream.js';
export { pageRoutes } from './page.js';
export { type Readiness, readiness, readyRoute } from './readiness.js';
