import type { FittedLabel } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeArtifact } from './artifact.ts';
import { encoderLayout } from './encoder-plan.ts';
import { BatchInvalidError, InferenceFailedError } from './errors.ts';
import { InferenceModel } from './inference-model.ts';
import type { NetworkGraph } from './network.ts';
import { encoderSpecs, rowsFor } from './testing/arbitraries.ts';
import { NETWORK_ENCODER, NETWORK_INPUTS } from './testing/networks.ts';
import { rawColumn } from './testing/reference-encoder.ts';

/** A network that hands its first dense columns on. */
function identity(width: number): NetworkGraph {
  const data = Float32Array.from({ length: 2 * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));
  return {
    inputs: NETWORK_INPUTS,
    layers: [
      {
        name: 'out',
        inputs: ['dense'],
        kind: 'dense',
        kernel: { shape: [2, width], data },
        activation: 'linear',
      },
    ],
    output: 'out',
  };
}

async function load(label: FittedLabel, width = 1): Promise<InferenceModel> {
  const network = identity(width);
  return InferenceModel.load(writeArtifact({ encoder: NETWORK_ENCODER, network, label, properties: {} }));
}

function rows(...pairs: [number, number][]) {
  return {
    rows: pairs.length,
    columns: {
      a: Float64Array.from(pairs, ([a]) => a),
      b: Float64Array.from(pairs, ([, b]) => b),
      c: pairs.map(() => 'x'),
    },
  };
}

describe('InferenceModel', () => {
  it('decides as JavaScript would, at the threshold too', async () => {
    const aroundThreshold = fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(-1e-7, 0, 1e-7),
    );
    await fc.assert(
      fc.asyncProperty(aroundThreshold, async ([threshold, offset]) => {
        const model = await load({ kind: 'binary', name: 'late', threshold });
        const output = await model.run(
          rows([threshold, 0], [threshold + offset, 0], [NaN, 0], [Infinity, 0]),
        );
        await model.release();
        const probability = output.kind === 'binary' ? [...output.probability] : [];
        expect(probability[0]).toBe(Math.fround(threshold));
        expect(output).toMatchObject({
          decision: Uint8Array.from(probability, (p) => (p >= threshold ? 1 : 0)),
        });
      }),
      { numRuns: 60 },
    );
  });

  it('says the class of the highest probability, the first of equals', async () => {
    const model = await load({ kind: 'multiclass', name: 'fate', classes: ['späť', ''] }, 2);
    const output = await model.run(rows([0.2, 0.8], [0.8, 0.2], [0.5, 0.5]));
    await model.release();
    expect(output).toEqual({
      kind: 'multiclass',
      classes: ['späť', ''],
      probabilities: Float32Array.of(0.2, 0.8, 0.8, 0.2, 0.5, 0.5),
      decision: ['', 'späť', 'späť'],
    });
  });

  it('gives a regression in the units of the label', async () => {
    const model = await load({ kind: 'regression', name: 'delay', center: 1e6, scale: 0.5 });
    const output = await model.run(rows([3, 0], [-2, 0]));
    await model.release();
    expect(output).toEqual({ kind: 'regression', value: Float32Array.of(1_000_001.5, 999_999) });
    expect(model.signature).toEqual({ inputs: NETWORK_ENCODER.columns, output: { kind: 'regression' } });
  });

  it.each<[FittedLabel, number, object]>([
    [
      { kind: 'binary', name: 'y', threshold: 0.5 },
      1,
      { probability: new Float32Array(0), decision: new Uint8Array(0) },
    ],
    [
      { kind: 'multiclass', name: 'y', classes: ['a', 'b'] },
      2,
      { probabilities: new Float32Array(0), decision: [] },
    ],
    [{ kind: 'regression', name: 'y', center: 0, scale: 1 }, 1, { value: new Float32Array(0) }],
  ])('answers no rows with nothing: %o', async (label, width, empty) => {
    const model = await load(label, width);
    expect(await model.run(rows())).toMatchObject({ kind: label.kind, ...empty });
    await model.release();
  });

  it('runs whatever an encoder can be, with names of columns that are tensors of its own', async () => {
    const dense = encoderSpecs.filter((spec) => encoderLayout(spec).denseWidth > 0);
    const cases = dense.chain((spec) => fc.tuple(fc.constant(spec), rowsFor(spec)));
    await fc.assert(
      fc.asyncProperty(cases, async ([encoder, given]) => {
        const width = encoderLayout(encoder).denseWidth;
        const kernel = { shape: [width, 1], data: new Float32Array(width) };
        const network: NetworkGraph = {
          inputs: [{ name: 'dense', kind: 'dense', width }],
          layers: [{ name: 'dense/1', inputs: ['dense'], kind: 'dense', kernel, activation: 'sigmoid' }],
          output: 'dense/1',
        };
        const label = { kind: 'binary', name: 'y', threshold: 0.5 } as const;
        const model = await InferenceModel.load(writeArtifact({ encoder, network, label, properties: {} }));
        const columns = encoder.columns.map((column) => [column.name, rawColumn(given, column)] as const);
        const output = await model.run({ rows: given.length, columns: Object.fromEntries(columns) });
        await model.release();
        expect(output).toHaveProperty('decision.length', given.length);
      }),
      { numRuns: 60 },
    );
  });

  it('names the column that does not fit', async () => {
    const model = await load({ kind: 'regression', name: 'y', center: 0, scale: 1 });
    const { columns } = rows([1, 2]);
    await expect(model.run({ rows: 1, columns: { ...columns, a: ['1'] } })).rejects.toThrow(
      "Column 'a' is a number and must be a Float64Array.",
    );
    await expect(model.run({ rows: 1, columns: { ...columns, c: Float64Array.of(1) } })).rejects.toThrow(
      "Column 'c' is text and must be an array of strings.",
    );
    await expect(model.run({ rows: 2, columns })).rejects.toThrow(BatchInvalidError);
    await expect(model.run({ rows: 0, columns: {} })).rejects.toThrow("Column 'a' is not in the batch.");
    await model.release();
  });

  it('survives text that is no text', async () => {
    const model = await load({ kind: 'regression', name: 'y', center: 0, scale: 1 });
    const { columns } = rows([1, 2]);
    const smuggled: unknown = [7];
    const run = model.run({ rows: 1, columns: { ...columns, c: smuggled as string[] } });
    await expect(run).rejects.toThrow(InferenceFailedError);
    expect(await model.run(rows([4, 2]))).toEqual({ kind: 'regression', value: Float32Array.of(4) });
    await model.release();
  });

  it('answers what is under way when it is released, and refuses what comes after', async () => {
    const model = await load({ kind: 'regression', name: 'y', center: 0, scale: 1 });
    const underWay = [1, 2, 3].map((value) => model.run(rows([value, 0])));
    const released = model.release();
    await expect(model.run(rows([4, 0]))).rejects.toThrow('Inference failed: the model has been released.');
    const answers = await Promise.all(underWay);
    expect(answers).toEqual(
      [1, 2, 3].map((value) => ({ kind: 'regression', value: Float32Array.of(value) })),
    );
    await released;
  });
});
