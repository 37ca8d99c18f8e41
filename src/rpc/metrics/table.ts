/**
 * The table of metrics: what `GET /metrics` tells. A new metric is a row here, a row in docs/metrics.md (a test compares
 * the two), and in sources.ts what it is read from. Names by the convention of Prometheus: unit last, `_total` on what only
 * grows.
 */

export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = {
  info: {
    name: 'siptrust_build_info',
    type: 'gauge',
    help: 'Always 1; the labels say which version runs',
    labels: ['version', 'node'],
  },
  ready: {
    name: 'siptrust_ready',
    type: 'gauge',
    help: '1 where GET /ready answers 200, else 0',
    labels: [],
  },
  verdicts: {
    name: 'siptrust_verdicts_total',
    type: 'counter',
    help: 'Verdicts given, on peers and with messages, by agreement ("(other)": none, or beyond the first 2000), direction, verdict and first reason',
    labels: ['agreement', 'direction', 'verdict', 'reason'],
  },
  alarms: {
    name: 'siptrust_alarms_total',
    type: 'counter',
    help: 'Answers about peers whose first reason is an alarm (outcome empty), and messages with their first alarm and their outcome (refused, edited, as-is): somebody pretends, or a partner made a grave mistake',
    labels: ['agreement', 'reason', 'outcome'],
  },
  plans: {
    name: 'siptrust_plans_total',
    type: 'counter',
    help: 'Plans for messages, by message (request, response), direction and outcome',
    labels: ['message', 'direction', 'outcome'],
  },
  questions: {
    name: 'siptrust_questions_total',
    type: 'counter',
    help: 'Questions by RPC method and outcome: ok, error, forbidden',
    labels: ['method', 'outcome'],
  },
  duration: {
    name: 'siptrust_question_duration_seconds',
    type: 'histogram',
    help: 'Time from the question to its answer, by RPC method; questions that wait for DNS wait in here',
    labels: ['method'],
  },
  cacheEntries: {
    name: 'siptrust_cache_entries',
    type: 'gauge',
    help: 'Entries of the caches: certificates, verdicts, connections, dns',
    labels: ['cache'],
  },
  cacheRequests: {
    name: 'siptrust_cache_requests_total',
    type: 'counter',
    help: 'Look-ups in the caches of certificates and verdicts, by result: hit, miss',
    labels: ['cache', 'result'],
  },
  policyRevision: {
    name: 'siptrust_policy_revision',
    type: 'gauge',
    help: 'Revision of the policy in force',
    labels: [],
  },
  policyLoaded: {
    name: 'siptrust_policy_loaded_timestamp_seconds',
    type: 'gauge',
    help: 'When the policy in force was read',
    labels: [],
  },
  policyAttempt: {
    name: 'siptrust_policy_last_reload_timestamp_seconds',
    type: 'gauge',
    help: 'When the policy file was read last, good or not',
    labels: [],
  },
  policyProblems: {
    name: 'siptrust_policy_problems',
    type: 'gauge',
    help: 'Problems of the policy file that was read last; above 0 an older policy is in force',
    labels: [],
  },
  policyWarnings: {
    name: 'siptrust_policy_warnings',
    type: 'gauge',
    help: 'Warnings about the policy in force',
    labels: [],
  },
  candidate: {
    name: 'siptrust_candidate',
    type: 'gauge',
    help: '1 while a candidate policy is tried, else 0',
    labels: [],
  },
  candidateAsked: {
    name: 'siptrust_candidate_asked_total',
    type: 'counter',
    help: 'Answers that were judged again by a candidate policy',
    labels: [],
  },
  candidateChanged: {
    name: 'siptrust_candidate_changed_total',
    type: 'counter',
    help: 'Answers that a candidate policy would have changed',
    labels: [],
  },
  candidateChanges: {
    name: 'siptrust_candidate_changes',
    type: 'gauge',
    help: 'Answers that the candidate of now would have changed, by agreement ("(other)": strangers, or beyond the first 2000)',
    labels: ['agreement'],
  },
  agreements: {
    name: 'siptrust_agreements',
    type: 'gauge',
    help: 'Agreements of the policy in force, by state: enabled, disabled',
    labels: ['state'],
  },
  expiry: {
    name: 'siptrust_expires_timestamp_seconds',
    type: 'gauge',
    help: 'When the first of this kind ends or has ended, by agreement and kind as in siptrustctl cert expiry',
    labels: ['agreement', 'kind'],
  },
  expiryNotice: {
    name: 'siptrust_expiry_notice',
    type: 'gauge',
    help: 'The last notice whose time has come for anything of this kind: 30, 7, 1 (days, or the last fifth, sixth, eighth of a shorter life of a certificate), 0: it has ended. CRLs have none',
    labels: ['agreement', 'kind'],
  },
  revocationItems: {
    name: 'siptrust_revocation_items',
    type: 'gauge',
    help: 'CRLs and OCSP statuses at hand, by kind and state as in siptrustctl crl list',
    labels: ['kind', 'state'],
  },
  revocationThis: {
    name: 'siptrust_revocation_this_update_timestamp_seconds',
    type: 'gauge',
    help: 'thisUpdate of the oldest CRL or OCSP status of a source',
    labels: ['kind', 'source'],
  },
  revocationNext: {
    name: 'siptrust_revocation_next_update_timestamp_seconds',
    type: 'gauge',
    help: 'nextUpdate of the CRL or OCSP status of a source that runs out first',
    labels: ['kind', 'source'],
  },
  pins: {
    name: 'siptrust_pins',
    type: 'gauge',
    help: 'Keys of partners, by state: observed, approved',
    labels: ['state'],
  },
  pinsWaiting: {
    name: 'siptrust_pins_waiting',
    type: 'gauge',
    help: 'Keys that were observed with agreements that ask for an approval, and that nobody has approved',
    labels: [],
  },
  storeUp: {
    name: 'siptrust_store_up',
    type: 'gauge',
    help: '1 where the store of the fleet answers; no series where there is none',
    labels: [],
  },
  storeLag: {
    name: 'siptrust_store_lag_seconds',
    type: 'gauge',
    help: 'How long ago this node last knew all that the store says, since its start at most',
    labels: [],
  },
  storeWaiting: {
    name: 'siptrust_store_waiting',
    type: 'gauge',
    help: 'Things seen and lines of the audit log that the store does not have yet',
    labels: [],
  },
  hops: {
    name: 'siptrust_hops_total',
    type: 'counter',
    help: 'Answers about next hops, by status: ready, pending, failed',
    labels: ['status'],
  },
  dnsQuestions: {
    name: 'siptrust_dns_questions_total',
    type: 'counter',
    help: 'Questions that DNS servers were asked',
    labels: [],
  },
  dnsFailures: {
    name: 'siptrust_dns_failures_total',
    type: 'counter',
    help: 'Questions that no DNS server answered in a usable way',
    labels: [],
  },
  dnsAlarms: {
    name: 'siptrust_dns_alarms_total',
    type: 'counter',
    help: 'Times that TLS vanished from the DNS of a partner',
    labels: [],
  },
  fleetRevision: {
    name: 'siptrust_fleet_revision',
    type: 'gauge',
    help: 'Revision of the policy of the fleet that is in force on this node; 0: none',
    labels: [],
  },
  fleetNewest: {
    name: 'siptrust_fleet_newest_revision',
    type: 'gauge',
    help: 'The newest revision of the fleet that this node knows of',
    labels: [],
  },
  fleetProblem: {
    name: 'siptrust_fleet_problem',
    type: 'gauge',
    help: '1 where this node does not take the newest revision of the fleet, or cannot fetch it',
    labels: [],
  },
  fleetLag: {
    name: 'siptrust_fleet_lag_seconds',
    type: 'gauge',
    help: 'How long ago the first revision of the fleet was stored that is not in force on this node; 0: none lacks',
    labels: [],
  },
  fleetNodes: {
    name: 'siptrust_fleet_nodes',
    type: 'gauge',
    help: 'Nodes of the fleet as this node knows them, by state: ok, behind, problem, silent',
    labels: ['state'],
  },
  fleetDisabled: {
    name: 'siptrust_fleet_disabled_agreements',
    type: 'gauge',
    help: 'Agreements that siptrustctl agreement disable --fleet has taken out',
    labels: [],
  },
  fleetContact: {
    name: 'siptrust_fleet_last_contact_timestamp_seconds',
    type: 'gauge',
    help: 'When the store answered this node last',
    labels: [],
  },
  decisionsLost: {
    name: 'siptrust_decisions_lost_total',
    type: 'counter',
    help: 'Lines that the disk did not take of the decision log',
    labels: [],
  },
  refusedCredentials: {
    name: 'siptrust_refused_credentials_total',
    type: 'counter',
    help: 'Credentials that were refused over HTTP, by why: token, scheme, certificate, rate',
    labels: ['why'],
  },
  refusedRequests: {
    name: 'siptrust_http_refused_total',
    type: 'counter',
    help: 'HTTP requests that were refused for want of a credential or a role, by status',
    labels: ['status'],
  },
  forbidden: {
    name: 'siptrust_forbidden_total',
    type: 'counter',
    help: 'Questions that the role of the caller does not cover, by wire',
    labels: ['wire'],
  },
  eventLoop: {
    name: 'siptrust_event_loop_delay_seconds',
    type: 'gauge',
    help: 'How late the event loop was since the last scrape: median, p99, max. No question is answered meanwhile',
    labels: ['stat'],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricKey = keyof typeof METRICS;

/** Bounds of the histogram, in seconds: a verdict takes 10 µs to 1 ms, and scripts give up after 0.3 s. */
export const DURATION_BUCKETS: readonly number[] = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1,
];
