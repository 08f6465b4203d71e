import { fromBinary } from '@bufbuild/protobuf';
import type { EncoderSpec } from '@perennial/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { writeArtifact } from '../artifact.ts';
import { encoderLayout } from '../encoder-plan.ts';
import { coded } from '../feeds.ts';
import { ModelProtoSchema } from '../generated/onnx-ml_pb.ts';
import { InferenceModel } from '../inference-model.ts';
import type { NetworkGraph, NetworkLayer } from '../network.ts';
import { readSignature } from '../signature.ts';
import { ARTIFACT_NAMES } from '../tensor-names.ts';
import { encoderSpecs, rowsFor } from '../testing/arbitraries.ts';
import { rawColumn } from '../testing/reference-encoder.ts';
import { batchModel } from './batch-model.ts';

/** Weights that are all different, so that a column out of place shows. */
function weights(shape: number[]) {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return { shape, data: Float32Array.from({ length }, (_, i) => Math.sin(i + 1)) };
}

/** One layer over everything that the encoder gives. */
function network(encoder: EncoderSpec): NetworkGraph {
  const { denseWidth, embeddings } = encoderLayout(encoder);
  const layers: NetworkLayer[] = embeddings.flatMap(({ feature, size, dimension }) => [
    { name: `table/${feature}`, inputs: [feature], kind: 'embedding', table: weights([size, dimension]) },
    { name: `flat/${feature}`, inputs: [`table/${feature}`], kind: 'flatten' },
  ]);
  const joined = ['dense', ...embeddings.map(({ feature }) => `flat/${feature}`)];
  if (joined.length > 1) layers.push({ name: 'all/joined', inputs: joined, kind: 'concatenate' });
  const width = embeddings.reduce((sum, { dimension }) => sum + dimension, denseWidth);
  layers.push({
    ...{ name: 'all/out', inputs: [joined.length > 1 ? 'all/joined' : 'dense'], kind: 'dense' as const },
    ...{ kernel: weights([width, 1]), bias: weights([1]), activation: 'sigmoid' as const },
  });
  const indices = embeddings.map(({ feature }) => ({ name: feature, kind: 'indices' as const, width: 1 }));
  return {
    inputs: [{ name: 'dense', kind: 'dense', width: denseWidth }, ...indices],
    layers,
    output: 'all/out',
  };
}

function artifact(encoder: EncoderSpec): Uint8Array {
  const label = { kind: 'binary', name: 'y', threshold: 0.5 } as const;
  return writeArtifact({ encoder, network: network(encoder), label, properties: {} });
}

it('answers a batch as the artifact does, to the bit', async () => {
  const dense = encoderSpecs.filter((spec) => encoderLayout(spec).denseWidth > 0);
  const cases = dense.chain((spec) => fc.tuple(fc.constant(spec), rowsFor(spec)));
  await fc.assert(
    fc.asyncProperty(cases, async ([encoder, given]) => {
      const bytes = artifact(encoder);
      const entries = encoder.columns.map((column) => [column.name, rawColumn(given, column)] as const);
      const batch = { rows: given.length, columns: Object.fromEntries(entries) };
      const [model, batches] = [await InferenceModel.load(bytes), await InferenceModel.loadCoded(bytes)];
      const answers = [await model.run(batch), await batches.run(coded(batch))];
      await Promise.all([model.release(), batches.release()]);
      expect(answers[1]).toEqual(answers[0]);
    }),
    { numRuns: 60 },
  );
});

const numeric = (name: string, log = false) => ({
  ...{ kind: 'numeric' as const, name, column: name, impute: 0.25, missingIndicator: false },
  ...{ clip: {}, log, center: 0.5, scale: 3 },
});

function operators(encoder: EncoderSpec): string[] {
  const bytes = artifact(encoder);
  const { graph } = fromBinary(
    ModelProtoSchema,
    batchModel(bytes, readSignature(bytes).inputs, ARTIFACT_NAMES).bytes,
  );
  return graph?.node.map(({ opType }) => opType) ?? [];
}

it('reckons with numbers column by column up to the network, and lays none side by side', () => {
  const names = ['a', 'b', 'c'];
  const columns = names.map((name) => ({ name, type: 'number' as const }));
  const found = operators({ columns, features: names.map((name) => numeric(name)) });
  expect(found.slice(0, 7)).toEqual(['ReduceSum', 'IsNaN', 'If', 'Sub', 'Div', 'Clip', 'Cast']);
  expect(found).not.toContain('Concat');
});

it('leaves columns with a logarithm as they were, whose last bit hangs on where an element lies', () => {
  const names = ['a', 'b', 'c'];
  const columns = names.map((name) => ({ name, type: 'number' as const }));
  const found = operators({ columns, features: names.map((name) => numeric(name, true)) });
  expect(found.slice(0, 3)).toEqual(['Transpose', 'IsNaN', 'Where']);
});

it('works out what hangs on one text once for each different one', () => {
  const categorical = {
    ...{ kind: 'categorical' as const, name: 'c', column: 'c', vocabulary: ['x', 'y'] },
    encoding: { kind: 'embedding' as const, dimension: 2 },
  };
  const columns = [
    { name: 'a', type: 'number' as const },
    { name: 'c', type: 'text' as const },
  ];
  const found = operators({ columns, features: [numeric('a'), categorical] });
  expect(found.slice(0, 2)).toEqual(['LabelEncoder', 'Gather']);
});
