import {
  METRICS,
  type Metric,
  type MetricValues,
  type ModelCard,
  type ModelVersionDetail,
  type VersionComparison,
} from '@perennial/contract';
import { getDatasetVersion, getModelVersion, type Executor } from '@perennial/storage';

/**
 * What two versions of a model differ in, read off their cards.
 * @throws NotFoundError when one of them is not there
 */
export async function compareVersions(
  db: Executor,
  { model, a, b }: { model: string; a: number; b: number },
): Promise<VersionComparison> {
  const [left, right] = [await getModelVersion(db, model, a), await getModelVersion(db, model, b)];
  return {
    model,
    a,
    b,
    metrics: compareMetrics(metricsOf(left.card), metricsOf(right.card)),
    sameTestRows: await haveSameTestRows(db, left, right),
    differences: differencesOf(comparable(left), comparable(right)),
  };
}

function metricsOf(card: ModelCard): MetricValues {
  return card.kind === 'trained' ? card.evaluation.metrics : {};
}

function compareMetrics(a: MetricValues, b: MetricValues): VersionComparison['metrics'] {
  const known = [...new Set(Object.values(METRICS).flat())];
  return known.filter((metric) => metric in a || metric in b).map((metric) => compareMetric(metric, a, b));
}

function compareMetric(
  metric: Metric,
  a: MetricValues,
  b: MetricValues,
): VersionComparison['metrics'][number] {
  const [left, right] = [a[metric] ?? null, b[metric] ?? null];
  return { metric, a: left, b: right, difference: left === null || right === null ? null : right - left };
}

/** The same split, of which as many rows were left out because a version had been trained on them. */
async function haveSameTestRows(
  db: Executor,
  { card: a }: ModelVersionDetail,
  { card: b }: ModelVersionDetail,
): Promise<boolean> {
  if (a.kind === 'imported' || b.kind === 'imported') return false;
  if (a.evaluation.rows !== b.evaluation.rows) return false;
  return (
    a.data.dataset === b.data.dataset ||
    (await testSplitOf(db, a.data.dataset)) === (await testSplitOf(db, b.data.dataset))
  );
}

async function testSplitOf(db: Executor, dataset: string): Promise<string> {
  return (await getDatasetVersion(db, dataset)).manifest.splits.test.digest;
}

/**
 * What of a card is compared field by field. Left out is what any two versions differ in by their nature (number, time, the versions before), the metrics, which are
 * compared by themselves, and what is drawn rather than read: curves, slices, epochs.
 */
function comparable({ card, description, tags }: ModelVersionDetail): Record<string, unknown> {
  const {
    format: _format,
    model: _model,
    version: _version,
    createdAt: _at,
    history: _history,
    ...shared
  } = card;
  if (shared.kind === 'imported') return { ...shared, said: { description, tags } };
  const { evaluation, championEvaluation: _champion, gate, training, ...rest } = shared;
  const { epochs, seconds: _seconds, ...trained } = training;
  return {
    ...rest,
    training: { ...trained, epochs: epochs.length },
    evaluation: {
      rows: evaluation.rows,
      split: evaluation.split,
      calibrationError: evaluation.calibration?.error ?? null,
    },
    gate: { verdict: gate.verdict, rule: gate.gate, champion: gate.champion?.version ?? null },
    said: { description, tags },
  };
}

type Difference = VersionComparison['differences'][number];

/** Every field that is not the same in both, by its path; a field that one of them lacks is null there. */
export function differencesOf(a: unknown, b: unknown, path = ''): Difference[] {
  const [left, right] = [fieldsOf(a), fieldsOf(b)];
  if (left === undefined || right === undefined)
    return sameValue(a, b) ? [] : [{ path, a: a ?? null, b: b ?? null }];
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.flatMap((name) =>
    differencesOf(left.get(name), right.get(name), path === '' ? name : `${path}.${name}`),
  );
}

/** The parts of an object, and of a list of things with names, by which a thing is compared with its like wherever it stands. */
function fieldsOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const names = value.map(nameOf);
  const named = names.filter((name) => name !== undefined);
  return named.length > 0 && named.length === value.length && new Set(named).size === named.length
    ? new Map(value.map((item, index) => [named[index] ?? '', item]))
    : undefined;
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { name, feature, column } = item as Record<string, unknown>;
  return [name, feature, column].find((one) => typeof one === 'string');
}

/** Both come from JSON that the database keeps with its keys in one order. */
function sameValue(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
