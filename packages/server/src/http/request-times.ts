/** Upper bounds of the histogram's buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface RequestLabels {
  method: string;
  route: string;
  status: number;
}

interface Series {
  labels: RequestLabels;
  /** Requests by the first bucket that holds them; the last entry is of those beyond all. */
  counts: Float64Array;
  sum: number;
}

interface Sample {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

/**
 * How long requests took, as a metric of prom-client's registry. Its own histogram makes a text of the labels for every observation, 2 µs of a prediction's time; this one looks
 * into two maps and adds.
 */
export class RequestTimes {
  readonly name = 'perennial_http_request_duration_seconds';
  readonly help = 'Time from request to answer, by route and status';
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #byRoute = new Map<string, Map<number, Series[]>>();

  observe(labels: RequestLabels, seconds: number): void {
    const series = this.#seriesOf(labels);
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket++;
    series.counts[bucket] = (series.counts[bucket] as number) + 1;
    series.sum += seconds;
  }

  async get() {
    const { name, help, type, aggregator } = this;
    const all = Array.from(this.#byRoute.values(), (byStatus) => [...byStatus.values()]).flat(2);
    return { name, help, type, aggregator, values: all.flatMap((series) => this.#samples(series)) };
  }

  reset(): void {
    this.#byRoute.clear();
  }

  #seriesOf(labels: RequestLabels): Series {
    const { method, route, status } = labels;
    let byStatus = this.#byRoute.get(route);
    if (byStatus === undefined) this.#byRoute.set(route, (byStatus = new Map<number, Series[]>()));
    let ofStatus = byStatus.get(status);
    if (ofStatus === undefined) byStatus.set(status, (ofStatus = []));
    const known = ofStatus.find((series) => series.labels.method === method);
    if (known !== undefined) return known;
    const series = {
      labels: { method, route, status },
      counts: new Float64Array(BUCKETS.length + 1),
      sum: 0,
    };
    ofStatus.push(series);
    return series;
  }

  #samples({ labels: { method, route, status }, counts, sum }: Series): Sample[] {
    const labels = { method, route, status: String(status) };
    let below = 0;
    const buckets = [...BUCKETS, '+Inf'].map((le, i) => {
      below += counts[i] ?? 0;
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: below },
    ];
  }
}
