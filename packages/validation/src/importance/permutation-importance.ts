import { HIGHER_IS_BETTER, type DatasetManifest, type Importance, type Metric } from '@perennial/contract';
import type { OutputBatch, RawColumn } from '@perennial/onnx';
import { ArtifactUnfitError } from '../errors.ts';
import { metricOf } from '../metrics/metric-of.ts';
import { plainValue } from '../metrics/row-metric.ts';
import { takeValues } from '../probing/raw-columns.ts';
import { thinSample } from '../probing/thin-sample.ts';
import { askVariations, type Variation } from '../probing/variations.ts';
import { ClassIndex } from '../scoring/class-index.ts';
import type { RowSample } from '../scoring/row-sample.ts';
import { scoreSheet } from '../scoring/score-sheet.ts';
import type { ScoringModel } from '../scoring/score-split.ts';
import type { ScoredRows } from '../scoring/scored-rows.ts';
import { normalQuantile } from '../statistics/normal.ts';
import { RandomStream } from '../statistics/random.ts';
import { featureGroups } from './feature-groups.ts';

/** Most rows that are shuffled. */
export const MOST_SHUFFLED_ROWS = 5_000;
/** Fewest, where there are so many columns that {@link MOST_CELLS} would leave fewer. */
const FEWEST_ROWS = 500;
/** Most values that are put to the model in all, some seconds of its time: a table of hundreds of columns has fewer of its rows shuffled. */
const MOST_CELLS = 50_000_000;
/** How often each feature is shuffled. */
const REPEATS = 5;
/** Two-sided, of the intervals. */
const CONFIDENCE = 0.9;

export interface ImportanceQuestion {
  model: ScoringModel;
  sample: RowSample;
  /** Of the dataset version that the rows belong to. */
  manifest: DatasetManifest;
  /** The primary one. */
  metric: Metric;
  signal?: AbortSignal;
}

/** A metric of the rows under one shuffle, or as they are. */
interface Measured {
  value: number;
  influence: Float64Array;
}

/**
 * Permutation importance: how much worse the metric grows when a feature's values are shuffled among the rows, so that they say nothing of the row any
 * more (Breiman, "Random forests", Machine Learning 45, 2001; Fisher, Rudin & Dominici, "All models are wrong, but many are useful", JMLR
 * 20, 2019: model reliance). All columns of a feature move together, by the same shuffle; a column that another feature reads too moves for both,
 * and features that read the same columns are one, named by all of them. What features share in meaning is found of neither.
 *
 * Shuffles are seeded: the same rows give the same answer. The interval (normal, {@link CONFIDENCE}) covers rows and shuffles: the variance that the
 * rows' influences on the difference make, and that of the mean over the repeats.
 *
 * @returns most important first; empty where the metric is undefined on the rows. A feature that the model does not take, or whose shuffled rows
 * it does not answer, is left out: nothing is known of it.
 * @throws MetricKindError
 */
export async function permutationImportance(question: ImportanceQuestion): Promise<Importance[]> {
  const { inputs } = question.model.signature;
  const groups = featureGroups(question.manifest.encoder.features).filter(({ columns }) =>
    columns.every((column) => inputs.some(({ name }) => name === column)),
  );
  const affordable = Math.floor(MOST_CELLS / (groups.length * REPEATS * inputs.length));
  const most = Math.max(FEWEST_ROWS, Math.min(MOST_SHUFFLED_ROWS, affordable));
  const asked = { ...question, sample: thinSample(question.sample, most) };
  const rows = asked.sample.rows.length;
  const [baseline] = rows === 0 ? [] : await measure(asked, [{ changed: {} }]);
  if (baseline === undefined) return [];
  const orders = Array.from({ length: REPEATS }, (_, repeat) => shuffledRows(rows, repeat));
  const found: Importance[] = [];
  for (const { name: feature, columns } of groups) {
    const shuffles = orders.map((order) => shuffle(asked.sample, columns, order));
    const shuffled = await measure(asked, shuffles);
    if (shuffled.length < REPEATS) continue;
    found.push({ feature, ...importanceOf({ baseline, shuffled, orders, metric: question.metric }) });
  }
  return found.sort((a, b) => b.value - a.value);
}

