import { createHash } from 'node:crypto';
import type { DatasetManifest, FittedLabel } from '@perennial/contract';
import { encoderLayout, InferenceModel, writeArtifact, type ColumnBatch } from '@perennial/onnx';
import type { RowSample } from '../scoring/row-sample.ts';
import type { ScoringModel } from '../scoring/score-split.ts';
import type { RandomStream } from '../statistics/random.ts';
import { nextNormal } from './simulated-models.ts';

export const AIRPORTS = ['ATL', 'LAX', 'ORD'];
const FIRST_DAY = Date.UTC(2001, 0, 1);
const HOUR = 3_600_000;

/** One feature of every kind; the route reads what the origin and the destination read. */
export const FLIGHT_ENCODER: DatasetManifest['encoder'] = {
  columns: [
    { name: 'distance', type: 'number' },
    { name: 'weekend', type: 'boolean' },
    { name: 'date', type: 'timestamp' },
    { name: 'origin', type: 'text' },
    { name: 'destination', type: 'text' },
  ],
  features: [
    {
      kind: 'numeric',
      name: 'distance',
      column: 'distance',
      impute: 0,
      missingIndicator: true,
      clip: {},
      log: false,
      center: 0,
      scale: 1,
    },
    { kind: 'boolean', name: 'weekend', column: 'weekend' },
    { kind: 'timestamp', name: 'date', column: 'date', parts: ['hourOfDay'], cyclic: false },
    ...(['origin', 'destination'] as const).map((name) => ({
      kind: 'categorical' as const,
      name,
      column: name,
      vocabulary: AIRPORTS,
      encoding: { kind: 'oneHot' as const },
    })),
    {
      kind: 'crossed',
      name: 'route',
      columns: [
        { column: 'origin', vocabulary: AIRPORTS },
        { column: 'destination', vocabulary: AIRPORTS },
      ],
      buckets: 100,
      encoding: { kind: 'oneHot' },
    },
  ],
};

/** Per class, or once of a binary label and a number: weights by the encoder's dense column, 0 where none is given. */
export type FlightWeights = Record<string, number>[];

/** A real artifact of a linear model over flights, opened; release `inference` at the end. */
export async function openFlightModel(options: {
  label: FittedLabel;
  weights: FlightWeights;
  encoder?: DatasetManifest['encoder'];
}): Promise<ScoringModel & { inference: InferenceModel }> {
  const { label, weights, encoder = FLIGHT_ENCODER } = options;
  const { denseColumns } = encoderLayout(encoder);
  const kernel = denseColumns.flatMap((column) => weights.map((output) => output[column] ?? 0));
  const activation = { binary: 'sigmoid', multiclass: 'softmax', regression: 'linear' } as const;
  const bytes = writeArtifact({
    encoder,
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: denseColumns.length }],
      layers: [
        {
          name: 'output',
          inputs: ['dense'],
          kind: 'dense',
          kernel: { shape: [denseColumns.length, weights.length], data: Float32Array.from(kernel) },
          activation: activation[label.kind],
        },
      ],
      output: 'output',
    },
    label,
    properties: {},
  });
  const artifact = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const inference = await InferenceModel.load(bytes);
  return { artifact, signature: inference.signature, run: (batch) => inference.run(batch), inference };
}

/** Random flights, one an hour; labels are to be set by the test. */
export function flights(random: RandomStream, rows: number): ColumnBatch {
  const airport = (): string => AIRPORTS[Math.floor(random.nextFraction() * AIRPORTS.length)]!;
  const numbers = Array.from({ length: rows }, (_, row) => row);
  return {
    rows,
    columns: {
      distance: Float64Array.from(numbers, () => nextNormal(random)),
      weekend: Float64Array.from(numbers, () => (random.nextFraction() < 2 / 7 ? 1 : 0)),
      date: BigInt64Array.from(numbers, (row) => BigInt(FIRST_DAY + row * HOUR)),
      origin: numbers.map(airport),
      destination: numbers.map(airport),
    },
  };
}

/** A sample of every third row of a split, so that a row's number in the sample is not its number in the split. */
export function sampleOf(
  batch: ColumnBatch,
  labels: RowSample['labels'] = new Float64Array(batch.rows),
): RowSample {
  return { batch, labels, rows: Uint32Array.from({ length: batch.rows }, (_, row) => row * 3) };
}
