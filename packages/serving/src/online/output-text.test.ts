import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutputBatch } from '@perennial/onnx';
import { UnusableOutputError } from '../errors.ts';
import { formatOutput } from '../instances/output.ts';
import { compileOutputText } from './output-text.ts';

const floats = fc.float({ noNaN: true, noDefaultInfinity: true });

/** The text of a row, against that of the object. */
function expectSame(batch: OutputBatch, classes?: string[]): void {
  const output =
    batch.kind === 'multiclass' ? { kind: batch.kind, classes: classes ?? [] } : { kind: batch.kind };
  const text = compileOutputText(output as Parameters<typeof compileOutputText>[0]);
  for (let row = 0; row < 2; row++) expect(text(batch, row)).toBe(JSON.stringify(formatOutput(batch, row)));
}

describe('the text of an answer is the JSON of its object', () => {
  test('of two classes and of a value, for any number', () => {
    fc.assert(
      fc.property(floats, floats, (a, b) => {
        const numbers = Float32Array.of(a, b);
        expectSame({ kind: 'binary', probability: numbers, decision: Uint8Array.of(1, 0) });
        expectSame({ kind: 'regression', value: numbers });
      }),
    );
  });

  test.each([[['weather', 'crew', '__proto__']], [['10', '2', 'a"b', '1']], [['ä\u2028', '', '0']]])(
    'of the classes %j',
    (classes) => {
      const probabilities = Float32Array.from({ length: classes.length * 2 }, (_, i) => i / 7);
      expectSame(
        { kind: 'multiclass', classes, probabilities, decision: [classes[1]!, classes[2]!] },
        classes,
      );
    },
  );
});

test.each([NaN, Infinity, -Infinity])('%s is never given out', (value) => {
  const text = compileOutputText({ kind: 'regression' });
  const batch: OutputBatch = { kind: 'regression', value: Float32Array.of(1, value) };
  expect(text(batch, 0)).toBe('{"value":1}');
  expect(() => text(batch, 1)).toThrow(UnusableOutputError);
  expect(() => text(batch, 2)).toThrow(UnusableOutputError);
});
