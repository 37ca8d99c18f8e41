/** The door of this room: fetching over HTTP within limits: whom, how often, how many at a time. */

export { FetchFailure } from './fetch-failure.js';
export { fetchHttp, type HttpAnswer, type HttpQuestion } from './http-client.js';
export { type Job, JobQueue } from './job-queue.js';
export { nextRefresh, nextRetry, othersMaxAge } from './refresh-times.js';
