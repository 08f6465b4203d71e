import type { Instance, Signature } from '@perennial/contract';
import type { ColumnBatch, InferenceModel } from '@perennial/onnx';
import { InvalidInstanceError, compileReader, formatOutput, type InstanceReader } from '@perennial/serving';
import type { EntityRow, PrecomputedAnswer } from '@perennial/storage';

/** Rows that are computed between two looks at the event loop. */
const SLICE_ROWS = 2_048;

export interface Scored {
  answers: PrecomputedAnswer[];
  /** Rows that the signature refuses. */
  refused: number;
}

/**
 * Scores entities' rows. Of a row only the columns that the model reads are looked at, and only they stand with its answer; a row that lacks one, or has another type in one, is
 * counted and left out.
 */
export async function scoreRows(
  model: InferenceModel,
  rows: readonly EntityRow[],
  signal: AbortSignal,
): Promise<Scored> {
  const read = compileReader(model.signature);
  const scored: Scored = { answers: [], refused: 0 };
  for (let start = 0; start < rows.length; start += SLICE_ROWS) {
    signal.throwIfAborted();
    const slice = rows.slice(start, start + SLICE_ROWS).map((row) => asked(row, model.signature));
    const { good, batch } = readable(slice, read);
    scored.refused += slice.length - good.length;
    if (good.length > 0) scored.answers.push(...answersOf(good, await model.run(batch)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return scored;
}

interface Asked {
  row: EntityRow;
  instance: Instance;
}

function asked(row: EntityRow, { inputs }: Signature): Asked {
  const features = JSON.parse(row.features) as Instance;
  const known = inputs.filter(({ name }) => Object.hasOwn(features, name));
  return { row, instance: Object.fromEntries(known.map(({ name }) => [name, features[name] ?? null])) };
}

function readable(
  slice: readonly Asked[],
  read: InstanceReader,
): { good: readonly Asked[]; batch: ColumnBatch } {
  const instances = slice.map(({ instance }) => instance);
  try {
    return { good: slice, batch: read(instances) };
  } catch (error) {
    if (!(error instanceof InvalidInstanceError)) throw error;
    const good = slice.filter(({ instance }) => isReadable(instance, read));
    return { good, batch: read(good.map(({ instance }) => instance)) };
  }
}

function isReadable(instance: Instance, read: InstanceReader): boolean {
  try {
    read([instance]);
    return true;
  } catch (error) {
    if (error instanceof InvalidInstanceError) return false;
    throw error;
  }
}

function answersOf(
  good: readonly Asked[],
  output: Awaited<ReturnType<InferenceModel['run']>>,
): PrecomputedAnswer[] {
  return good.map(({ row, instance }, index) => ({
    key: row.key,
    output: JSON.stringify(formatOutput(output, index)),
    features: JSON.stringify(instance),
    featuresAt: row.at,
  }));
}
