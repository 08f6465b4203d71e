import { setImmediate as nextTurn } from 'node:timers/promises';
import { PerennialError } from '@perennial/contract';
import type { ColumnBatch, OutputBatch, RawColumn } from '@perennial/onnx';
import type { ScoringModel } from '../scoring/score-split.ts';
import { joinColumns } from './raw-columns.ts';

/** Rows of one run, unless a single variation has more: as many as scoring takes at a time, a few milliseconds. */
const ROWS_PER_RUN = 8_192;

/** The same rows with some columns changed. */
export interface Variation {
  /** The changed columns, each as long as the rows; all others stay. */
  changed: Readonly<Record<string, RawColumn>>;
}

/** What a model made of a variation: its answers, or as a clause why there are none. */
export type VariedAnswer<Varied extends Variation> = { variation: Varied } & (
  { output: OutputBatch } | { problem: string }
);

export interface VariationQuestion<Varied extends Variation> {
  model: ScoringModel;
  /** The rows as they are; at least one. */
  batch: ColumnBatch;
  variations: readonly Varied[];
  signal?: AbortSignal | undefined;
}

/**
 * Asks a model about many variations of the same rows, several in one run, and gives the answers in order. Where a run fails, each of its
 * variations is asked by itself, so that only the one at fault is without an answer. The event loop turns between runs.
 */
export async function* askVariations<Varied extends Variation>(
  question: VariationQuestion<Varied>,
): AsyncGenerator<VariedAnswer<Varied>, void, undefined> {
  const { batch, variations } = question;
  const perRun = Math.max(1, Math.floor(ROWS_PER_RUN / batch.rows));
  for (let start = 0; start < variations.length; start += perRun) {
    question.signal?.throwIfAborted();
    yield* await askTogether(question, variations.slice(start, start + perRun));
    await nextTurn();
  }
}

async function askTogether<Varied extends Variation>(
  asked: { model: ScoringModel; batch: ColumnBatch },
  together: readonly Varied[],
): Promise<VariedAnswer<Varied>[]> {
  const { model, batch } = asked;
  try {
    const output = await model.run(joinVariations(model, batch, together));
    return together.map((variation, index) => ({
      variation,
      output: sliceOutput(output, index * batch.rows, (index + 1) * batch.rows),
    }));
  } catch (error) {
    if (!(error instanceof PerennialError)) throw error;
    const [only, ...others] = together;
    if (only !== undefined && others.length === 0) {
      return [{ variation: only, problem: `it does not run (${error.message.replace(/\.$/, '')})` }];
    }
    const answers: VariedAnswer<Varied>[] = [];
    for (const variation of together) answers.push(...(await askTogether(asked, [variation])));
    return answers;
  }
}

function joinVariations(
  { signature }: ScoringModel,
  { rows, columns }: ColumnBatch,
  together: readonly Variation[],
): ColumnBatch {
  const joined = signature.inputs.map(({ name }) => {
    const parts = together.map(({ changed }) => changed[name] ?? columns[name] ?? []);
    return [name, joinColumns(parts)] as const;
  });
  return { rows: rows * together.length, columns: Object.fromEntries(joined) };
}

function sliceOutput(output: OutputBatch, start: number, end: number): OutputBatch {
  switch (output.kind) {
    case 'binary':
      return {
        kind: 'binary',
        probability: output.probability.subarray(start, end),
        decision: output.decision.subarray(start, end),
      };
    case 'multiclass': {
      const width = output.classes.length;
      return {
        kind: 'multiclass',
        classes: output.classes,
        probabilities: output.probabilities.subarray(start * width, end * width),
        decision: output.decision.slice(start, end),
      };
    }
    case 'regression':
      return { kind: 'regression', value: output.value.subarray(start, end) };
  }
}