function shuffle({ batch }: RowSample, columns: readonly string[], order: Uint32Array): Variation {
  const changed = columns.map((name): [string, RawColumn] => [
    name,
    takeValues(batch.columns[name] ?? [], order),
  ]);
  return { changed: Object.fromEntries(changed) };
}

/** Row numbers in a random order that follows from the repeat alone (Fisher & Yates, as Durstenfeld does it). */
function shuffledRows(rows: number, repeat: number): Uint32Array {
  const random = new Uint32Array(rows);
  new RandomStream(['permutation importance', String(repeat)]).fill(random);
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let last = rows - 1; last > 0; last--) {
    const other = Math.floor((random[last]! / 2 ** 32) * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/** The metric under each variation, without those that leave it undefined. */
async function measure(question: ImportanceQuestion, variations: readonly Variation[]): Promise<Measured[]> {
  const { model, sample, metric, signal } = question;
  const measured: Measured[] = [];
  for await (const answer of askVariations({ model, batch: sample.batch, variations, signal })) {
    const scored = 'problem' in answer ? null : scoredRows(answer.output, question);
    if (scored === null) continue;
    const prepared = metricOf(metric, scored);
    const value = plainValue(prepared);
    const influence = prepared.influence();
    if (value !== null && influence !== null) measured.push({ value, influence });
  }
  return measured;
}

/** Null where the answers are no probabilities or numbers: that is for the checks of behaviour to say. */
function scoredRows(output: OutputBatch, { model, sample, manifest }: ImportanceQuestion): ScoredRows | null {
  const { artifact } = model;
  const rows = sample.rows.length;
  const sheet = scoreSheet({ artifact, label: manifest.label, rows, classes: new ClassIndex() });
  try {
    sheet.add(sample.labels, output);
    return sheet.finish();
  } catch (error) {
    if (error instanceof ArtifactUnfitError) return null;
    throw error;
  }
}

interface Shuffled {
  baseline: Measured;
  /** By repeat. */
  shuffled: readonly Measured[];
  /** By repeat, per row the row whose values it was given. */
  orders: readonly Uint32Array[];
  metric: Metric;
}

function importanceOf(about: Shuffled): Pick<Importance, 'value' | 'interval'> {
  const { baseline, shuffled, metric } = about;
  const sign = HIGHER_IS_BETTER[metric] ? 1 : -1;
  const losses = shuffled.map((one) => sign * (baseline.value - one.value));
  const value = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  const ofRepeats = squaresAround(losses, value) / (losses.length - 1) / losses.length;
  const reach = normalQuantile((1 + CONFIDENCE) / 2) * Math.sqrt(varianceOverRows(about) + ofRepeats);
  return { value, interval: { low: value - reach, high: value + reach, confidence: CONFIDENCE } };
}

/**
 * Σ influence² / rows², of each row's influence on the difference. Under a shuffle a row counts twice, with its label and what stayed, and with the
 * values it gave to another row; without the second part, intervals meant to hold 90 % of the time held 79 % in a simulation. What a row's influence varies
 * by from repeat to repeat is noise of the shuffles, which the repeats are asked about: its part of the squares is taken out.
 */
function varianceOverRows({ baseline, shuffled, orders }: Shuffled): number {
  const rows = baseline.influence.length;
  const repeats = shuffled.map(({ influence }, repeat) => {
    const ofRow = baseline.influence.map((own, row) => own - influence[row]!);
    orders[repeat]!.forEach((giver, row) => (ofRow[giver]! -= influence[row]!));
    return ofRow;
  });
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    const influences = repeats.map((ofRow) => ofRow[row]!);
    const mean = influences.reduce((sum, influence) => sum + influence, 0) / REPEATS;
    squares += mean ** 2 - squaresAround(influences, mean) / (REPEATS - 1) / REPEATS;
  }
  return Math.max(0, squares) / rows ** 2;
}

function squaresAround(values: readonly number[], mean: number): number {
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}
