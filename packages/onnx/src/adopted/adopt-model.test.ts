import { MISSING_TIMESTAMP, type FittedLabel, type InputColumn } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from '../artifact.ts';
import type { ColumnBatch } from '../batch.ts';
import { ArtifactInvalidError, ModelRefusedError } from '../errors.ts';
import { InferenceModel } from '../inference-model.ts';
import { isAdopted, readSignature } from '../signature.ts';
import {
  foreignModel,
  moveOutside,
  value,
  writeLogistic,
  zipMap,
  type ForeignModel,
  type ForeignType,
} from '../testing/foreign-models.ts';
import { NETWORK_ENCODER, NETWORK_INPUTS } from '../testing/networks.ts';
import { ML_DOMAIN } from '../graph-builder.ts';
import { adoptModel } from './adopt-model.ts';

const COLUMNS: InputColumn[] = [
  { name: 'carrier', type: 'text' },
  { name: 'distance', type: 'number' },
  { name: 'weekend', type: 'boolean' },
  { name: 'date', type: 'timestamp' },
];
const BINARY: FittedLabel = { kind: 'binary', name: 'late', threshold: 0.7 };
const REGRESSION: FittedLabel = { kind: 'regression', name: 'delay', center: 10, scale: 4 };
const CLASSES: FittedLabel = { kind: 'multiclass', name: 'fate', classes: ['early', 'late', ''] };

const ROWS: ColumnBatch = {
  rows: 3,
  columns: {
    carrier: ['AA', '', 'UA'],
    distance: Float64Array.of(2, NaN, -1),
    weekend: Float64Array.of(1, NaN, 0),
    date: BigInt64Array.of(1_000n, MISSING_TIMESTAMP, -5n),
  },
};

