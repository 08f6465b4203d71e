import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics, type Metric } from 'prom-client';
import { RequestTimes, type RequestLabels } from './request-times.ts';

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
  /** What is scraped, where this process is one of several. @default this process's own */
  text?: (() => Promise<string>) | undefined;
}

export interface MetricsOptions extends MetricSources {
  /** Made before what it counts. @default a new one */
  registry?: Registry;
}

/** The platform's metrics in Prometheus's text format. */
export class Metrics {
  readonly registry: Registry;
  readonly #requests = new RequestTimes();
  /** Predictions by model and version that the counter does not hold yet: it is told at each scrape. */
  readonly #predictions = new Map<string, Map<number, number>>();

  /** What is scraped. */
  readonly text: () => Promise<string>;

  constructor({ numbers, times = [], text, registry = new Registry() }: MetricsOptions) {
    this.registry = registry;
    this.text = text ?? (() => this.registry.metrics());
    collectDefaultMetrics({ register: this.registry });
    // The registry asks for no more of a metric than what this one has.
    this.registry.registerMetric(this.#requests as unknown as Metric);
    this.#addPredictions();
    for (const source of numbers) this.#addNumber(source);
    for (const source of times) this.#addTimes(source);
  }

  request(labels: RequestLabels, seconds: number): void {
    this.#requests.observe(labels, seconds);
  }

  predictions({ model, version }: { model: string; version: number }, count: number): void {
    let byVersion = this.#predictions.get(model);
    if (byVersion === undefined) this.#predictions.set(model, (byVersion = new Map<number, number>()));
    byVersion.set(version, (byVersion.get(version) ?? 0) + count);
  }

  #addPredictions(): void {
    const pending = this.#predictions;
    new Counter({
      name: 'perennial_predictions_total',
      help: 'Predictions answered, by model and version',
      labelNames: ['model', 'version'],
      registers: [this.registry],
      collect() {
        for (const [model, byVersion] of pending)
          for (const [version, count] of byVersion) this.inc({ model, version: String(version) }, count);
        pending.clear();
      },
    });
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
