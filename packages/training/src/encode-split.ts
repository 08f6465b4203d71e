import type { DatasetManifest, FittedLabel } from '@perennial/contract';
import { readSplit, type SplitBatch } from '@perennial/data/splits';
import type { Encoder, EncodedBatch } from '@perennial/onnx';
import { emptyRows, type EncodedRows } from './fit/encoded-rows.ts';

/** Rows read and encoded at a time. */
const BATCH_ROWS = 8192;

export interface SplitFile {
  /** Local path of the split's Parquet file. */
  file: string;
  manifest: DatasetManifest;
  /** Rows the manifest counts in it: room is made for these. */
  rows: number;
}

/** Reads a split and encodes it through the encoder's graph: the one that the artifact will hold. */
export async function encodeSplit(split: SplitFile, encoder: Encoder): Promise<EncodedRows> {
  const { denseWidth, embeddings } = encoder.layout;
  const features = embeddings.map(({ feature }) => feature);
  const rows = emptyRows(split.rows, denseWidth, features);
  let filled = 0;
  for await (const piece of readSplit({
    file: split.file,
    manifest: split.manifest,
    batchRows: BATCH_ROWS,
  })) {
    const encoded = await encoder.encode(piece.batch);
    fill(rows, filled, encoded);
    rows.targets.set(targetsOf(piece.labels, split.manifest.label), filled);
    filled += piece.batch.rows;
  }
  if (filled === split.rows) return rows;
  throw new RangeError(`The split's file holds ${filled} rows, but its manifest says ${split.rows}.`);
}

function fill(rows: EncodedRows, from: number, { dense, indices }: EncodedBatch): void {
  if (dense !== null) rows.dense.set(dense, from * rows.denseWidth);
  for (const [feature, target] of rows.indices) {
    // Indices are below 2³¹: of each little-endian int64 the lower half is the number. Going through BigInt takes ten times as long.
    const source = indices[feature]!;
    const halves = new Int32Array(source.buffer, source.byteOffset, source.length * 2);
    for (let i = 0; i < source.length; i++) target[from + i] = halves[2 * i]!;
  }
}

/** Labels as the loss takes them; see {@link EncodedRows.targets}. */
export function targetsOf(labels: SplitBatch['labels'], label: FittedLabel): Float32Array {
  switch (label.kind) {
    case 'binary':
      return Float32Array.from(labels as Float64Array);
    case 'regression':
      return Float32Array.from(labels as Float64Array, (y) => (y - label.center) / label.scale);
    case 'multiclass': {
      const positions = new Map(label.classes.map((name, i) => [name, i]));
      return Float32Array.from(labels as string[], (name) => positions.get(name) ?? -1);
    }
  }
}
