import { sliceComparisonSchema, type NotWorseSpec } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { checkSlices } from '../checks/slices.ts';
import type { BinaryRows } from '../scoring/scored-rows.ts';
import { compareAucByDeLong } from '../statistics/delong.ts';
import { RandomStream } from '../statistics/random.ts';
import { simulateBinary } from '../testing/simulated-models.ts';
import { compareSlices, type SliceQuestion } from './compare-slices.ts';
import type { Slice } from './slice.ts';

const SPEC: NotWorseSpec = {
  kind: 'notWorse',
  metric: 'auc',
  margin: 0.01,
  confidence: 0.95,
  replicates: 1_000,
};
const ROWS = 1_000;

/** Slices one after another, each of as many rows, with the true AUC of the candidate on it; the champion's is 0.8. */
function question(seed: string, candidateAucs: number[], parts: Partial<SliceQuestion> = {}): SliceQuestion {
  const random = new RandomStream([seed]);
  const simulated = candidateAucs.map((candidateAuc) =>
    simulateBinary({ random, rows: ROWS, candidateAuc, championAuc: 0.8 }),
  );
  const join = (of: (typeof simulated)[number][keyof (typeof simulated)[number]][]): number[] =>
    of.flatMap((values) => [...values]);
  const labels = Uint8Array.from(join(simulated.map((one) => one.labels)));
  const rows = (scores: number[]): BinaryRows => ({
    kind: 'binary',
    labels,
    probability: Float32Array.from(scores),
    decision: Uint8Array.from(scores, (score) => (score > 0 ? 1 : 0)),
  });
  return {
    comparison: SPEC,
    candidate: rows(join(simulated.map((one) => one.candidate))),
    champion: rows(join(simulated.map((one) => one.champion))),
    clusters: null,
    found: { slices: candidateAucs.map((_, index) => sliceAt(index)), tooSmall: 2 },
    ...parts,
  };
}

function sliceAt(index: number): Slice {
  const rows = Uint32Array.from({ length: ROWS }, (_, row) => index * ROWS + row);
  return { slice: { origin: `A${index}` }, rows };
}

