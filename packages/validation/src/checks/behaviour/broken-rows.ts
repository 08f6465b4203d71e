import type { BehaviourSpec } from '@perennial/contract';
import type { RawColumn } from '@perennial/onnx';
import type { Answers } from '../../probing/answers.ts';
import type { ChangedColumn } from './changed-column.ts';

/**
 * What float32 does by itself, as a share of an answer's size: a row at another place of a batch may come out a few units in the last place (1.2e-7)
 * apart, which is no behaviour, and would break every tolerance of 0.
 */
const ROUNDING = 1e-6;

/** A row that does not behave as expected. */
export interface BrokenRow {
  /** In the sample. */
  row: number;
  /** The value that it was asked with. */
  value: RawColumn[number];
  /** The answer as the row is, and with that value; of many classes that of the one that moved most. */
  answers: { before: number; after: number };
}

/** The changed rows whose answer moved as it must not. No number for an answer is not as expected either. */
export function brokenRows(
  spec: BehaviourSpec,
  { values, rows }: ChangedColumn,
  { before, after }: { before: Answers; after: Answers },
): BrokenRow[] {
  return rows.flatMap((row) => {
    const answers = mostMoved(row, before, after);
    const size = Math.min(Math.abs(answers.before), Math.abs(answers.after));
    const allowed = spec.tolerance + ROUNDING * size;
    return wrongMove(spec.kind, answers) <= allowed ? [] : [{ row, value: values[row]!, answers }];
  });
}

function mostMoved(row: number, before: Answers, after: Answers): BrokenRow['answers'] {
  let most = row * before.width;
  const moved = (at: number): number => Math.abs(after.values[at]! - before.values[at]!);
  for (let at = most + 1; at < (row + 1) * before.width; at++) if (moved(at) > moved(most)) most = at;
  return { before: before.values[most]!, after: after.values[most]! };
}

/** How far the answer moved the way it must not; NaN of an answer that is none. */
function wrongMove(kind: BehaviourSpec['kind'], { before, after }: BrokenRow['answers']): number {
  switch (kind) {
    case 'invariant':
      return Math.abs(after - before);
    case 'increasing':
      return before - after;
    case 'decreasing':
      return after - before;
  }
}
