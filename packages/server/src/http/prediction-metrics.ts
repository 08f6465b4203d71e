import { describeError, type ErrorCode } from '@perennial/contract';
import type { PredictionObserver, PredictionPhases } from '@perennial/serving';
import { Counter, Gauge, type Registry } from 'prom-client';
import { DirectHistogram, type HistogramCell } from './histogram.ts';
import { registerTritonNames } from './triton-names.ts';

/** Other servers' names that the same figures may have as well. */
export type MetricsAlias = 'triton' | 'kserve';

/** What is loaded, as it is when metrics are scraped. */
export interface LoadedModel {
  model: string;
  version: number;
  inFlight: number;
  queuedRows: number;
}

export interface PredictionMetricsOptions {
  registry: Registry;
  aliases?: readonly MetricsAlias[];
  loaded?: () => readonly LoadedModel[];
}

/** From a tenth of a millisecond, a small model without a queue, to ten seconds. */
const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10];
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 512, 2_048, 8_192, 65_536];

/** Versions of a model whose series are kept: the present one, and those that a move may go back to. */
const KEPT_VERSIONS = 3;

/** Requests for models that are not there must not make a series each: a name that no model can have. */
const NO_MODEL = '-';

/** Where the figures of one version go. */
export interface VersionCells {
  model: string;
  version: string;
  rows: number;
  duration: HistogramCell;
  validate: HistogramCell;
  queue: HistogramCell;
  compute: HistogramCell;
  record: HistogramCell;
  batches: HistogramCell;
  kserve: { preprocess: HistogramCell; predict: HistogramCell; postprocess: HistogramCell } | null;
}

/**
 * The metrics of predictions, in base units, by model and version. On the way of every request: one look-up, and a handful of additions
 * (`bench/metrics.ts` prints how long).
 */
export class PredictionMetrics implements PredictionObserver {
  readonly #histograms: Record<
    'duration' | 'validate' | 'queue' | 'compute' | 'record' | 'batches',
    DirectHistogram
  >;
  readonly #kserve: Record<'preprocess' | 'predict' | 'postprocess', DirectHistogram> | null;
  readonly #failures: Counter;
  readonly #current = new Map<string, VersionCells>();
  readonly #versions = new Map<string, VersionCells[]>();

  constructor({ registry, aliases = [], loaded }: PredictionMetricsOptions) {
    this.#histograms = openHistograms(registry);
    this.#kserve = aliases.includes('kserve') ? openKserveHistograms(registry) : null;
    this.#failures = new Counter({
      name: 'perennial_prediction_failures_total',
      help: 'Prediction requests that were not answered, by model and error code',
      labelNames: ['model', 'code'],
      registers: [registry],
    });
    if (loaded !== undefined) openGauges(registry, loaded);
    if (aliases.includes('triton'))
      registerTritonNames(registry, { versions: () => this.versions(), failures: this.#failures });
  }

  /** Of which there are series. */
  versions(): VersionCells[] {
    return [...this.#versions.values()].flat();
  }

  predicted({
    model,
    version,
    rows,
    latencyMicroseconds,
    phases,
  }: {
    model: string;
    version: number;
    rows: number;
    latencyMicroseconds: number;
    phases: PredictionPhases;
  }): void {
    const current = this.#current.get(model);
    const cells = current?.version === String(version) ? current : this.#open(model, version);
    const { validate, queue, compute, record, ledBatches } = phases;
    const duration = latencyMicroseconds / 1e6 + record / 1e3;
    cells.rows += rows;
    cells.duration.observe(duration);
    cells.validate.observe(validate / 1e3);
    cells.queue.observe(queue / 1e3);
    cells.compute.observe(compute / 1e3);
    cells.record.observe(record / 1e3);
    for (const batch of ledBatches) cells.batches.observe(batch);
    if (cells.kserve === null) return;
    cells.kserve.preprocess.observe(validate / 1e3);
    cells.kserve.predict.observe((queue + compute) / 1e3);
    cells.kserve.postprocess.observe(record / 1e3);
  }

  failed({ model, error }: { model: string; error: unknown }): void {
    const { code } = describeError(error);
    const missing: ErrorCode[] = ['model-not-found', 'endpoint-not-found'];
    this.#failures.inc({ model: missing.includes(code) ? NO_MODEL : model, code });
  }

  /** Requests of the version before may still end while a new one answers, so that one may come back. */
  #open(model: string, version: number): VersionCells {
    const kept = this.#versions.get(model) ?? [];
    const cells = kept.find((one) => one.version === String(version)) ?? this.#add(model, String(version));
    const others = kept.filter((one) => one !== cells);
    for (const old of others.slice(KEPT_VERSIONS - 1)) this.#forget(old);
    this.#versions.set(model, [cells, ...others.slice(0, KEPT_VERSIONS - 1)]);
    this.#current.set(model, cells);
    return cells;
  }

  #add(model: string, version: string): VersionCells {
    const labels = { model, version };
    const { duration, validate, queue, compute, record, batches } = this.#histograms;
    const kserve = this.#kserve;
    const named = { model_name: model };
    return {
      model,
      version,
      rows: 0,
      duration: duration.cell(labels),
      validate: validate.cell(labels),
      queue: queue.cell(labels),
      compute: compute.cell(labels),
      record: record.cell(labels),
      batches: batches.cell(labels),
      kserve: kserve && {
        preprocess: kserve.preprocess.cell(named),
        predict: kserve.predict.cell(named),
        postprocess: kserve.postprocess.cell(named),
      },
    };
  }

  #forget({ model, version }: VersionCells): void {
    for (const histogram of Object.values(this.#histograms)) histogram.remove({ model, version });
  }
}

function openHistograms(registry: Registry) {
  const seconds = (phase: string, help: string) =>
    new DirectHistogram({ name: `perennial_prediction_${phase}_seconds`, help, bounds: SECONDS }).register(
      registry,
    );
  return {
    duration: seconds('duration', 'Time of a prediction request from its instances to being on record'),
    validate: seconds('validate', 'Time that the instances of a request are checked'),
    queue: seconds('queue', 'Time that a request waits for its batch to be begun'),
    compute: seconds('compute', 'Time that the batches of a request are computed'),
    record: seconds('record', 'Time until the predictions of a request are on record'),
    batches: new DirectHistogram({
      name: 'perennial_prediction_batch_rows',
      help: 'Rows that are computed together',
      bounds: ROWS,
    }).register(registry),
  };
}

/** Nothing is explained here: the fourth name is there, without a series, for dashboards that ask for it. */
function openKserveHistograms(registry: Registry) {
  const phase = (name: string) =>
    new DirectHistogram({
      name: `request_${name}_seconds`,
      help: `KServe's ${name} time`,
      bounds: SECONDS,
    }).register(registry);
  phase('explain');
  return { preprocess: phase('preprocess'), predict: phase('predict'), postprocess: phase('postprocess') };
}

function openGauges(registry: Registry, loaded: () => readonly LoadedModel[]): void {
  const gauge = (options: { name: string; help: string }, read: (model: LoadedModel) => number) =>
    new Gauge({
      ...options,
      labelNames: ['model', 'version'],
      registers: [registry],
      collect() {
        this.reset();
        for (const one of loaded()) this.set({ model: one.model, version: String(one.version) }, read(one));
      },
    });
  gauge(
    { name: 'perennial_predictions_in_flight', help: 'Prediction requests that are being answered' },
    ({ inFlight }) => inFlight,
  );
  gauge(
    { name: 'perennial_prediction_queued_rows', help: 'Rows that wait to be computed' },
    ({ queuedRows }) => queuedRows,
  );
}
