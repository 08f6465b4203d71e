import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { FittedLabel, InputColumn, Signature } from '@perennial/contract';
import { signatureOutput } from '../decision.ts';
import { ModelRefusedError } from '../errors.ts';
import { Feeds } from '../feeds.ts';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  ValueInfoProtoSchema,
  type GraphProto,
  type ModelProto,
} from '../generated/onnx-ml_pb.ts';
import { GraphBuilder, ML_DOMAIN } from '../graph-builder.ts';
import { METADATA_PREFIX, metadataEntries } from '../model-file.ts';
import { RuntimeSession } from '../runtime-session.ts';
import { ADOPTED_NAMES, ADOPTED_PREFIX } from '../tensor-names.ts';
import { adoptedMetadata } from './adopted-file.ts';
import { bindInputs, boundColumns, writeInputs, type InputBinding } from './bind-inputs.ts';
import { answerOutput, writeOutputs, type Answer } from './bind-output.ts';
import { modelInputs, modelOutputs } from './border.ts';
import { operatorsOf } from './operators.ts';
import { refuseOutside } from './refuse-outside.ts';

/** The first version of ONNX's operators (2019) that has all those which the platform adds. */
const OLDEST_OPSET = 9;
/** The one that is declared where a model has none of ONNX's own operators, as a lone tree ensemble. */
const DECLARED_OPSET = 13;
const DECLARED_ML_OPSET = 2;
/** Files of earlier versions want their weights among the inputs. */
const OLDEST_IR_VERSION = 8n;

export interface ModelToAdopt {
  /** The file as the trainer left it. */
  bytes: Uint8Array;
  /** The pipeline's raw columns, in the manifest's order. */
  columns: readonly InputColumn[];
  label: FittedLabel;
}

export interface AdoptedModel {
  /** An artifact's file: the model with nodes in front that make its inputs of raw columns, and nodes behind that decide. */
  bytes: Uint8Array;
  signature: Signature;
  /** The model's operators, with how often each occurs. */
  operators: string[];
}

/**
 * Makes an artifact of an ONNX model that another program wrote. Its inputs are matched with the columns by name, or one matrix of floats
 * with the columns of numbers in order; its answer is found among the outputs. What is written takes and gives what our own artifacts do,
 * and serves as they do. It needs no metadata in the file.
 *
 * The model is loaded and run, on the calling thread: one that comes from outside belongs into a process with limits.
 *
 * @throws ModelRefusedError saying what does not fit, and what would
 */
export async function adoptModel({ bytes, columns, label }: ModelToAdopt): Promise<AdoptedModel> {
  const { model, graph } = parseModel(bytes);
  refuseOutside(model);
  const mlOpset = declareOpsets(model);
  const binding = bindInputs(modelInputs(graph), columns);
  const signature: Signature = { inputs: boundColumns(binding, columns), output: signatureOutput(label) };
  const front = new GraphBuilder(`${ADOPTED_PREFIX}in/`);
  writeInputs(front, binding);
  const answer = await observeAnswer(model, { graph, front, binding, label, signature });
  const back = new GraphBuilder(`${ADOPTED_PREFIX}out/`);
  writeOutputs(back, { label, answer, mlOpset });
  model.graph = enclose(graph, front.build('front'), back.build('back'));
  model.metadataProps = ownMetadata(model, signature);
  return { bytes: toBinary(ModelProtoSchema, model), signature, operators: operatorsOf(graph) };
}

function parseModel(bytes: Uint8Array): { model: ModelProto; graph: GraphProto } {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new ModelRefusedError('its bytes are not an ONNX file', { cause });
  }
  const { graph } = model;
  // Protobuf takes many a file of something else for a message without known fields.
  if (graph === undefined || graph.node.length === 0)
    throw new ModelRefusedError('its bytes are not an ONNX file');
  return { model, graph };
}

/** Declares what the added nodes need where the model does not; gives the version of the classical operators. */
function declareOpsets(model: ModelProto): number {
  if (model.irVersion < OLDEST_IR_VERSION) model.irVersion = OLDEST_IR_VERSION;
  const version = (domain: string, wanted: number): number => {
    const found = model.opsetImport.find((opset) => opset.domain === domain);
    if (found !== undefined) return Number(found.version);
    model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: BigInt(wanted) }));
    return wanted;
  };
  const opset = version('', DECLARED_OPSET);
  if (opset < OLDEST_OPSET) {
    throw new ModelRefusedError(
      `it is written for opset ${opset}; export it for ${OLDEST_OPSET} or later (target_opset)`,
    );
  }
  return version(ML_DOMAIN, DECLARED_ML_OPSET);
}

interface Inside {
  graph: GraphProto;
  front: GraphBuilder;
  binding: InputBinding;
  label: FittedLabel;
  signature: Signature;
}

/**
 * How wide the answer really is, by a run on two rows of missing values: converters often leave a shape open, or state one that the model
 * does not keep to.
 */
async function observeAnswer(model: ModelProto, inside: Inside): Promise<Answer> {
  const { graph, front, label, signature } = inside;
  const name = answerOutput(modelOutputs(graph), label.kind);
  const asked = graph.output.filter((output) => output.name === name);
  const probed = create(ModelProtoSchema, {
    ...model,
    graph: { ...enclose(graph, front.build('front'), create(GraphProtoSchema)), output: asked },
  });
  const session = await openModel(toBinary(ModelProtoSchema, probed));
  try {
    const feeds = new Feeds(signature.inputs, ADOPTED_NAMES);
    const { [name]: result } = await session.run(feeds.of(feeds.missing(2))).catch(refuseWithReason);
    const dims = result !== undefined && 'dims' in result ? result.dims : [];
    if (dims[0] !== 2 || dims.length > 2) {
      throw new ModelRefusedError(
        `its output '${name}' has the shape [${dims.join(', ')}] for two rows; it must be [N] or [N, k]`,
      );
    }
    return { name, width: dims[1] ?? 1 };
  } finally {
    await session.release();
  }
}

function openModel(bytes: Uint8Array): Promise<RuntimeSession> {
  return RuntimeSession.open(bytes).catch(refuseWithReason);
}

/** ONNX Runtime's own words, which name the operator: the author of the model needs them. */
function refuseWithReason(error: unknown): never {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const words = cause instanceof Error ? cause.message : String(error);
  throw new ModelRefusedError(`ONNX Runtime cannot run it (${words.slice(0, 500)})`, { cause: error });
}

/** A graph with nodes in front and behind; their inputs and outputs are its own. */
function enclose(graph: GraphProto, front: GraphProto, back: GraphProto): GraphProto {
  const values = [...graph.input, ...graph.output];
  return create(GraphProtoSchema, {
    ...graph,
    node: [...front.node, ...graph.node, ...back.node],
    initializer: [...graph.initializer, ...front.initializer, ...back.initializer],
    input: front.input,
    output: back.output,
    // What was an input or output has a type that the runtime may need inside.
    valueInfo: [...graph.valueInfo, ...values.map((value) => create(ValueInfoProtoSchema, value))],
  });
}

/** The author's metadata is kept; what begins as ours does is not believed. */
function ownMetadata(model: ModelProto, signature: Signature) {
  const kept = model.metadataProps.filter(({ key }) => !key.startsWith(METADATA_PREFIX));
  const own = Object.fromEntries(kept.map(({ key, value }) => [key, value]));
  return metadataEntries('adopted', { ...own, ...adoptedMetadata(signature) }).map((entry) =>
    create(StringStringEntryProtoSchema, entry),
  );
}
