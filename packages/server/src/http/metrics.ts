import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Counters that other parts keep as plain numbers; read when metrics are scraped. */
export interface MetricSources {
  /** Name of a metric, its help, and how to read it. Names end in `_total` for counters. */
  numbers: { name: string; help: string; read: () => number }[];
  /** Histograms that other parts keep: upper bounds of the buckets, how many fell into each (and beyond the last), and the sum. */
  times?: {
    name: string;
    help: string;
    read: () => { bounds: readonly number[]; counts: readonly number[]; sum: number };
  }[];
}

export interface MetricsOptions extends MetricSources {
  /** Made before what it counts. @default a new one */
  registry?: Registry;
}

/** The platform's metrics in Prometheus's text format. */
export class Metrics {
  readonly registry: Registry;
  readonly #requests: Histogram;
  readonly #predictions: Counter;

  constructor({ numbers, times = [], registry = new Registry() }: MetricsOptions) {
    this.registry = registry;
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Histogram({
      name: 'perennial_http_request_duration_seconds',
      help: 'Time from request to answer, by route and status',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [this.registry],
    });
    this.#predictions = new Counter({
      name: 'perennial_predictions_total',
      help: 'Predictions answered, by model and version',
      labelNames: ['model', 'version'],
      registers: [this.registry],
    });
    for (const source of numbers) this.#addNumber(source);
    for (const source of times) this.#addTimes(source);
  }

  request(labels: { method: string; route: string; status: number }, seconds: number): void {
    this.#requests.observe({ ...labels, status: String(labels.status) }, seconds);
  }

  predictions({ model, version }: { model: string; version: number }, count: number): void {
    this.#predictions.inc({ model, version: String(version) }, count);
  }

  #addNumber({ name, help, read }: MetricSources['numbers'][number]): void {
    const options = { name, help, registers: [this.registry] };
    if (!name.endsWith('_total')) {
      new Gauge({
        ...options,
        collect() {
          this.set(read());
        },
      });
      return;
    }
    new Counter({
      ...options,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  #addTimes({ name, help, read }: NonNullable<MetricSources['times']>[number]): void {
    const histogram = new Histogram({ name, help, registers: [this.registry], buckets: [...read().bounds] });
    // prom-client keeps histograms of its own observations only; what is counted elsewhere is put into its form when it is asked for.
    const get = async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: histogramValues(name, read()),
    });
    Object.assign(histogram, { get, getForPromString: get });
  }
}

interface HistogramValue {
  metricName: string;
  labels: { le?: number | string };
  value: number;
}

function histogramValues(
  name: string,
  { bounds, counts, sum }: { bounds: readonly number[]; counts: readonly number[]; sum: number },
): HistogramValue[] {
  let below = 0;
  const buckets = [...bounds, '+Inf'].map((le, index) => {
    below += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: sum },
    { metricName: `${name}_count`, labels: {}, value: below },
  ];
}
