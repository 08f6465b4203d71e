import { MISSING_TIMESTAMP } from '@perennial/contract';
import type { ColumnBatch, OutputBatch, RawColumn } from '../../../batch.ts';
import { ModelRefusedError } from '../../../errors.ts';

/** How far from 0 to 1 a probability may be by rounding. */
const ROUNDING = 1e-3;
/** How far a row's answer may be from its answer alone: sums are added up in another order. */
const ALONE = 1e-4;

/**
 * Refuses answers that cannot be served: of rows without a missing value each number must be finite, and of a classifier a probability.
 *
 * @throws ModelRefusedError showing the answer
 */
export function checkAnswers(sample: ColumnBatch, answers: OutputBatch): void {
  const numbers = numbersOf(answers);
  const width = numbers.length / sample.rows;
  numbers.forEach((answer, i) => {
    const row = Math.floor(i / width);
    if (!Number.isFinite(answer) && isComplete(sample, row))
      throw new ModelRefusedError(`it answers ${answer} to the sample's row ${row + 1}`);
    if (answers.kind !== 'regression' && (answer < -ROUNDING || answer > 1 + ROUNDING)) {
      throw new ModelRefusedError(
        `it answers ${answer} to the sample's row ${row + 1}, which is no probability; the model must end in a sigmoid or softmax (in PyTorch: torch.nn.Sequential(model, torch.nn.Sigmoid()))`,
      );
    }
  });
}

/** @throws ModelRefusedError where the same rows are answered differently */
export function checkSame(first: OutputBatch, second: OutputBatch): void {
  const other = numbersOf(second);
  if (numbersOf(first).every((answer, i) => Object.is(answer, other[i]))) return;
  throw new ModelRefusedError(
    'it answers the same rows differently each time; export it for inference, without random numbers',
  );
}

/**
 * Requests are answered together, so that a row's answer must not depend on the rows beside it.
 *
 * @throws ModelRefusedError
 */
export function checkAlone(row: number, together: OutputBatch, alone: OutputBatch): void {
  const one = numbersOf(alone);
  const beside = numbersOf(together).subarray(row * one.length, (row + 1) * one.length);
  const same = one.every((answer, i) => {
    const other = beside[i] ?? NaN;
    return Object.is(answer, other) || Math.abs(answer - other) <= ALONE * Math.max(1, Math.abs(other));
  });
  if (same) return;
  throw new ModelRefusedError(
    `its answer to the sample's row ${row + 1} is ${[...beside].join(', ')} among the other rows and ${[...one].join(', ')} alone; a row's answer must not depend on those beside it`,
  );
}

/** One row of a batch, as a batch. */
export function rowOf({ columns }: ColumnBatch, row: number): ColumnBatch {
  const cut = Object.entries(columns).map(([name, column]) => [
    name,
    column.slice(row, row + 1) as RawColumn,
  ]);
  return { rows: 1, columns: Object.fromEntries(cut) as ColumnBatch['columns'] };
}

function numbersOf(answers: OutputBatch): Float32Array {
  switch (answers.kind) {
    case 'binary':
      return answers.probability;
    case 'multiclass':
      return answers.probabilities;
    case 'regression':
      return answers.value;
  }
}

function isComplete({ columns }: ColumnBatch, row: number): boolean {
  return Object.values(columns).every((column) => {
    const value = column[row];
    return value !== '' && value !== MISSING_TIMESTAMP && !Number.isNaN(value);
  });
}
