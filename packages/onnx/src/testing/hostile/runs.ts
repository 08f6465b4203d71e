import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType,
  GraphProtoSchema,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorProto_DataType as Type,
  type GraphProto,
  type NodeProto,
} from '../../generated/onnx-ml_pb.ts';
import type { GraphBuilder } from '../../graph-builder.ts';
import { value } from '../foreign-models.ts';
import { goodFile } from './good-file.ts';
import type { HostileFile } from './hostile-file.ts';

/** Files that look sound; what they do shows when they run. */
export function hostileRuns(): HostileFile[] {
  return [...costly(), ...failing(), ...answering()];
}

function shown(name: string, bytes: () => Uint8Array, reason: RegExp): HostileFile {
  return { name, bytes, reason, shownBy: 'running' };
}

function changed(change: (graph: GraphProto) => void): () => Uint8Array {
  return () => goodFile((_model, graph) => change(graph));
}

function ending(write: (graph: GraphBuilder) => void): () => Uint8Array {
  return () => goodFile(undefined, { write });
}

/** Time and memory without end. */
function costly(): HostileFile[] {
  return [
    shown('a loop without an end', changed(addEndlessLoop), /took longer than|more than \d+ MiB/),
    shown(
      'a tensor that fills the memory',
      changed((graph) => addFill(graph, 2n ** 31n)),
      /more than \d+ MiB of memory|cannot run it|does not run/,
    ),
    shown(
      'a tensor larger than any memory',
      changed((graph) => addFill(graph, 2n ** 45n)),
      /cannot run it|does not run|more than \d+ MiB/,
    ),
    shown(
      'numbers that take a heap to read',
      changed(addManyIntegers),
      /more than \d+ MiB of memory|took longer than/,
    ),
  ];
}

/** What the runtime refuses, or this package does. */
function failing(): HostileFile[] {
  return [
    shown(
      'an operator that does not exist',
      changed((graph) => addNode(graph, 'NoSuchOperator')),
      /NoSuchOperator/,
    ),
    shown(
      'an operator that the runtime lacks',
      changed((graph) => addNode(graph, 'NoSuchOperator', 'com.microsoft')),
      /NoSuchOperator/,
    ),
    shown(
      'shapes that do not fit',
      ending((graph) => {
        const kernel = graph.constant(new Float32Array(6), [3, 2]);
        graph.node('MatMul', ['X', kernel], { output: 'probabilities' });
      }),
      /cannot run it|does not run/,
    ),
    shown(
      'a model that says it is one of ours',
      () =>
        goodFile((model) => {
          const entries = {
            'perennial.kind': 'artifact',
            'perennial.format': '1',
            'perennial.signature': OUR_SIGNATURE,
          };
          model.metadataProps = Object.entries(entries).map(([key, text]) =>
            create(StringStringEntryProtoSchema, { key, value: text }),
          );
        }),
      /its metadata lacks 'perennial.encoder'/,
    ),
  ];
}

