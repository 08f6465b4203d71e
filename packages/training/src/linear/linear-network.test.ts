import type { FittedLabel } from '@perennial/contract';
import { Encoder, InferenceModel, writeArtifact } from '@perennial/onnx';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyRows, type EncodedRows } from '../fit/encoded-rows.ts';
import { RandomStream } from '../fit/random.ts';
import { scaledOutput } from '../parity.ts';
import { randomBatch, randomEncoder } from '../testing/random-features.ts';
import { fitLinear, type LinearModel } from './fit-linear.ts';
import { linearNetwork } from './linear-network.ts';
import { LOSS_SLOPES } from './loss-slope.ts';

const labels: fc.Arbitrary<FittedLabel> = fc.constantFrom(
  { kind: 'binary', name: 'late', threshold: 0.4 },
  { kind: 'multiclass', name: 'cause', classes: ['weather', 'crew', 'none'] },
  { kind: 'regression', name: 'delay', center: 12.5, scale: 40 },
);

describe('a linear model as an artifact', () => {
  it('answers as its weights say, for every kind of feature', async () => {
    const example = fc.record({ spec: randomEncoder, batch: randomBatch, label: labels });
    await fc.assert(
      fc.asyncProperty(example, async ({ spec, batch, label }) => {
        const encoder = await Encoder.create(spec);
        const { layout } = encoder;
        const { dense, indices } = await encoder.encode(batch);
        const features = layout.embeddings.map(({ feature }) => feature);
        const rows: EncodedRows = emptyRows(batch.rows, layout.denseWidth, features);
        if (dense !== null) rows.dense.set(dense);
        for (const feature of features) rows.indices.set(feature, Int32Array.from(indices[feature]!, Number));
        const random = new RandomStream(7);
        rows.targets.forEach((_, row) => (rows.targets[row] = random.below(2)));
        const sizes = new Map(layout.embeddings.map(({ feature, size }) => [feature, size]));
        const model = fitLinear({ rows, label, sizes, seed: 2 });
        const network = linearNetwork(model, layout, label);
        const served = await InferenceModel.load(
          writeArtifact({ encoder: spec, network, label, properties: {} }),
        );
        const answered = scaledOutput(await served.run(batch), label);
        const expected = Array.from({ length: batch.rows }, (_, row) =>
          answersOf(model, rows, { row, label }),
        );
        expected.flat().forEach((value, i) => {
          expect(Math.abs(answered[i]! - value)).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
        });
        await Promise.all([served.release(), encoder.release()]);
      }),
      { numRuns: 60 },
    );
  });
});

function answersOf(
  { kernel, bias, tables, width }: LinearModel,
  { dense, denseWidth, indices }: EncodedRows,
  { row, label }: { row: number; label: FittedLabel },
): number[] {
  const sums = Float64Array.from(bias);
  for (let k = 0; k < width; k++) {
    for (let column = 0; column < denseWidth; column++) {
      sums[k]! += dense[row * denseWidth + column]! * kernel[column * width + k]!;
    }
    for (const [feature, table] of tables) sums[k]! += table[indices.get(feature)![row]! * width + k]!;
  }
  if (label.kind === 'regression') return [...sums];
  // The loss's slope for the first class is its probability less one.
  if (label.kind === 'multiclass') {
    LOSS_SLOPES.multiclass(sums, 0);
    sums[0]! += 1;
    return [...sums];
  }
  return [...sums].map((sum) => 1 / (1 + Math.exp(-sum)));
}
