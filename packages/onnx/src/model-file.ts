import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ArtifactInvalidError } from './errors.ts';
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type GraphProto,
  type ModelProto,
} from './generated/onnx-ml_pb.ts';
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

/** `adopted`: a model that a command left, with the platform's nodes round it. */
export type ModelKind = 'encoder' | 'artifact' | 'adopted';

/** Serialises a graph with its metadata. The bytes follow from the arguments alone: metadata is sorted by key, and no date is kept. */
export function writeModelFile(
  kind: ModelKind,
  graph: GraphProto,
  metadata: Record<string, string>,
): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'perennial',
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: ML_DOMAIN, version: ML_OPSET },
    ],
    graph,
    metadataProps: metadataEntries(kind, metadata),
  });
  return toBinary(ModelProtoSchema, model);
}

/** Metadata as a file holds it, with the marks of its kind. */
export function metadataEntries(
  kind: ModelKind,
  metadata: Record<string, string>,
): { key: string; value: string }[] {
  return Object.entries({ ...metadata, [FORMAT_KEY]: FORMAT, [KIND_KEY]: kind })
    .sort(byKeyOursLast)
    .map(([key, value]) => ({ key, value }));
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
  checkKind(metadata, kind);
  if (model.graph === undefined) throw new ArtifactInvalidError('it has no graph');
  return { graph: model.graph, metadata };
}

/** @throws ArtifactInvalidError where the metadata is that of another kind or format */
export function checkKind(metadata: ReadonlyMap<string, string>, kind: ModelKind): void {
  if (metadata.get(FORMAT_KEY) !== FORMAT) {
    throw new ArtifactInvalidError(
      `its format is '${metadata.get(FORMAT_KEY) ?? 'unknown'}', not '${FORMAT}'`,
    );
  }
  if (metadata.get(KIND_KEY) !== kind) {
    throw new ArtifactInvalidError(`it is an ${metadata.get(KIND_KEY) ?? 'unknown file'}, not an ${kind}`);
  }
}

/** The number of ModelProto's field for metadata: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const METADATA_FIELD = 14;

/**
 * A file's metadata without its graph, which is skipped over: of a large model that is nearly all of the bytes.
 *
 * @throws ArtifactInvalidError where the bytes are no ONNX file
 */
export function readMetadata(bytes: Uint8Array): Map<string, string> {
  const metadata = new Map<string, string>();
  try {
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [field, wire] = reader.tag();
      if (field === METADATA_FIELD && wire === WireType.LengthDelimited) {
        const { key, value } = fromBinary(StringStringEntryProtoSchema, reader.bytes());
        metadata.set(key, value);
      } else reader.skip(wire, field);
    }
  } catch (cause) {
    throw new ArtifactInvalidError('its bytes are not an ONNX file', { cause });
  }
  return metadata;
}

/** What a file says it is; undefined of a model from elsewhere. */
export function modelKind(bytes: Uint8Array): string | undefined {
  return readMetadata(bytes).get(KIND_KEY);
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new ArtifactInvalidError('its bytes are not an ONNX file', { cause });
  }
}