/** Answers that cannot be served. */
function answering(): HostileFile[] {
  return [
    shown(
      'answers by chance',
      ending((graph) => {
        const noise = graph.node('RandomUniformLike', ['X']);
        graph.node('Sigmoid', [noise], { output: 'probabilities' });
      }),
      /answers the same rows differently each time/,
    ),
    shown(
      'answers that are no numbers',
      ending((graph) => {
        const zero = graph.node('Sub', ['X', 'X']);
        graph.node('Div', [zero, zero], { output: 'probabilities' });
      }),
      /answers NaN to the sample's row 1/,
    ),
    shown(
      'scores for probabilities',
      ending((graph) => {
        graph.node('Mul', ['X', graph.constant(Float32Array.of(100), [1])], { output: 'probabilities' });
      }),
      /is no probability; the model must end in a sigmoid or softmax \(in PyTorch/,
    ),
    shown(
      'answers that depend on the other rows',
      ending((graph) => {
        graph.node('Softmax', ['X'], { attributes: { axis: { int: 0 } }, output: 'probabilities' });
      }),
      /a row's answer must not depend on those beside it/,
    ),
    shown(
      'one answer for all rows',
      ending((graph) => {
        graph.node('ReduceMean', ['X'], {
          attributes: { axes: { ints: [0] }, keepdims: { int: 1 } },
          output: 'probabilities',
        });
      }),
      /has the shape \[1, 2\] for two rows/,
    ),
  ];
}

const OUR_SIGNATURE = JSON.stringify({
  inputs: [
    { name: 'amount', type: 'number' },
    { name: 'visits', type: 'number' },
  ],
  output: { kind: 'binary', threshold: 0.5 },
});

function addNode(graph: GraphProto, operator: string, domain = ''): void {
  graph.node.push(create(NodeProtoSchema, { opType: operator, domain, input: ['X'], output: ['more'] }));
}

/** A tensor of so many floats, made of its shape: that it is not asked for saves nobody, since a constant is computed while the file is loaded. */
function addFill(graph: GraphProto, size: bigint): void {
  graph.initializer.push(integers('size', [size]));
  // Not foldable: the shape depends on what is fed.
  graph.node.push(
    node('Shape', ['X'], 'shape'),
    node('ReduceMin', ['shape'], { output: 'least', ints: { keepdims: 0n } }),
    node('Mul', ['least', 'size'], 'dims'),
    node('ConstantOfShape', ['dims'], 'filled'),
    node('ReduceMax', ['filled'], { output: 'largest', ints: { keepdims: 0n } }),
    node('Identity', ['probabilities'], 'unfilled'),
    node('Add', ['unfilled', 'largest'], 'both'),
  );
  graph.output = [value('both', 'float32', [null, 2])];
}

/** `Loop` that counts to 2^62, and carries the input along. */
function addEndlessLoop(graph: GraphProto): void {
  const body = create(GraphProtoSchema, {
    name: 'body',
    node: [node('Identity', ['condition'], 'go_on'), node('Sigmoid', ['carried'], 'carried_on')],
    input: [
      value('step', 'int64', []),
      value('condition', 'bool', []),
      value('carried', 'float32', [null, 2]),
    ],
    output: [value('go_on', 'bool', []), value('carried_on', 'float32', [null, 2])],
  });
  graph.initializer.push(integers('count', [2n ** 62n]));
  const attribute = [
    create(AttributeProtoSchema, { name: 'body', type: AttributeProto_AttributeType.GRAPH, g: body }),
  ];
  graph.node.push(
    create(NodeProtoSchema, {
      opType: 'Loop',
      input: ['count', '', 'probabilities'],
      output: ['looped'],
      attribute,
    }),
  );
  graph.output = [value('looped', 'float32', [null, 2])];
}

/** Thirty million integers of one byte each in the file, and of some 30 bytes each in whoever makes JavaScript's BigInts of them. */
function addManyIntegers(graph: GraphProto): void {
  const count = 30_000_000;
  const packed = create(TensorProtoSchema, { name: 'many', dims: [BigInt(count)], dataType: Type.INT64 });
  const head = toBinary(TensorProtoSchema, packed);
  const length = Buffer.alloc(5);
  let bytes = 0;
  for (let left = count; ; left = Math.floor(left / 128)) {
    length[bytes] = left < 128 ? left : (left % 128) + 128;
    bytes += 1;
    if (left < 128) break;
  }
  const data = Buffer.concat([
    head,
    Uint8Array.of(0x3a),
    length.subarray(0, bytes),
    new Uint8Array(count).fill(1),
  ]);
  graph.$unknown = [...(graph.$unknown ?? []), { no: 5, wireType: 2, data: lengthPrefixed(data) }];
}

function lengthPrefixed(data: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let left = data.length; ; left = Math.floor(left / 128)) {
    length.push(left < 128 ? left : (left % 128) + 128);
    if (left < 128) break;
  }
  return Buffer.concat([Uint8Array.from(length), data]);
}

function integers(name: string, numbers: bigint[]) {
  return create(TensorProtoSchema, {
    name,
    dims: numbers.length === 1 ? [1n] : [BigInt(numbers.length)],
    dataType: Type.INT64,
    int64Data: numbers,
  });
}

function node(
  operator: string,
  input: string[],
  given: string | { output: string; ints: Record<string, bigint> },
): NodeProto {
  const { output, ints } = typeof given === 'string' ? { output: given, ints: {} } : given;
  const { INT } = AttributeProto_AttributeType;
  return create(NodeProtoSchema, {
    opType: operator,
    input,
    output: [output],
    attribute: Object.entries(ints).map(([name, i]) => create(AttributeProtoSchema, { name, type: INT, i })),
  });
}
