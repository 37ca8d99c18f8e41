/** The door of this room: GET /metrics: the table, and what is read when Prometheus asks. */

export { Metrics, metricsRoute } from './metrics.js';
