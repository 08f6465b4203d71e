import { AggregatorRegistry, type MetricObject } from 'prom-client';

/** How long the processes are waited for; Prometheus itself gives up after ten seconds. */
const WAIT_MILLISECONDS = 3_000;

interface Gathering {
  metrics: MetricObject[][];
  missing: number;
  done: () => void;
}

/** Puts the metrics of all serving processes together: sums of counters and histograms, as if they were one process. */
export class FleetMetrics {
  readonly #ask: (id: number) => number;
  readonly #gatherings = new Map<number, Gathering>();
  #last = 0;

  /** @param ask - asks every process for its own metrics under an id; answers how many it asked */
  constructor(ask: (id: number) => number) {
    this.#ask = ask;
  }

  /** The fleet's metrics in Prometheus's text format; without those of a process that does not answer in time. */
  async text(): Promise<string> {
    const id = ++this.#last;
    const gathering: Gathering = { metrics: [], missing: 0, done: () => undefined };
    this.#gatherings.set(id, gathering);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WAIT_MILLISECONDS);
      gathering.done = () => {
        clearTimeout(timer);
        resolve();
      };
      gathering.missing = this.#ask(id);
      if (gathering.missing === 0) gathering.done();
    });
    this.#gatherings.delete(id);
    return AggregatorRegistry.aggregate(gathering.metrics).metrics();
  }

  /** Takes what a process has answered. */
  take(id: number, metrics: MetricObject[]): void {
    const gathering = this.#gatherings.get(id);
    if (gathering === undefined) return;
    gathering.metrics.push(metrics);
    if (gathering.metrics.length === gathering.missing) gathering.done();
  }
}
