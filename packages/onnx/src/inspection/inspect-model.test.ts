import { describe, expect, it } from 'vitest';
import { ModelRefusedError } from '../errors.ts';
import { value } from '../testing/foreign-models.ts';
import { goodFile, hostileFiles } from '../testing/hostile-files.ts';
import { inspectModel } from './inspect-model.ts';

const refusal = (bytes: Uint8Array): string => {
  try {
    inspectModel(bytes);
    return 'taken';
  } catch (error) {
    if (error instanceof ModelRefusedError) return error.reason;
    throw error;
  }
};

describe('a hostile file is refused at sight', () => {
  const files = hostileFiles().filter(({ shownBy }) => shownBy === 'looking');

  it.each(files)('$name', ({ bytes, reason }) => {
    const found = refusal(bytes());
    expect(found).toMatch(reason);
    // What is shown to people hides nothing, whatever the file's names hold.
    expect(found).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(found.length).toBeLessThan(600);
  });
});

describe('a hostile file that looks sound', () => {
  it.each(hostileFiles().filter(({ shownBy }) => shownBy === 'running'))('passes: $name', ({ bytes }) => {
    expect(refusal(bytes())).toBe('taken');
  });
});

describe('a good file', () => {
  it('is told of without its numbers', () => {
    expect(inspectModel(goodFile())).toMatchObject({
      irVersion: 8,
      producer: { name: 'elsewhere' },
      opsets: new Map([
        ['', 17n],
        ['ai.onnx.ml', 3n],
      ]),
      graph: {
        inputs: [{ name: 'X', type: { kind: 'tensor', element: 1, dims: [null, 2n] } }],
        initializers: [
          { name: 'coefficients', dims: [2n, 1n], rawBytes: 8, elements: null, outside: null },
          {},
        ],
      },
    });
  });

  it.each([
    '/fc1/Gemm_output_0',
    'StatefulPartitionedCall/model/dense/MatMul:0',
    'größe',
    'возраст',
    '価格',
    'Δt',
    'area (m²)',
  ])('may name a tensor %s', (name) => {
    expect(refusal(goodFile((_model, graph) => graph.input.push(value(name, 'float32', [null, 1]))))).toBe(
      'taken',
    );
  });

  it('may have its nodes in any order', () => {
    expect(refusal(goodFile((_model, graph) => graph.node.reverse()))).toBe('taken');
  });
});
