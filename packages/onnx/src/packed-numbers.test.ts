import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { InputColumn } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelProtoSchema, OperatorSetIdProtoSchema } from './generated/onnx-ml_pb.ts';
import { Feeds } from './feeds.ts';
import { ML_DOMAIN, GraphBuilder, type BorderType } from './graph-builder.ts';
import { PACKED_INPUT, withPackedNumbers } from './packed-numbers.ts';
import { RuntimeSession } from './runtime-session.ts';
import { ARTIFACT_NAMES } from './tensor-names.ts';

const numbers = (...names: string[]): InputColumn[] => names.map((name) => ({ name, type: 'number' }));

function modelOf(
  columns: readonly InputColumn[],
  write: (graph: GraphBuilder) => void,
  opset = 20,
): Uint8Array {
  const graph = new GraphBuilder();
  const types: Record<InputColumn['type'], BorderType> = {
    number: 'float64',
    boolean: 'float64',
    text: 'string',
    timestamp: 'int64',
  };
  for (const { name, type } of columns) graph.input(name, types[type]);
  write(graph);
  const opsetImport = [
    create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(opset) }),
    create(OperatorSetIdProtoSchema, { domain: ML_DOMAIN, version: 3n }),
  ];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 9n, opsetImport, graph: graph.build('g') }),
  );
}

/** Rows of numbers, the first column's all below 1, the second's all between 1 and 2, and so on. */
function batchOf(columns: readonly InputColumn[], rows = 3) {
  const data = columns.map(({ name }, i) => [
    name,
    Float64Array.from({ length: rows }, (_, row) => i + row / 10),
  ]);
  return { rows, columns: Object.fromEntries(data) as Record<string, Float64Array> };
}

async function answer(bytes: Uint8Array, feeds: Feeds, batch: ReturnType<typeof batchOf>) {
  const session = await RuntimeSession.open(bytes);
  const results = await session.run(feeds.of(batch));
  const values = Object.entries(results).map(([name, result]) => [
    name,
    'data' in result ? [...(result.data as Float64Array)] : [],
  ]);
  await session.release();
  return Object.fromEntries(values) as Record<string, number[]>;
}

/** Asserts that the packed model answers as the one it was made of; gives the packed model's operators. */
async function packedLike(columns: readonly InputColumn[], bytes: Uint8Array): Promise<string[]> {
  const packed = withPackedNumbers(bytes, columns, ARTIFACT_NAMES);
  const batch = batchOf(columns);
  expect(packed.columns.toSorted()).toEqual(columns.map(({ name }) => name).toSorted());
  expect(
    await answer(packed.bytes, new Feeds(columns, ARTIFACT_NAMES, { packed: packed.columns }), batch),
  ).toEqual(await answer(bytes, new Feeds(columns), batch));
  const { graph } = fromBinary(ModelProtoSchema, packed.bytes);
  expect(graph?.input.map(({ name }) => name)).toEqual([PACKED_INPUT]);
  return graph?.node.map(({ opType }) => opType) ?? [];
}

describe('numbers that enter as one input', () => {
  it('are the tensor that the model laid side by side', async () => {
    const columns = numbers('a', 'b', 'c');
    const bytes = modelOf(columns, (graph) => {
      graph.output('y', { tensor: graph.sideBySide(['c', 'a', 'b']), type: 'float64', width: 3 });
    });
    expect(withPackedNumbers(bytes, columns, ARTIFACT_NAMES).columns).toEqual(['c', 'a', 'b']);
    expect(await packedLike(columns, bytes)).toEqual(['Identity', 'Identity']);
  });

  it('are cut where the model reads groups, or a column by itself, or one that is in a group as well', async () => {
    const columns = numbers('a', 'b', 'c', 'd', 'e');
    const bytes = modelOf(columns, (graph) => {
      graph.output('de', { tensor: graph.sideBySide(['d', 'e']), type: 'float64', width: 2 });
      graph.output('ba', { tensor: graph.sideBySide(['b', 'a']), type: 'float64', width: 2 });
      graph.output('ac', { tensor: graph.sideBySide(['a', 'c']), type: 'float64', width: 2 });
      graph.output('negative', { tensor: graph.node('Neg', ['b']), type: 'float64', width: 1 });
      graph.output('cc', { tensor: graph.sideBySide(['c', 'c']), type: 'float64', width: 2 });
    });
    const operators = await packedLike(columns, bytes);
    expect(operators.filter((operator) => operator === 'Split')).toHaveLength(2);
    expect(operators.filter((operator) => operator === 'Concat')).toHaveLength(2);
  });

  it('answer as before, however a model groups them', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const group = fc.shuffledSubarray(names, { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 5 }), async (groups) => {
        const columns = numbers(...names);
        const bytes = modelOf(columns, (graph) => {
          groups.forEach((members, i) => {
            const tensor = graph.sideBySide(members);
            graph.output(`y${i}`, { tensor, type: 'float64', width: members.length });
          });
        });
        await packedLike(columns, bytes);
      }),
      { numRuns: 50 },
    );
  });

  it('leave other columns as they are', () => {
    const columns: InputColumn[] = [
      { name: 'carrier', type: 'text' },
      ...numbers('a', 'b'),
      { name: 'at', type: 'timestamp' },
    ];
    const bytes = modelOf(columns, (graph) => {
      graph.output('y', { tensor: graph.sideBySide(['a', 'b']), type: 'float64', width: 2 });
    });
    const packed = withPackedNumbers(bytes, columns, ARTIFACT_NAMES);
    const { graph } = fromBinary(ModelProtoSchema, packed.bytes);
    expect(graph?.input.map(({ name }) => name)).toEqual([PACKED_INPUT, 'carrier', 'at']);
    const { rows } = new Feeds(columns, ARTIFACT_NAMES, { packed: packed.columns }).missing(2);
    expect(rows).toBe(2);
  });

  it.each([
    ['there is but one', numbers('a'), 20],
    ['the model is of an opset whose Split is another', numbers('a', 'b'), 12],
  ])('do not when %s', (_why, columns, opset) => {
    const bytes = modelOf(
      columns,
      (graph) => graph.output('y', { tensor: graph.node('Neg', ['a']), type: 'float64', width: 1 }),
      opset,
    );
    expect(withPackedNumbers(bytes, columns, ARTIFACT_NAMES)).toEqual({ bytes, columns: [] });
  });
});
