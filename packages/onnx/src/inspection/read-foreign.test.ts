import { describe, expect, it } from 'vitest';
import type { Signature } from '@perennial/contract';
import { ModelRefusedError } from '../errors.ts';
import { value, type ForeignModel } from '../testing/foreign-models.ts';
import { goodFile } from '../testing/hostile-files.ts';
import { ML_DOMAIN } from '../graph-builder.ts';
import { inspectModel } from './inspect-model.ts';
import { outputLabel, ownSignature, sampleColumns } from './read-foreign.ts';

const outlined = (parts: Partial<ForeignModel> = {}) => inspectModel(goodFile(undefined, parts));

/** A classifier of `ai.onnx.ml` that names its classes. */
function classifier(attributes: Record<string, { strings: string[] } | { ints: number[] }>) {
  return outlined({
    write: (graph) => {
      graph.node('LinearClassifier', ['X'], { domain: ML_DOMAIN, attributes, output: 'probabilities' });
    },
  });
}

const refusal = (ask: () => unknown): string => {
  try {
    return `taken as ${JSON.stringify(ask())}`;
  } catch (error) {
    return error instanceof ModelRefusedError ? error.reason : String(error);
  }
};

describe('columns are read from the sample', () => {
  const columns = (...rows: Record<string, unknown>[]) => sampleColumns(outlined(), rows);

  it('in the order of its first row, by what its values are', () => {
    expect(
      columns(
        {
          visits: 1,
          late: true,
          at: '2024-03-01T00:00:00Z',
          day: '2024-03-01',
          unknown: null,
          sometimes: null,
        },
        { visits: null, late: false, at: null, day: '', unknown: null, sometimes: 'x' },
      ),
    ).toEqual([
      { name: 'visits', type: 'number' },
      { name: 'late', type: 'boolean' },
      { name: 'at', type: 'timestamp' },
      { name: 'day', type: 'text' },
      { name: 'unknown', type: 'number' },
      { name: 'sometimes', type: 'text' },
    ]);
  });

  it("in the order of the file's own metadata, where it has one", () => {
    const model = outlined({ metadata: { feature_names: '["b","a"]' } });
    expect(sampleColumns(model, [{ a: 1, b: 2 }]).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(refusal(() => sampleColumns(model, [{ a: 1 }]))).toContain(
      "names the column 'b', which the sample's first row lacks",
    );
  });

  it('as text where the model takes text, even when all are instants', () => {
    const model = inspectModel(
      goodFile((_model, graph) => graph.input.push(value('at', 'string', [null, 1]))),
    );
    expect(sampleColumns(model, [{ at: '2024-03-01T00:00:00Z' }, { at: null }])).toEqual([
      { name: 'at', type: 'text' },
    ]);
  });

  it('and refused where they are of two types, or have names that mislead', () => {
    expect(refusal(() => columns({ a: 1 }, { a: 'x' }))).toContain(
      "the sample's column 'a' holds number and string",
    );
    expect(refusal(() => columns({ a: [1] }))).toContain("the sample's column 'a' holds object");
    expect(refusal(() => columns({ 'a\0': 1 }))).toContain('holds a NUL');
    expect(refusal(() => columns({ '../a': 1 }))).toContain("the path step '..'");
    expect(refusal(() => columns({ cop: 1, сор: 2 }))).toContain('look the same');
    expect(refusal(() => columns({ ['x'.repeat(129)]: 1 }))).toContain('no name of 1 to 128 characters');
  });
});

describe('what a model answers', () => {
  const binary: Signature['output'] = { kind: 'binary', threshold: 0.3 };

  it.each([
    [{ classlabels_ints: { ints: [0, 1] } }, { kind: 'binary', threshold: 0.5 }],
    [{ classlabels_ints: { ints: [1, 2] } }, { kind: 'multiclass', classes: ['1', '2'] }],
    [{ classlabels_strings: { strings: ['no', 'yes'] } }, { kind: 'multiclass', classes: ['no', 'yes'] }],
    [{ classlabels_int64s: { ints: [-1, 0, 1] } }, { kind: 'multiclass', classes: ['-1', '0', '1'] }],
  ])('is read from the classes that its classifier names: %j', (attributes, output) => {
    expect(outputLabel(classifier(attributes), undefined)).toMatchObject(output);
  });

  it('is a number where a regressor gives it', () => {
    const model = outlined({
      write: (graph) => {
        graph.node('TreeEnsembleRegressor', ['X'], { domain: ML_DOMAIN, output: 'probabilities' });
      },
    });
    expect(outputLabel(model, undefined)).toMatchObject({ kind: 'regression', center: 0, scale: 1 });
  });

  it('must be said where nothing in the file tells', () => {
    expect(refusal(() => outputLabel(outlined(), undefined))).toBe(
      "nothing in it says what its output means; say it with the request's 'output' (perennial register: --threshold 0.5 where it is one probability, --classes a,b,c, or --regression)",
    );
    expect(outputLabel(outlined(), binary)).toMatchObject(binary);
  });

  it('must not be said to be another than the file says', () => {
    const three = classifier({ classlabels_strings: { strings: ['a', 'b', 'c'] } });
    expect(refusal(() => outputLabel(three, binary))).toContain(
      "said to be binary, but the file names the classes 'a', 'b', 'c'",
    );
    expect(refusal(() => outputLabel(three, { kind: 'multiclass', classes: ['c', 'b', 'a'] }))).toContain(
      'in this order',
    );
    expect(refusal(() => outputLabel(three, { kind: 'regression' }))).toContain('said to be regression');
    const indices = classifier({ classlabels_ints: { ints: [0, 1] } });
    expect(outputLabel(indices, { kind: 'multiclass', classes: ['no', 'yes'] })).toMatchObject({
      classes: ['no', 'yes'],
    });
  });
});

describe('the signature of a file that says it is of this platform', () => {
  const said = (metadata: Record<string, string>) => refusal(() => ownSignature(outlined({ metadata })));

  it('is read from its metadata, and is not there in any other', () => {
    expect(ownSignature(outlined())).toBeUndefined();
    const signature = { inputs: [{ name: 'a', type: 'number' }], output: { kind: 'regression' } };
    const metadata = { 'perennial.kind': 'adopted', 'perennial.signature': JSON.stringify(signature) };
    expect(ownSignature(outlined({ metadata }))).toEqual(signature);
  });

  it('must be one', () => {
    expect(said({ 'perennial.kind': 'encoder' })).toContain(
      "says that it is 'encoder' of this platform, which is no model",
    );
    expect(said({ 'perennial.kind': 'artifact' })).toContain('has no signature');
    expect(said({ 'perennial.kind': 'artifact', 'perennial.signature': '{' })).toContain('has no signature');
    expect(said({ 'perennial.kind': 'artifact', 'perennial.signature': '{"inputs":[]}' })).toContain(
      'has no signature',
    );
  });
});
