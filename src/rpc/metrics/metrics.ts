/** The metrics as prom-client keeps and prints them, and the route that gives them out. */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Role } from '../../policy/settings/index.js';
import type { TrustState } from '../../state/trust/index.js';
import { entriesOf } from '../../typed.js';
import type { Answered } from '../dispatch/index.js';
import type { Readiness } from '../http/index.js';
import { type HttpRoute, READ } from '../wire/index.js';
import type { Sample } from './sample.js';
import { samples } from './sources.js';
import { DURATION_BUCKETS, METRICS, type MetricRow } from './table.js';

/** ms between two looks at how late the event loop is. */
const LOOK_MS = 10;

/** The text of GET /metrics, made of the table of metrics when it is asked for. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #questions: Counter;
  readonly #duration: Histogram;
  readonly #delay = monitorEventLoopDelay({ resolution: LOOK_MS });
  /** By method and outcome: looking labels up costs more than counting. */
  readonly #children = new Map<
    string,
    { readonly count: { inc(by?: number): void }; readonly time: { observe(s: number): void } }
  >();
  #printing: Promise<string> | undefined;

  /** @param methods names of all methods: each has its series from the beginning */
  constructor(state: TrustState, readiness: () => Readiness, methods: readonly string[]) {
    const registers = [this.#registry];
    this.#delay.enable();
    const sources = samples({ state, readiness, eventLoop: () => this.#eventLoop() });
    for (const [key, row] of entriesOf(METRICS)) {
      if (key === 'questions' || key === 'duration') continue;
      const read = sources[key];
      const { name, help, type, labels: labelNames } = row;
      const options = { name, help, labelNames: [...labelNames], registers };
      const fill = async (metric: {
        reset(): void;
        labels(...values: string[]): { inc(value: number): void };
      }): Promise<void> => {
        const found = await read();
        metric.reset();
        for (const [values, value] of found) metric.labels(...values).inc(value);
      };
      if (type === 'counter') {
        const metric: Counter = new Counter({ ...options, collect: () => fill(metric) });
      } else {
        const metric: Gauge = new Gauge({ ...options, collect: () => fill(metric) });
      }
    }
    const { questions, duration } = METRICS;
    const common = (row: MetricRow) => ({ name: row.name, help: row.help, labelNames: [...row.labels], registers });
    this.#questions = new Counter(common(questions));
    this.#duration = new Histogram({ ...common(duration), buckets: [...DURATION_BUCKETS] });
    for (const method of methods) this.#child(method, 'ok').count.inc(0);
    collectDefaultMetrics({ register: this.#registry });
    // Sums of others, and gauges: `_total` says that a metric only grows.
    for (const what of ['handles', 'requests', 'resources']) {
      this.#registry.removeSingleMetric(`nodejs_active_${what}_total`);
    }
  }

  /** One question was answered. */
  readonly answered: Answered = (method, outcome, milliseconds) => {
    const { count, time } = this.#child(method, outcome);
    count.inc();
    time.observe(milliseconds / 1000);
  };

  /** In the text format of Prometheus 0.0.4. Who asks while it is being written gets the same text. */
  text(): Promise<string> {
    this.#printing ??= this.#registry.metrics().finally(() => {
      this.#printing = undefined;
    });
    return this.#printing;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  close(): void {
    this.#delay.disable();
    this.#registry.clear();
  }

  #child(method: string, outcome: string) {
    const name = `${method} ${outcome}`;
    const known = this.#children.get(name);
    if (known !== undefined) return known;
    const fresh = { count: this.#questions.labels(method, outcome), time: this.#duration.labels(method) };
    this.#children.set(name, fresh);
    return fresh;
  }

  #eventLoop(): readonly Sample[] {
    const delay = this.#delay;
    // The histogram holds the whole time between two looks, of which LOOK_MS are meant.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - LOOK_MS / 1000) || 0;
    const found: readonly Sample[] = [
      [['median'], late(delay.percentile(50))],
      [['p99'], late(delay.percentile(99))],
      [['max'], late(delay.max)],
    ];
    delay.reset();
    return found;
  }
}

/** @param role the least role that may ask */
export function metricsRoute(metrics: Metrics, role: Role): HttpRoute {
  return {
    ...{ path: '/metrics', methods: READ, role },
    handle: async (_, response, __, send) => {
      send(response, 200, await metrics.text(), { 'Content-Type': metrics.contentType });
    },
  };
}