describe('compareSlices', () => {
  it('names the slice where a candidate that is better elsewhere is clearly worse', async () => {
    const slices = await compareSlices(question('one bad', [0.85, 0.85, 0.65, 0.85]));
    expect(slices).toMatchObject({ compared: 4, tooSmall: 2 });
    expect(slices.clearlyWorse.map(({ slice }) => slice)).toEqual([{ origin: 'A2' }]);
    const [worst] = slices.worst;
    expect(sliceComparisonSchema.parse(worst)).toEqual(worst);
    expect(worst).toMatchObject({ slice: { origin: 'A2' }, rows: ROWS, clearlyWorse: true });
    expect(slices.worst.map(({ difference }) => difference!.value)).toEqual(
      slices.worst.map(({ difference }) => difference!.value).sort((a, b) => a - b),
    );
    const [finding] = checkSlices(slices, 0.01);
    expect(finding).toMatchObject({ name: 'slices', outcome: 'fail', subject: 'origin = A2' });
    expect(finding!.explanation).toMatch(
      /^On 1 of 4 slices .* origin = A2 \(1,000 test rows, AUC 0\.6\d+ where the champion has 0\.\d+\)\.$/,
    );
  });

  it('has the interval that DeLong has, by AUC', async () => {
    const asked = question('delong', [0.75]);
    const { worst } = await compareSlices(asked);
    const [candidate, champion] = [asked.candidate as BinaryRows, asked.champion as BinaryRows];
    const scored = { labels: candidate.labels, first: candidate.probability, second: champion.probability };
    const delong = compareAucByDeLong(scored, 0.9)!;
    expect(worst[0]!.difference!.value).toBeCloseTo(delong.difference, 9);
    expect(worst[0]!.difference!.interval.low).toBeCloseTo(delong.interval.low, 3);
    expect(worst[0]!.difference!.interval.high).toBeCloseTo(delong.interval.high, 3);
  });

  it('names no slice of candidates that are as good on all of twenty more often than stated', async () => {
    let named = 0;
    const days = 30;
    for (let day = 0; day < days; day++) {
      const margin = 0;
      const { clearlyWorse } = await compareSlices(
        question(`equal ${day}`, new Array<number>(20).fill(0.8), { margin }),
      );
      if (clearlyWorse.length > 0) named++;
    }
    // 5 % of 30 days and 2.33 standard errors.
    expect(named).toBeLessThanOrEqual(days * 0.05 + 2.33 * Math.sqrt(days * 0.05 * 0.95));
  });

  it('takes the margin for slices where there is one', async () => {
    const asked = question('margin', [0.7]);
    expect((await compareSlices(asked)).clearlyWorse).toHaveLength(1);
    expect((await compareSlices({ ...asked, margin: 0.2 })).clearlyWorse).toHaveLength(0);
  });

  it('does not judge a slice with a handful of one label, or of few clusters', async () => {
    const asked = question('few', [0.8]);
    const labels = (asked.candidate as BinaryRows).labels.map((label, row) => (row < 20 ? label : 0));
    const rare = { candidate: { ...asked.candidate, labels }, champion: { ...asked.champion, labels } };
    expect(
      await compareSlices({ ...asked, ...(rare as Pick<SliceQuestion, 'candidate' | 'champion'>) }),
    ).toMatchObject({
      compared: 0,
      tooSmall: 3,
    });
    const clusters = Int32Array.from({ length: ROWS }, (_, row) => row % 5);
    expect(await compareSlices({ ...asked, clusters })).toMatchObject({ compared: 0, tooSmall: 3 });
  });

  it('doubts more where rows come in clusters that go together', async () => {
    const asked = question('clusters', [0.7]);
    // Every row twice: as if there were twice as many, unless the pairs are taken as one.
    const twice = Uint32Array.from({ length: 2 * ROWS }, (_, row) => row >> 1);
    const found = { slices: [{ slice: { origin: 'A0' }, rows: twice }], tooSmall: 0 };
    const alone = await compareSlices({ ...asked, found });
    const clusters = Int32Array.from({ length: ROWS }, (_, row) => row);
    const together = await compareSlices({ ...asked, found, clusters });
    const width = ({ worst }: typeof alone) =>
      worst[0]!.difference!.interval.high - worst[0]!.difference!.interval.low;
    expect(width(together) / width(alone)).toBeCloseTo(Math.SQRT2, 2);
  });

  it('says nothing of two models that answer the same', async () => {
    const asked = question('same', [0.8]);
    const { worst, clearlyWorse } = await compareSlices({ ...asked, candidate: asked.champion, margin: 0 });
    expect(clearlyWorse).toEqual([]);
    expect(worst[0]).toMatchObject({ difference: { value: 0 }, pValue: 1 });
  });

  it('stops when asked', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(compareSlices({ ...question('stop', [0.8]), signal })).rejects.toThrow('enough');
  });
});

describe('the check of slices', () => {
  const nothing = { compared: 0, tooSmall: 0, worst: [], clearlyWorse: [] };

  it('is skipped without slices, and where all are too small', () => {
    expect(checkSlices(nothing, 0.01)[0]).toMatchObject({
      outcome: 'skipped',
      explanation: 'No slices were compared.',
    });
    expect(checkSlices({ ...nothing, tooSmall: 4 }, 0.01)[0]).toMatchObject({
      outcome: 'skipped',
      explanation: 'All 4 slices are too small.',
    });
  });

  it('passes where no slice is clearly worse', async () => {
    const [finding] = checkSlices(await compareSlices(question('good', [0.85, 0.85])), 0.01);
    expect(finding).toMatchObject({ outcome: 'pass', limit: -0.01 });
  });
});
