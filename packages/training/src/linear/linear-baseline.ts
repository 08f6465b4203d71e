import { writeArtifact, type EncoderLayout } from '@perennial/onnx';
import type { EncodedRows } from '../fit/encoded-rows.ts';
import type { TrainingJob } from '../job.ts';
import { fitLinear, type LinearModel } from './fit-linear.ts';
import { linearNetwork } from './linear-network.ts';

/**
 * Fits the linear baseline on the training rows, as an artifact with the same inputs and outputs as the network's; null where features of boundless
 * size leave no number.
 */
export function linearBaseline(
  { manifest, datasetDigest, codeDigest, spec }: TrainingJob,
  layout: EncoderLayout,
  rows: EncodedRows,
): Uint8Array | null {
  const { encoder, label, pipeline } = manifest;
  const sizes = new Map(layout.embeddings.map(({ feature, size }) => [feature, size]));
  const model = fitLinear({ rows, label, sizes, seed: spec.seed });
  if (!isFinite(model)) return null;
  return writeArtifact({
    encoder,
    network: linearNetwork(model, layout, label),
    label,
    properties: {
      pipeline,
      dataset: datasetDigest,
      code: codeDigest,
      baseline: 'linear',
      seed: String(spec.seed),
    },
  });
}

function isFinite({ kernel, bias, tables }: LinearModel): boolean {
  return [kernel, bias, ...tables.values()].every((numbers) =>
    numbers.every((number) => Number.isFinite(Math.fround(number))),
  );
}
