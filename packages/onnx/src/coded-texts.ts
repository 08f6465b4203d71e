import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { InputColumn } from '@perennial/contract';
import type { CodedTexts } from './batch.ts';
import { ArtifactInvalidError } from './errors.ts';
import {
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  ValueInfoProtoSchema,
  type ValueInfoProto,
} from './generated/onnx-ml_pb.ts';
import { RESERVED_PREFIX } from './graph-builder.ts';
import type { BorderNames } from './tensor-names.ts';

/** Names of the two inputs that stand for one of texts. */
export function codedInputs(input: string): { texts: string; codes: string } {
  return { texts: `${RESERVED_PREFIX}texts/${input}`, codes: `${RESERVED_PREFIX}codes/${input}` };
}

/**
 * The same model with each input of texts, `[rows, 1]`, replaced by two: the different texts `[n]`, and which of them each row has, int32 `[rows, 1]`. One node looks them up; everything behind
 * it is as it was. A text costs 100 to 200 ns on its way from JavaScript into a tensor, so a column of few different ones comes in much faster so.
 */
export function withCodedTexts(
  bytes: Uint8Array,
  columns: readonly InputColumn[],
  names: BorderNames,
): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (graph === undefined) throw new ArtifactInvalidError('it has no graph');
  const texts = new Set(columns.filter(({ type }) => type === 'text').map(({ name }) => names.column(name)));
  graph.input = graph.input.flatMap((input) => (texts.has(input.name) ? pairOf(input.name) : [input]));
  const lookUps = [...texts].map((input) => {
    const coded = codedInputs(input);
    return create(NodeProtoSchema, {
      opType: 'Gather',
      name: `${coded.codes}/look-up`,
      input: [coded.texts, coded.codes],
      output: [input],
    });
  });
  graph.node.unshift(...lookUps);
  return toBinary(ModelProtoSchema, model);
}

function pairOf(input: string): ValueInfoProto[] {
  const { texts, codes } = codedInputs(input);
  return [
    valueInfo(texts, TensorProto_DataType.STRING, ['texts']),
    valueInfo(codes, TensorProto_DataType.INT32, ['rows', 1]),
  ];
}

function valueInfo(
  name: string,
  elemType: TensorProto_DataType,
  shape: readonly (string | number)[],
): ValueInfoProto {
  const dim = shape.map((extent) =>
    typeof extent === 'string'
      ? { value: { case: 'dimParam' as const, value: extent } }
      : { value: { case: 'dimValue' as const, value: BigInt(extent) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType, shape: { dim } } } },
  });
}

export function isCoded(column: unknown): column is CodedTexts {
  return typeof column === 'object' && column !== null && 'codes' in column;
}
