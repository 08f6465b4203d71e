import { PARITY_TOLERANCE, type DatasetManifest, type FittedLabel } from '@perennial/contract';
import { readSplit } from '@perennial/data/splits';
import { InferenceModel, type Encoder, type OutputBatch } from '@perennial/onnx';
import { ParityError } from './errors.ts';
import type { EncodedRows } from './fit/encoded-rows.ts';

/** Rows that exported file and network are compared on, at most. */
const PARITY_ROWS = 10_000;

export interface ParityTask {
  /** What the trained network says, with its calibration. */
  network: { predict(rows: EncodedRows): Promise<Float32Array> };
  manifest: DatasetManifest;
  encoder: Encoder;
  /** The exported file. */
  artifact: Uint8Array;
  /** Local Parquet files to take rows from, in this order. */
  files: readonly string[];
}

export interface Parity {
  rows: number;
  /** Of probabilities; of a regression's values divided by the label's scale, as float32 itself is coarser than the tolerance on large values. */
  maxDifference: number;
}

/**
 * Runs the exported file in the runtime that serves it, on raw rows, and the trained network on the same rows.
 *
 * @throws ParityError when they are farther apart than the tolerance, or one of them answers with what is no number
 */
export async function checkParity(task: ParityTask): Promise<Parity> {
  const served = await InferenceModel.load(task.artifact);
  const parity: Parity = { rows: 0, maxDifference: 0 };
  try {
    for (const file of task.files) {
      if (parity.rows >= PARITY_ROWS) break;
      await compareFile(task, { file, served, parity });
    }
  } finally {
    await served.release();
  }
  // NaN is not above the tolerance either.
  if (!(parity.maxDifference <= PARITY_TOLERANCE)) {
    throw new ParityError(parity.maxDifference, PARITY_TOLERANCE, parity.rows);
  }
  return parity;
}

async function compareFile(
  task: ParityTask,
  run: { file: string; served: InferenceModel; parity: Parity },
): Promise<void> {
  const { manifest, encoder } = task;
  // Two halves of what is still to be compared, so that the limit is met exactly.
  const batchRows = Math.ceil((PARITY_ROWS - run.parity.rows) / 2);
  for await (const { batch } of readSplit({ file: run.file, manifest, batchRows })) {
    const { dense, indices } = await encoder.encode(batch);
    const rows: EncodedRows = {
      rows: batch.rows,
      dense: dense ?? new Float32Array(0),
      denseWidth: encoder.layout.denseWidth,
      indices: new Map(
        Object.entries(indices).map(([feature, of]) => [feature, Int32Array.from(of, Number)]),
      ),
      targets: new Float32Array(batch.rows),
    };
    const trained = await task.network.predict(rows);
    const difference = farthestApart(trained, scaledOutput(await run.served.run(batch), manifest.label));
    run.parity.rows += batch.rows;
    run.parity.maxDifference = Math.max(run.parity.maxDifference, difference);
    if (run.parity.rows >= PARITY_ROWS) return;
  }
}

/** What a file answered, in the units of the network's output. */
export function scaledOutput(output: OutputBatch, label: FittedLabel): Float32Array {
  switch (output.kind) {
    case 'binary':
      return output.probability;
    case 'multiclass':
      return output.probabilities;
    case 'regression': {
      if (label.kind !== 'regression') return output.value;
      return output.value.map((value) => (value - label.center) / label.scale);
    }
  }
}

/** Largest absolute difference; NaN when any is. */
export function farthestApart(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return NaN;
  return left.reduce((largest, value, i) => Math.max(largest, Math.abs(value - right[i]!)), 0);
}
