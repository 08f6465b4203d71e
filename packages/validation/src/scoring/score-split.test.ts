import type { DatasetManifest } from '@perennial/contract';
import { InferenceFailedError, InferenceModel, type ColumnBatch } from '@perennial/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { ArtifactUnfitError, LabelMismatchError, SplitMismatchError } from '../errors.ts';
import {
  BINARY_LABEL,
  linearArtifact,
  linearManifest,
  REGRESSION_LABEL,
  type LinearModel,
} from '../testing/linear-artifact.ts';
import { scoreSplit, type LabelledBatch, type ScoringModel, type ScoringOptions } from './score-split.ts';

const opened: InferenceModel[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.release();
});

async function open(model: LinearModel): Promise<ScoringModel & { inference: InferenceModel }> {
  const { artifact, bytes } = linearArtifact(model);
  const inference = await InferenceModel.load(bytes);
  opened.push(inference);
  return {
    artifact,
    signature: inference.signature,
    run: (batch: ColumnBatch) => inference.run(batch),
    inference,
  };
}

/** What a scoring needs beside its models and rows. */
const NOTHING_ELSE: Pick<ScoringOptions, 'linear' | 'clusters' | 'sample'> = {
  linear: null,
  clusters: [],
  sample: { eligible: new Uint32Array(0), most: 0 },
};
const DATASET = `sha256:${'d'.repeat(64)}`;

/** Rows numbered from 0: `x` is −1 or 1 in turn, `y` the number; the label is whether `x` is positive. */
async function* batches(rows: number, batchRows = 16): AsyncGenerator<LabelledBatch> {
  for (let start = 0; start < rows; start += batchRows) {
    const numbers = Array.from({ length: Math.min(batchRows, rows - start) }, (_, row) => start + row);
    const x = Float64Array.from(numbers, (row) => (row % 2 === 0 ? -1 : 1));
    yield await Promise.resolve({
      batch: { rows: numbers.length, columns: { x, y: Float64Array.from(numbers) } },
      labels: x.map((value) => (value > 0 ? 1 : 0)),
      slices: { side: numbers.map((row) => (row % 4 < 2 ? 'left' : 'right')) },
      times: BigInt64Array.from(numbers, (row) => BigInt(row) * 3_600_000n),
      keys: numbers.map((row) => `k${row % 5}`),
    });
  }
}

function manifest(rows: number, label = BINARY_LABEL): DatasetManifest {
  return linearManifest({ columns: ['x', 'y'], label, rows, slices: ['side'] });
}

const GOOD: LinearModel = { columns: ['x'], label: BINARY_LABEL, weights: [[2]] };
const BAD: LinearModel = { columns: ['x', 'y'], label: BINARY_LABEL, weights: [[-1, 0]] };

describe('scoreSplit', () => {
  it('scores both models on the same rows, each with its own columns', async () => {
    const scored = await scoreSplit({
      ...NOTHING_ELSE,
      batches: batches(100),
      dataset: DATASET,
      manifest: manifest(100),
      candidate: await open(GOOD),
      champion: await open(BAD),
    });
    const { candidate, champion, slices } = scored;
    if (candidate.kind !== 'binary' || champion === null || 'problem' in champion)
      throw new Error('not scored');
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    expect(candidate.labels).toEqual(Uint8Array.from({ length: 100 }, (_, row) => row % 2));
    expect(candidate.probability[99]).toBeCloseTo(sigmoid(2), 6);
    expect(candidate.decision).toEqual(candidate.labels);
    if (champion.scored.kind !== 'binary') throw new Error('not binary');
    expect(champion.scored.labels).toEqual(candidate.labels);
    expect(champion.scored.probability[99]).toBeCloseTo(sigmoid(-1), 6);
    expect(slices).toMatchObject([{ name: 'side', values: ['left', 'right'] }]);
    expect([...slices[0]!.codes.slice(0, 6)]).toEqual([0, 0, 1, 1, 0, 0]);
  });

  it('scores the linear baseline beside them, numbers clusters and picks rows for what asks again', async () => {
    const scored = await scoreSplit({
      batches: batches(100),
      dataset: DATASET,
      manifest: manifest(100),
      candidate: await open(GOOD),
      champion: null,
      linear: await open(BAD),
      clusters: ['entity', 'day', 'day'],
      sample: { eligible: Uint32Array.of(3, 17, 50, 99), most: 2 },
    });
    expect(scored.champion).toBeNull();
    if (scored.linear === null || 'problem' in scored.linear) throw new Error('not scored');
    expect(scored.linear.scored.labels).toEqual(scored.candidate.labels);
    expect([...scored.clusters.entity!.slice(0, 7)]).toEqual([0, 1, 2, 3, 4, 0, 1]);
    expect([...new Set(scored.clusters.day)]).toEqual([0, 1, 2, 3, 4]);
    expect(scored.clusters.day![24]).toBe(1);
    expect([...scored.sample.rows]).toEqual([3, 50]);
    expect(scored.sample.batch).toEqual({
      rows: 2,
      columns: { x: Float64Array.of(1, -1), y: Float64Array.of(3, 50) },
    });
    expect(scored.sample.labels).toEqual(Float64Array.of(1, 0));
  });

  it('tells how far it is, and stops when asked', async () => {
    const stop = new AbortController();
    const progress: number[] = [];
    const scoring = scoreSplit({
      ...NOTHING_ELSE,
      batches: batches(64),
      dataset: DATASET,
      manifest: manifest(64),
      candidate: await open(GOOD),
      champion: null,
      onProgress: (done) => {
        progress.push(done);
        if (done === 0.5) stop.abort(new Error('enough'));
      },
      signal: stop.signal,
    });
    await expect(scoring).rejects.toThrow('enough');
    expect(progress).toEqual([0.25, 0.5]);
  });

  it.each([
    ['fewer', 48],
    ['more', 80],
  ])('refuses a split of %s rows than the manifest says', async (_, rows) => {
    const scoring = scoreSplit({
      ...NOTHING_ELSE,
      batches: batches(rows),
      dataset: DATASET,
      manifest: manifest(64),
      candidate: await open(GOOD),
      champion: null,
    });
    await expect(scoring).rejects.toThrow(new SplitMismatchError(DATASET, 64, rows));
  });
});

