import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ArtifactInvalidError } from './errors.ts';
import { ModelProtoSchema, type GraphProto, type ModelProto } from './generated/onnx-ml_pb.ts';
import { ML_DOMAIN } from './graph-builder.ts';

/**
 * ONNX 1.15 of October 2023: the first with exact Gelu and with numbers as LabelEncoder's keys, read by ONNX Runtime 1.17 and later.
 */
const IR_VERSION = 9n;
const OPSET = 20n;
const ML_OPSET = 4n;

/** Keys of the metadata that are ours begin so. */
export const METADATA_PREFIX = 'perennial.';

/** Version of what the metadata says and how. */
const FORMAT = '1';
const FORMAT_KEY = `${METADATA_PREFIX}format`;
const KIND_KEY = `${METADATA_PREFIX}kind`;

export type ModelKind = 'encoder' | 'artifact';

/** Serialises a graph with its metadata. The bytes follow from the arguments alone: metadata is sorted by key, and no date is kept. */
export function writeModelFile(
  kind: ModelKind,
  graph: GraphProto,
  metadata: Record<string, string>,
): Uint8Array {
  const entries = Object.entries({ ...metadata, [FORMAT_KEY]: FORMAT, [KIND_KEY]: kind }).sort(byKeyOursLast);
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'perennial',
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: ML_DOMAIN, version: ML_OPSET },
    ],
    graph,
    metadataProps: entries.map(([key, value]) => ({ key, value })),
  });
  return toBinary(ModelProtoSchema, model);
}

/** Our own metadata is what a file ends with: wherever it is cut off, something is missing that a reader asks for. */
function byKeyOursLast([a]: [string, string], [b]: [string, string]): number {
  const ours = Number(a.startsWith(METADATA_PREFIX)) - Number(b.startsWith(METADATA_PREFIX));
  return ours === 0 ? (a < b ? -1 : 1) : ours;
}

/** A file of ours, taken apart. */
export interface ModelFile {
  graph: GraphProto;
  metadata: Map<string, string>;
}

/**
 * Reads a file that {@link writeModelFile} has written.
 *
 * @throws ArtifactInvalidError where the bytes are no ONNX file, or one of another kind or format.
 */
export function readModelFile(kind: ModelKind, bytes: Uint8Array): ModelFile {
  const model = parse(bytes);
  const metadata = new Map(model.metadataProps.map(({ key, value }) => [key, value]));
  if (metadata.get(FORMAT_KEY) !== FORMAT) {
    throw new ArtifactInvalidError(
      `its format is '${metadata.get(FORMAT_KEY) ?? 'unknown'}', not '${FORMAT}'`,
    );
  }
  if (metadata.get(KIND_KEY) !== kind) {
    throw new ArtifactInvalidError(`it is an ${metadata.get(KIND_KEY) ?? 'unknown file'}, not an ${kind}`);
  }
  if (model.graph === undefined) throw new ArtifactInvalidError('it has no graph');
  return { graph: model.graph, metadata };
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new ArtifactInvalidError('its bytes are not an ONNX file', { cause });
  }
}
