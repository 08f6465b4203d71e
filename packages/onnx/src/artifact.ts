import {
  fittedLabelSchema,
  signatureSchema,
  type Calibration,
  type EncoderSpec,
  type FittedLabel,
  type Signature,
} from '@perennial/contract';
import { checkCalibration, writeCalibratedNetwork } from './calibration.ts';
import { outputTensors, signatureOutput, writeDecision } from './decision.ts';
import { ENCODER_KEY } from './encoder-file.ts';
import { writeEncoderNodes } from './encoder-graph.ts';
import { COLUMN_TENSORS } from './encoder-inputs.ts';
import { checkEncoderSpec } from './encoder-spec.ts';
import { ArtifactInvalidError } from './errors.ts';
import type { GraphProto } from './generated/onnx-ml_pb.ts';
import { GraphBuilder, isBorder, type BorderTensor } from './graph-builder.ts';
import { asJson, parseMetadata } from './metadata.ts';
import { METADATA_PREFIX, readModelFile, writeModelFile } from './model-file.ts';
import type { NetworkGraph, WeightTensor } from './network.ts';
import { columnInput } from './tensor-names.ts';
import { readWeights } from './weights.ts';

const SIGNATURE_KEY = `${METADATA_PREFIX}signature`;
const LABEL_KEY = `${METADATA_PREFIX}label`;
const CALIBRATION_KEY = `${METADATA_PREFIX}calibration`;

/** What an artifact is written from. */
export interface ArtifactParts {
  encoder: EncoderSpec;
  network: NetworkGraph;
  label: FittedLabel;
  /**
   * Of a classifier's probabilities; decisions are made on the calibrated ones.
   * @default none
   */
  calibration?: Calibration;
  /** Kept in the file's metadata as given; no key may begin with `perennial.`. */
  properties: Record<string, string>;
}

/** What an artifact's file says of itself. */
export interface ArtifactHeader {
  signature: Signature;
  encoder: EncoderSpec;
  label: FittedLabel;
  calibration: Calibration | null;
  properties: Record<string, string>;
}

/** An artifact with its network's weights, by `<layer>/<role>` (`dense_1/kernel`; the roles are the keys of the network's operations). */
export interface Artifact extends ArtifactHeader {
  weights: Map<string, WeightTensor>;
}

/**
 * Writes an artifact: an ONNX file from raw columns to decision, with the encoder's nodes, the network's layers, its calibration and the
 * outputs that the contract's signature names. Inputs have the columns' names; a column that is named as an output, or has a slash in its
 * name, or begins with `#`, enters as `#column/<name>`. Equal parts give equal bytes.
 *
 * @throws UnsupportedLayerError naming a layer that cannot be written.
 * @throws ArtifactInvalidError where the parts do not fit each other.
 */
export function writeArtifact(parts: ArtifactParts): Uint8Array {
  const encoder = checkEncoderSpec(parts.encoder);
  const label = checkLabel(parts.label);
  for (const key of Object.keys(parts.properties)) {
    if (key.startsWith(METADATA_PREFIX)) throw new ArtifactInvalidError(`the property '${key}' is reserved`);
  }
  const calibration = parts.calibration && checkCalibration(parts.calibration, label);
  const graph = new GraphBuilder();
  const encoded = writeEncoderNodes(graph, encoder);
  const { network } = parts;
  writeDecision(graph, label, writeCalibratedNetwork(graph, { network, calibration }, encoded));
  return writeModelFile('artifact', graph.build('artifact'), {
    ...parts.properties,
    [ENCODER_KEY]: JSON.stringify(encoder),
    [LABEL_KEY]: JSON.stringify(label),
    ...(calibration === undefined ? {} : { [CALIBRATION_KEY]: JSON.stringify(calibration) }),
    [SIGNATURE_KEY]: JSON.stringify(artifactSignature(encoder, label)),
  });
}

/**
 * Reads what an artifact says of itself, and its weights. It does not run it: that is {@link InferenceModel}'s.
 *
 * @throws ArtifactInvalidError where the bytes are no artifact, or its metadata and its graph contradict each other.
 */
export function readArtifact(bytes: Uint8Array): Artifact {
  const { header, graph } = readParts(bytes);
  return { ...header, weights: readWeights(graph) };
}

/** {@link readArtifact} without the weights: of a large network they are nearly all of the work. */
export function readArtifactHeader(bytes: Uint8Array): ArtifactHeader {
  return readParts(bytes).header;
}

function readParts(bytes: Uint8Array): { header: ArtifactHeader; graph: GraphProto } {
  const { graph, metadata } = readModelFile('artifact', bytes);
  const encoder = checkEncoderSpec(parseMetadata(metadata, ENCODER_KEY));
  const label = checkLabel(parseMetadata(metadata, LABEL_KEY));
  const signature = artifactSignature(encoder, label);
  const stored = signatureSchema.safeParse(parseMetadata(metadata, SIGNATURE_KEY));
  if (JSON.stringify(stored.data) !== JSON.stringify(signature)) {
    throw new ArtifactInvalidError('its signature is not the one of its encoder and label', {
      cause: stored.error,
    });
  }
  checkBorder('inputs', graph.input, signatureInputs(signature));
  checkBorder('outputs', graph.output, outputTensors(signature.output));
  const own = [...metadata].filter(([key]) => !key.startsWith(METADATA_PREFIX));
  const calibration = readCalibration(metadata, label);
  return { header: { signature, encoder, label, calibration, properties: Object.fromEntries(own) }, graph };
}

function readCalibration(metadata: ReadonlyMap<string, string>, label: FittedLabel): Calibration | null {
  if (!metadata.has(CALIBRATION_KEY)) return null;
  return checkCalibration(parseMetadata(metadata, CALIBRATION_KEY), label);
}

function artifactSignature(encoder: EncoderSpec, label: FittedLabel): Signature {
  return { inputs: encoder.columns, output: signatureOutput(label) };
}

function signatureInputs(signature: Signature): BorderTensor[] {
  return signature.inputs.map(({ name, type }) => ({
    name: columnInput(name),
    type: COLUMN_TENSORS[type],
    width: 1,
  }));
}

function checkBorder(side: string, found: GraphProto['input'], expected: BorderTensor[]): void {
  if (isBorder(found, expected)) return;
  const names = found.map(({ name }) => name).join(', ');
  throw new ArtifactInvalidError(
    `its graph's ${side} (${names.slice(0, 500)}) are not those of its signature`,
  );
}

function checkLabel(given: unknown): FittedLabel {
  const parsed = fittedLabelSchema.safeParse(given);
  if (!parsed.success) {
    throw new ArtifactInvalidError(`its label is wrong (${parsed.error.issues[0]?.message ?? 'unknown'})`, {
      cause: parsed.error,
    });
  }
  const label = asJson(parsed.data);
  if (label.kind === 'multiclass' && new Set(label.classes).size !== label.classes.length) {
    throw new ArtifactInvalidError('its label names a class twice');
  }
  return label;
}