describe('a candidate that cannot be scored', () => {
  async function scoreCandidate(candidate: ScoringModel, of = manifest(16)) {
    return await scoreSplit({
      ...NOTHING_ELSE,
      batches: batches(16),
      dataset: DATASET,
      manifest: of,
      candidate,
      champion: null,
    });
  }

  it('ends the validation when it needs a column that is not there', async () => {
    const candidate = await open({ columns: ['x', 'carrier'], label: BINARY_LABEL, weights: [[1, 1]] });
    await expect(scoreCandidate(candidate)).rejects.toThrow(
      "it needs the column 'carrier', which the dataset does not have",
    );
  });

  it('ends the validation when it answers NaN', async () => {
    const candidate = await open({ columns: ['x'], label: BINARY_LABEL, weights: [[Number.NaN]] });
    await expect(scoreCandidate(candidate)).rejects.toThrow(ArtifactUnfitError);
  });

  it('ends the validation when it has another kind of label', async () => {
    const candidate = await open({ columns: ['x'], label: REGRESSION_LABEL, weights: [[1]] });
    await expect(scoreCandidate(candidate)).rejects.toThrow(
      'it answers as a regression model where the label is binary',
    );
  });
});

describe('a champion that cannot be scored', () => {
  async function problemOfChampion(
    champion: ScoringModel | { problem: string },
    of = manifest(32),
  ): Promise<string> {
    const scored = await scoreSplit({
      ...NOTHING_ELSE,
      batches: batches(32),
      dataset: DATASET,
      manifest: of,
      candidate: await open(GOOD),
      champion,
    });
    expect(scored.candidate.labels).toHaveLength(32);
    if (scored.champion === null || !('problem' in scored.champion))
      throw new Error('the champion was scored');
    return scored.champion.problem;
  }

  it('is told by the column that it needs and the dataset no longer has', async () => {
    const champion = await open({ columns: ['x', 'carrier'], label: BINARY_LABEL, weights: [[1, 1]] });
    expect(await problemOfChampion(champion)).toBe(
      "it needs the column 'carrier', which the dataset does not have",
    );
  });

  it('is told by the column whose type has changed', async () => {
    const changed = manifest(32);
    const [x, y] = changed.encoder.columns;
    changed.encoder.columns = [x!, { ...y!, type: 'text' }];
    expect(await problemOfChampion(await open(BAD), changed)).toBe(
      "it needs the column 'y' as number, and the dataset has it as text",
    );
  });

  it('is told by its answers', async () => {
    const champion = await open({ columns: ['x'], label: BINARY_LABEL, weights: [[Number.NaN]] });
    expect(await problemOfChampion(champion)).toBe('it answered NaN at position 0 of the test rows');
  });

  it('is told by its kind of label', async () => {
    const champion = await open({ columns: ['x'], label: REGRESSION_LABEL, weights: [[1]] });
    expect(await problemOfChampion(champion)).toBe(
      'it answers as a regression model where the label is binary',
    );
  });

  it('is told by the failure of its runtime', async () => {
    const champion = await open(BAD);
    await champion.inference.release();
    await expect(
      champion.run({ rows: 1, columns: { x: Float64Array.of(1), y: Float64Array.of(1) } }),
    ).rejects.toThrow(InferenceFailedError);
    expect(await problemOfChampion(champion)).toMatch(/^it does not run \(Inference failed: .*\)$/);
  });

  it('keeps what was wrong with opening it', async () => {
    expect(await problemOfChampion({ problem: 'it does not load' })).toBe('it does not load');
  });

  it('does not hide a label that is broken', async () => {
    const broken = async function* (): AsyncGenerator<LabelledBatch> {
      yield await Promise.resolve({
        batch: { rows: 1, columns: { x: Float64Array.of(1), y: Float64Array.of(1) } },
        labels: Float64Array.of(7),
        slices: { side: ['left'] },
        times: new BigInt64Array(1),
        keys: null,
      });
    };
    const scoring = scoreSplit({
      ...NOTHING_ELSE,
      batches: broken(),
      dataset: DATASET,
      manifest: manifest(1),
      candidate: await open(GOOD),
      champion: await open(BAD),
    });
    await expect(scoring).rejects.toThrow(LabelMismatchError);
  });
});
