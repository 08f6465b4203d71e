import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ColumnBatch } from '@perennial/onnx';
import { takeValues } from '../../probing/raw-columns.ts';
import type { ScoringModel } from '../../scoring/score-split.ts';
import { Timings, type PairedTimings } from './timings.ts';

/** Sizes of a batch, and how often each is computed. */
const SIZES = [
  { rows: 1, rounds: 200, what: 'computing one row' },
  { rows: 1_000, rounds: 30, what: 'computing 1,000 rows' },
] as const;
const WARM_UP_ROUNDS = 5;
/** Rounds end here if a model is slow, though not before there are {@link FEWEST_ROUNDS}. */
const MOST_MILLISECONDS = 1_000;
const FEWEST_ROUNDS = 5;

/**
 * Times both models' computation alone, in turns. Of a small network's request the computation is the smallest part, so that one five times as slow would not
 * be seen from outside.
 */
export async function timeComputation(
  { candidate, champion }: { candidate: ScoringModel; champion: ScoringModel },
  batch: ColumnBatch,
): Promise<PairedTimings[]> {
  const timings: PairedTimings[] = [];
  for (const { rows, rounds, what } of SIZES) {
    const rowsOf = repeated(batch, rows);
    const timing = { what, candidate: new Timings(), champion: new Timings() };
    const ends = performance.now() + MOST_MILLISECONDS;
    for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
      if (round >= FEWEST_ROUNDS && performance.now() > ends) break;
      for (const side of ['candidate', 'champion'] as const) {
        const milliseconds = await timeOf(side === 'candidate' ? candidate : champion, rowsOf);
        if (round >= 0) timing[side].add(milliseconds);
      }
      await nextTurn();
    }
    timings.push(timing);
  }
  return timings;
}

async function timeOf(model: ScoringModel, batch: ColumnBatch): Promise<number> {
  const started = performance.now();
  await model.run(batch);
  return performance.now() - started;
}

/** That many rows, from the first on and again from the first. */
function repeated(batch: ColumnBatch, rows: number): ColumnBatch {
  const taken = Uint32Array.from({ length: rows }, (_, row) => row % batch.rows);
  const columns = Object.entries(batch.columns).map(([name, column]) => [name, takeValues(column, taken)]);
  return { rows, columns: Object.fromEntries(columns) as ColumnBatch['columns'] };
}
