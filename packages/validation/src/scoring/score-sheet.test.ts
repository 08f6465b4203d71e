import type { FittedLabel } from '@perennial/contract';
import { describe, expect, it } from 'vitest';
import { ArtifactUnfitError, LabelMismatchError } from '../errors.ts';
import { BINARY_LABEL, REGRESSION_LABEL } from '../testing/linear-artifact.ts';
import { ClassIndex } from './class-index.ts';
import { scoreSheet, type ScoreSheet } from './score-sheet.ts';

const ARTIFACT = `sha256:${'a'.repeat(64)}`;
const MULTICLASS_LABEL: FittedLabel = { kind: 'multiclass', name: 'kind', classes: ['b', 'a'] };

function sheet(label: FittedLabel, rows: number, classes = new ClassIndex()): ScoreSheet {
  return scoreSheet({ artifact: ARTIFACT, label, rows, classes });
}

const binary = (...probability: number[]) => ({
  kind: 'binary' as const,
  probability: Float32Array.from(probability),
  decision: Uint8Array.from(probability, (value) => (value >= 0.5 ? 1 : 0)),
});

describe('a score sheet', () => {
  it('gathers binary answers over batches', () => {
    const rows = sheet(BINARY_LABEL, 3);
    rows.add(Float64Array.of(0, 1), binary(0.25, 0.5));
    rows.add(Float64Array.of(1), binary(1));
    expect(rows.finish()).toEqual({
      kind: 'binary',
      labels: Uint8Array.of(0, 1, 1),
      probability: Float32Array.of(0.25, 0.5, 1),
      decision: Uint8Array.of(0, 1, 1),
    });
  });

  it('keeps of a multiclass answer the decision and the probability of what was true', () => {
    const rows = sheet(MULTICLASS_LABEL, 3);
    rows.add(['a', 'b', 'unseen'], {
      kind: 'multiclass',
      classes: ['b', 'a'],
      probabilities: Float32Array.of(0.25, 0.75, 0.5, 0.5, 1, 0),
      decision: ['a', 'a', 'b'],
    });
    expect(rows.finish()).toEqual({
      kind: 'multiclass',
      classes: 3,
      classNames: ['a', 'b', 'unseen'],
      labels: Int32Array.of(0, 1, 2),
      labelProbability: Float32Array.of(0.75, 0.5, 0),
      decision: Int32Array.of(0, 0, 1),
      decisionProbability: Float32Array.of(0.75, 0.5, 1),
    });
  });

  it('numbers classes alike for models that list them differently', () => {
    const classes = new ClassIndex();
    const answers = (names: string[], decision: string) => ({
      kind: 'multiclass' as const,
      classes: names,
      probabilities: Float32Array.of(0.5, 0.5),
      decision: [decision],
    });
    const first = sheet(MULTICLASS_LABEL, 1, classes);
    const second = sheet(MULTICLASS_LABEL, 1, classes);
    first.add(['a'], answers(['a', 'b'], 'b'));
    second.add(['a'], answers(['b', 'c'], 'b'));
    expect(first.finish()).toMatchObject({ classes: 2, decision: Int32Array.of(1) });
    expect(second.finish()).toMatchObject({
      decision: Int32Array.of(1),
      labelProbability: Float32Array.of(0),
    });
  });

  it.each([
    ['a probability that is not a number', binary(0.5, Number.NaN), 'it answered NaN at position 1'],
    ['a probability above 1', binary(0.5, 1.5), 'it answered 1.5 at position 1'],
    ['a probability below 0', binary(-0.5, 1), 'it answered -0.5 at position 0'],
    ['too few answers', binary(0.5), 'it answered 1 rows where it was asked about 2'],
    ['too many answers', binary(0.5, 0.5, 0.5), 'it answered 3 rows where it was asked about 2'],
    [
      'another kind of answer',
      { kind: 'regression' as const, value: Float32Array.of(1, 2) },
      'it answers as a regression',
    ],
  ])('refuses %s', (_, output, problem) => {
    const adding = () => sheet(BINARY_LABEL, 2).add(Float64Array.of(0, 1), output);
    expect(adding).toThrow(ArtifactUnfitError);
    expect(adding).toThrow(problem);
  });

  it('refuses probabilities that do not sum to 1', () => {
    const adding = () =>
      sheet(MULTICLASS_LABEL, 1).add(['a'], {
        kind: 'multiclass',
        classes: ['b', 'a'],
        probabilities: Float32Array.of(0.25, 0.5),
        decision: ['a'],
      });
    expect(adding).toThrow('its probabilities of a row sum to 0.7500 and not to 1');
  });

  it.each([Number.NaN, Infinity, -Infinity])('refuses a value of %f', (value) => {
    const adding = () =>
      sheet(REGRESSION_LABEL, 1).add(Float64Array.of(1), {
        kind: 'regression',
        value: Float32Array.of(value),
      });
    expect(adding).toThrow(ArtifactUnfitError);
  });

  it('tells labels of another kind from answers that are wrong', () => {
    const half = () => sheet(BINARY_LABEL, 1).add(Float64Array.of(0.5), binary(0.5));
    const text = () => sheet(BINARY_LABEL, 1).add(['a'], binary(0.5));
    const missing = () =>
      sheet(REGRESSION_LABEL, 1).add(Float64Array.of(NaN), { kind: 'regression', value: Float32Array.of(1) });
    for (const adding of [half, text, missing]) expect(adding).toThrow(LabelMismatchError);
  });
});
