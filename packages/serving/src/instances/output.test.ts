import { describe, expect, test } from 'vitest';
import type { Signature } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { UnusableOutputError } from '../errors.ts';
import { formatOutput, gatherOutputs } from './output.ts';

describe('formatOutput', () => {
  test('gives probability and decision of a binary model', () => {
    const batch = {
      kind: 'binary',
      probability: new Float32Array([0.25, 0.75]),
      decision: new Uint8Array([0, 1]),
    } as const;
    expect(formatOutput(batch, 0)).toEqual({ probability: 0.25, decision: false });
    expect(formatOutput(batch, 1)).toEqual({ probability: 0.75, decision: true });
  });

  test('gives a probability for every class of a multiclass model, whatever the class is called', () => {
    const classes = ['red', '__proto__'];
    const probabilities = new Float32Array([0.25, 0.75, 0.5, 0.5]);
    const output = formatOutput(
      { kind: 'multiclass', classes, probabilities, decision: ['__proto__', 'red'] },
      0,
    );
    expect(JSON.stringify(output)).toBe(
      '{"probabilities":{"red":0.25,"__proto__":0.75},"decision":"__proto__"}',
    );
  });

  test('gives the value of a regression', () => {
    expect(formatOutput({ kind: 'regression', value: new Float32Array([1.5, -2]) }, 1)).toEqual({
      value: -2,
    });
  });

  test.each([NaN, Infinity, -Infinity])('refuses %s, which JSON would turn into null', (value) => {
    const regression = { kind: 'regression', value: new Float32Array([value]) } as const;
    expect(() => formatOutput(regression, 0)).toThrow(UnusableOutputError);
    const binary = {
      kind: 'binary',
      probability: new Float32Array([value]),
      decision: new Uint8Array([0]),
    } as const;
    expect(() => formatOutput(binary, 0)).toThrow(/row 0 with a probability that is not a finite number/);
  });

  test('refuses a row that the batch does not have', () => {
    expect(() => formatOutput({ kind: 'regression', value: new Float32Array([1]) }, 1)).toThrow(
      UnusableOutputError,
    );
  });
});

describe('gatherOutputs', () => {
  const batches: OutputBatch[] = [
    { kind: 'binary', probability: Float32Array.of(0.1, 0.7), decision: Uint8Array.of(0, 1) },
    {
      kind: 'multiclass',
      classes: ['a', '__proto__'],
      probabilities: Float32Array.of(0.3, 0.7, 0.9, 0.1),
      decision: ['__proto__', 'a'],
    },
    { kind: 'regression', value: Float32Array.of(-0, 1e-30) },
  ];

  test.each(batches)('is the way back of a $kind answer, to the bit', (batch) => {
    const rows = [0, 1].map((row) => formatOutput(batch, row));
    const classes = batch.kind === 'multiclass' ? batch.classes : [];
    const output = { kind: batch.kind, classes } as Signature['output'];
    expect(gatherOutputs(rows, { output })).toEqual(batch);
  });
});