async function adoptAndRun(model: ForeignModel, label: FittedLabel = BINARY) {
  const adopted = await adoptModel({ bytes: foreignModel(model), columns: COLUMNS, label });
  const inference = await InferenceModel.load(adopted.bytes);
  const output = await inference.run(ROWS);
  await inference.release();
  return { ...adopted, output, served: inference.signature };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** A scikit-learn style classifier: one matrix, a label, and probabilities of the given shape. */
function classifier(dims: (number | null)[] | undefined, more: Partial<ForeignModel> = {}): ForeignModel {
  return {
    inputs: [value('X', 'float32', [null, 2])],
    outputs: [value('label', 'int64', [null]), value('probabilities', 'float32', dims)],
    write: (graph) => {
      writeLogistic(graph, { input: 'X', weights: [1, 2], output: 'probabilities' });
      const classes = graph.node('ArgMax', ['probabilities'], {
        attributes: { axis: { int: 1 }, keepdims: { int: 0 } },
      });
      graph.node('Identity', [classes], { output: 'label' });
    },
    ...more,
  };
}

/** A model that hands one input on as a regression's value, in the type and shape that it takes it. */
function echo(input: string, type: ForeignType, dims: (number | null)[]): ForeignModel {
  return {
    inputs: [value(input, type, dims)],
    outputs: [value('variable', 'float64', dims)],
    write: (graph) => {
      graph.node('Identity', [type === 'float64' ? input : graph.cast(input, 'float64')], {
        output: 'variable',
      });
    },
  };
}

describe('an adopted model', () => {
  it('takes a matrix as the columns of numbers in order, and decides at the threshold', async () => {
    const { output, signature, served, operators } = await adoptAndRun(classifier([null, 2]));
    expect(signature).toEqual({
      inputs: [COLUMNS[1], COLUMNS[2]],
      output: { kind: 'binary', threshold: 0.7 },
    });
    expect(served).toEqual(signature);
    expect(operators).toEqual(['MatMul', 'Sigmoid', 'Sub', 'Concat', 'ArgMax', 'Identity']);
    if (output.kind !== 'binary') throw new TypeError(output.kind);
    expect(output.probability[0]).toBeCloseTo(sigmoid(4), 6);
    expect(output.probability[1]).toBeNaN();
    expect(output.probability[2]).toBeCloseTo(sigmoid(-1), 6);
    expect([...output.decision]).toEqual([1, 0, 0]);
  });

  it.each([[[null, 2]], [[null, null]], [undefined], [[null, 7]]])(
    'is answered from the shape that it really has, when it says %j',
    async (dims) => {
      const { output } = await adoptAndRun(classifier(dims));
      expect(output).toMatchObject({ kind: 'binary', decision: Uint8Array.of(1, 0, 0) });
    },
  );

  it.each([
    ['[N, 1]', false],
    ['[N]', true],
  ])('may give the probability of true alone, as %s', async (_shape, flat) => {
    const { output } = await adoptAndRun({
      inputs: [value('features', 'float64', [null, null])],
      outputs: [value('out', 'float64', flat ? [null] : [null, 1])],
      write: (graph) => {
        const sum = graph.node('Sigmoid', [
          graph.node('MatMul', ['features', graph.constant(Float64Array.of(1, 2), flat ? [2] : [2, 1])]),
        ]);
        graph.node('Identity', [sum], { output: 'out' });
      },
    });
    expect(output).toMatchObject({ kind: 'binary', decision: Uint8Array.of(1, 0, 0) });
  });

  it('decides as JavaScript does at the threshold itself', async () => {
    const echoed: ForeignModel = { ...echo('distance', 'float64', [null, 1]) };
    const adopted = await adoptModel({ bytes: foreignModel(echoed), columns: COLUMNS, label: BINARY });
    const inference = await InferenceModel.load(adopted.bytes);
    const nearby = [0.7, 0.7 - 1e-7, 0.7 + 1e-7, NaN, 0, 1];
    const output = await inference.run({ rows: 6, columns: { distance: Float64Array.from(nearby) } });
    await inference.release();
    if (output.kind !== 'binary') throw new TypeError(output.kind);
    expect([...output.decision]).toEqual([...output.probability].map((p) => (p >= 0.7 ? 1 : 0)));
  });

  it.each<[string, ForeignType, number[]]>([
    ['distance', 'float32', [2, NaN, -1]],
    ['distance', 'float64', [2, NaN, -1]],
    ['distance', 'int64', [2, -(2 ** 63), -1]],
    ['weekend', 'bool', [1, 0, 0]],
    ['date', 'int64', [1_000, -(2 ** 63), -5]],
    ['date', 'float64', [1_000, NaN, -5]],
    ['date', 'float32', [1_000, NaN, -5]],
  ])('takes the column %s as %s, missing values included', async (name, type, expected) => {
    for (const dims of [[null], [null, 1]]) {
      const { output, signature } = await adoptAndRun(echo(name, type, dims), REGRESSION);
      expect(signature.inputs).toEqual(COLUMNS.filter((column) => column.name === name));
      expect(output).toEqual({ kind: 'regression', value: Float32Array.from(expected) });
    }
  });

  it.each([
    ['an old file without our operators', { '': 9, [ML_DOMAIN]: 1 }, 3],
    ['a file of today', { '': 20, [ML_DOMAIN]: 4 }, 9],
  ])('takes text, and answers one of many classes: %s', async (_name, opsets, irVersion) => {
    const { output, signature } = await adoptAndRun(
      {
        inputs: [value('carrier', 'string', [null, 1])],
        outputs: [value('output_probability', 'float32', [null, 3])],
        opsets,
        irVersion,
        write: (graph) => {
          graph.node('LabelEncoder', ['carrier'], {
            domain: ML_DOMAIN,
            attributes:
              opsets[ML_DOMAIN] === 1
                ? { classes_strings: { strings: ['', 'AA', 'UA'] } }
                : {
                    keys_strings: { strings: ['', 'AA', 'UA'] },
                    values_int64s: { ints: [0, 1, 2] },
                  },
            output: 'index',
          });
          const table = graph.constant(Float32Array.of(0.5, 0.2, 0.3, 0.1, 0.7, 0.2, 0.1, 0.1, 0.8), [3, 3]);
          const flat = graph.node('Reshape', ['index', graph.constant(BigInt64Array.of(-1n), [1])]);
          graph.node('Gather', [table, flat], {
            attributes: { axis: { int: 0 } },
            output: 'output_probability',
          });
        },
      },
      CLASSES,
    );
    expect(signature.output).toEqual({ kind: 'multiclass', classes: ['early', 'late', ''] });
    expect(output).toMatchObject({ kind: 'multiclass', decision: ['late', 'early', ''] });
  });

  it('is an artifact of its own kind, with the metadata of its author and none that pretends to be ours', async () => {
    const { bytes } = await adoptAndRun(
      classifier([null, 2], {
        metadata: { author: 'me', 'perennial.signature': '{"inputs":[]}', 'perennial.kind': 'artifact' },
      }),
    );
    expect(isAdopted(bytes)).toBe(true);
    expect(readSignature(bytes).inputs).toHaveLength(2);
    expect(Buffer.from(bytes).includes('author')).toBe(true);
    expect(Buffer.from(bytes).includes('{"inputs":[]}')).toBe(false);
    expect(() => readArtifact(bytes)).toThrow('it is an adopted, not an artifact');
    expect(() => readSignature(bytes.subarray(0, bytes.length - 20))).toThrow(ArtifactInvalidError);
  });

  it('is the same bytes for the same model', async () => {
    const [one, two] = await Promise.all([
      adoptAndRun(classifier([null, 2])),
      adoptAndRun(classifier([null, 2])),
    ]);
    expect(Buffer.compare(one.bytes, two.bytes)).toBe(0);
  });

  it('may be an artifact that this package wrote', async () => {
    const kernel = { shape: [2, 1], data: Float32Array.of(1, 1) };
    const layer = {
      name: 'out',
      inputs: ['dense'],
      kind: 'dense' as const,
      kernel,
      activation: 'sigmoid' as const,
    };
    const network = { inputs: NETWORK_INPUTS, layers: [layer], output: 'out' };
    const bytes = writeArtifact({ encoder: NETWORK_ENCODER, network, label: BINARY, properties: {} });
    const adopted = await adoptModel({ bytes, columns: NETWORK_ENCODER.columns, label: BINARY });
    const batch = { rows: 1, columns: { a: Float64Array.of(1), b: Float64Array.of(0.25), c: ['x'] } };
    const [own, taken] = await Promise.all([InferenceModel.load(bytes), InferenceModel.load(adopted.bytes)]);
    expect(await taken.run(batch)).toEqual(await own.run(batch));
    await Promise.all([own.release(), taken.release()]);
    expect(adopted.signature).toEqual(own.signature);
    await expect(
      adoptModel({ bytes: adopted.bytes, columns: NETWORK_ENCODER.columns, label: BINARY }),
    ).rejects.toThrow("names that begin with '#adopted/' are taken");
  });
});

describe('a model is refused, with what would do', () => {
  const refused = (model: ForeignModel | Uint8Array, label: FittedLabel = BINARY) =>
    adoptModel({
      bytes: model instanceof Uint8Array ? model : foreignModel(model),
      columns: COLUMNS,
      label,
    }).then(
      () => 'adopted',
      (error: unknown) => (error instanceof ModelRefusedError ? error.reason : error),
    );
  const onInput = (name: string, type: ForeignType, dims: (number | null)[]) =>
    refused({ ...classifier([null, 2]), inputs: [value(name, type, dims)] });

  it('when it is no ONNX file', async () => {
    expect(await refused(Buffer.from('not a model'))).toBe('its bytes are not an ONNX file');
    expect(await refused(new Uint8Array(0))).toBe('its bytes are not an ONNX file');
    const cut = foreignModel(classifier([null, 2]));
    expect(await refused(cut.subarray(0, cut.length / 2))).toBe('its bytes are not an ONNX file');
  });

  it('when weights lie in another file, also inside a branch', async () => {
    expect(await refused(classifier([null, 2], { change: moveOutside }))).toContain(
      "its tensor 'coefficients' lies in another file",
    );
    const constant = classifier([null, 2], {
      change: (model) => {
        moveOutside(model);
        const { graph } = model;
        const [weight] = graph?.initializer.splice(0, 1) ?? [];
        const attribute = graph?.node.find(({ attribute }) => attribute.length > 0)?.attribute[0];
        if (attribute && weight) attribute.tensors = [weight];
      },
    });
    expect(await refused(constant)).toContain("its tensor 'coefficients' lies in another file");
  });

  it('when its inputs fit no columns', async () => {
    expect(await onInput('X', 'float32', [null, 3])).toBe(
      "its only input 'X' is [N, 3], but there are 2 columns of numbers (distance (number), weekend (boolean))",
    );
    expect(await onInput('X', 'float32', [null])).toContain("its only input 'X' is [N], but");
    expect(await onInput('X', 'float32', [1, 2])).toContain('takes exactly 1 rows');
    expect(await onInput('X', 'float32', [null, 2, 2])).toContain('has 3 dimensions');
    expect(await onInput('X', 'int32', [null, 2])).toContain("its input 'X' is of type int32");
    expect(await onInput('X', 'string', [null, 2])).toContain('must be a matrix of floats, or have the name');
    expect(await onInput('carrier', 'float32', [null, 1])).toBe(
      "its input 'carrier' is float32, but a text column is given as string",
    );
    expect(
      await refused({
        ...classifier([null, 2]),
        inputs: [value('distance', 'float32', [null, 1]), value('speed', 'float32', [null, 1])],
      }),
    ).toContain("its input 'speed' is none of the columns, which are carrier (text), distance (number)");
    expect(await refused({ ...classifier([null, 2]), inputs: [] })).toBe('it has no inputs');
  });

  it('when its answer is a sequence of maps', async () => {
    const zipped = classifier([null, 2], {
      outputs: [value('label', 'int64', [null]), zipMap('output_probability')],
    });
    expect(await refused(zipped)).toBe(
      "its output 'output_probability' is a sequence of maps (ZipMap); export it with zipmap=False, so that it is a tensor",
    );
  });

  it('when there is no answer for the label', async () => {
    expect(await refused(classifier([null, 2], { outputs: [value('label', 'int64', [null])] }))).toContain(
      "needs an output of floats named probabilities or probability, or only one output of floats; it has 'label'",
    );
    expect(await refused(classifier([null, 2]), CLASSES)).toContain('is 2 wide; a multiclass label needs 3');
    expect(await refused(classifier([null, 2]), REGRESSION)).toContain(
      'is 2 wide; a regression label needs 1',
    );
  });

  it('when it is of an opset from before 2019', async () => {
    expect(await refused(classifier([null, 2], { opsets: { '': 8 } }))).toContain('export it for 9 or later');
  });

  it('when ONNX Runtime cannot load it or cannot run it, in its words', async () => {
    const unknown = classifier([null, 2], {
      write: (graph) => {
        graph.node('NoSuchOperator', ['X'], { output: 'probabilities' });
        graph.node('ArgMax', ['X'], { output: 'label' });
      },
    });
    expect(await refused(unknown)).toContain('NoSuchOperator');
    const narrow = classifier([null, 2], {
      inputs: [value('X', 'float32', [null, null])],
      write: (graph) => writeLogistic(graph, { input: 'X', weights: [1, 2, 3], output: 'probabilities' }),
      outputs: [value('probabilities', 'float32')],
    });
    expect(await refused(narrow)).toContain('ONNX Runtime cannot run it');
  });
});
