import { create } from '@bufbuild/protobuf';
import {
  NodeProtoSchema,
  TensorProto_DataType,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from '../generated/onnx-ml_pb.ts';
import { RESERVED_PREFIX, tensorInfo } from '../graph-builder.ts';
import { Constants } from './constants.ts';
import { namesUsed } from './names-used.ts';

/** Names of the two inputs that stand for one of texts. */
export function codedInputs(input: string): { texts: string; codes: string } {
  return { texts: `${RESERVED_PREFIX}texts/${input}`, codes: `${RESERVED_PREFIX}codes/${input}` };
}

/** A tensor of `[rows, 1]` by what it is of each different text, `[n]`, and which of them each row has. */
interface PerText {
  each: string;
  codes: string;
}

/**
 * Replaces each input of texts, `[rows, 1]`, by two: the different texts `[n]`, and which of them each row has, int32 `[rows, 1]`. A text costs 100 to 200 ns on its way from JavaScript into a
 * tensor, so a column of few different ones comes in much faster so. What depends on one text alone, such as its place in a vocabulary, is worked out for each different one and looked up by
 * row: 8,192 rows of a few hundred different texts are copied, hashed and compared a few hundred times. Everything behind that is as it was.
 */
export function codeTexts(graph: GraphProto, texts: ReadonlySet<string>): void {
  graph.input = graph.input.flatMap((input) => (texts.has(input.name) ? pairOf(input.name) : [input]));
  const constants = new Constants(graph);
  const perText = new Map<string, PerText>();
  for (const input of texts) {
    const coded = codedInputs(input);
    perText.set(input, { each: coded.texts, codes: coded.codes });
  }
  const front: NodeProto[] = [];
  graph.node = graph.node.filter((node) => {
    const at = ofOneText(node, constants);
    const known = at === undefined ? undefined : perText.get(node.input[at] as string);
    const [output] = node.output;
    if (at === undefined || known === undefined || output === undefined) return true;
    const each = `${RESERVED_PREFIX}each/${output}`;
    node.input[at] = known.each;
    node.output = [each];
    perText.set(output, { each, codes: known.codes });
    front.push(node);
    return false;
  });
  const used = namesUsed(graph);
  for (const [tensor, { each, codes }] of perText)
    if (used.has(tensor)) front.push(lookUp(tensor, each, codes));
  graph.node.unshift(...front);
}

/** Which input of a node is the only one that its answer depends on, element by element. */
function ofOneText(
  { opType, input, output, attribute }: NodeProto,
  constants: Constants,
): number | undefined {
  if (output.length !== 1) return undefined;
  if (opType === 'LabelEncoder' || opType === 'Cast' || opType === 'Identity') return 0;
  const isTable = constants.shape(input[0] ?? '')?.length === 1;
  return opType === 'Gather' && isTable && attribute.every(({ i }) => i === 0n) ? 1 : undefined;
}

function lookUp(tensor: string, each: string, codes: string): NodeProto {
  const name = `${each}/look-up`;
  return create(NodeProtoSchema, { opType: 'Gather', name, input: [each, codes], output: [tensor] });
}

function pairOf(input: string): ValueInfoProto[] {
  const { texts, codes } = codedInputs(input);
  return [
    tensorInfo(texts, TensorProto_DataType.STRING, [`texts of ${input}`]),
    tensorInfo(codes, TensorProto_DataType.INT32, ['rows', 1]),
  ];
}
