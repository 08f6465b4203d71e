import { Counter, type Registry } from 'prom-client';
import type { VersionCells } from './prediction-metrics.ts';

interface Figures {
  versions: () => readonly VersionCells[];
  failures: Counter;
}

const MICROSECONDS = 1e6;

/** Triton's counters (docs/user_guide/metrics.md of the server) and what each is of ours; durations are sums in microseconds. */
const COUNTERS: [name: string, help: string, read: (cells: VersionCells) => number][] = [
  ['nv_inference_request_success', 'Requests that were answered', ({ duration }) => duration.count],
  ['nv_inference_count', 'Rows that were predicted', ({ rows }) => rows],
  ['nv_inference_exec_count', 'Batches that were computed', ({ batches }) => batches.count],
  ['nv_inference_request_duration_us', 'Time of requests', ({ duration }) => duration.sum * MICROSECONDS],
  ['nv_inference_queue_duration_us', 'Time that requests waited', ({ queue }) => queue.sum * MICROSECONDS],
  [
    'nv_inference_compute_input_duration_us',
    'Time that inputs were prepared',
    ({ validate }) => validate.sum * MICROSECONDS,
  ],
  [
    'nv_inference_compute_infer_duration_us',
    'Time that requests were computed',
    ({ compute }) => compute.sum * MICROSECONDS,
  ],
  [
    'nv_inference_compute_output_duration_us',
    'Time until outputs were on record',
    ({ record }) => record.sum * MICROSECONDS,
  ],
];

/** Puts Triton's names beside ours, read off ours at each scrape: they cost a request nothing. */
export function registerTritonNames(registry: Registry, { versions, failures }: Figures): void {
  for (const [name, help, read] of COUNTERS) {
    new Counter({
      name,
      help,
      labelNames: ['model', 'version'],
      registers: [registry],
      collect() {
        this.reset();
        for (const cells of versions()) this.inc({ model: cells.model, version: cells.version }, read(cells));
      },
    });
  }
  new Counter({
    name: 'nv_inference_request_failure',
    help: 'Requests that were not answered',
    labelNames: ['model', 'reason'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { labels, value } of (await failures.get()).values)
        this.inc({ model: String(labels['model']), reason: reasonOf(String(labels['code'])) }, value);
    },
  });
}

/** The reasons that Triton knows. */
function reasonOf(code: string): string {
  if (code === 'overloaded' || code === 'rate-limited') return 'REJECTED';
  return code === 'internal' ? 'BACKEND' : 'OTHER';
}
