import { columnTypeSchema, predictionModeSchema, type ColumnType } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { z } from 'zod';
import type { FramedPredictions, RecordedColumn, RecordedValues } from './column-record.ts';
import { COLUMNS_HEADER_BYTES, sealColumns } from './frame.ts';

/**
 * The payload of a frame of columns (numbers little endian, as every machine that ONNX Runtime is built for has them):
 *
 * | bytes | what |
 * | ----- | ---- |
 * | 4     | how many rows |
 * | 4     | length of the head |
 * | n     | the head, JSON: what is the same for all rows, and the names and kinds of what follows |
 * | …     | the ids: 16 bytes a row, or of the first row alone, when the others are counted from it |
 * | …     | the keys, where there are any; the features; the output: each as many bytes as the head says |
 *
 * A list of texts is a JSON array, numbers are as in a typed array: `f64`, `f32`, `i64` or `u8`.
 */
const sectionSchema = z.object({ as: z.enum(['f64', 'f32', 'i64', 'u8', 'json']), bytes: z.int().min(0) });
type Section = z.infer<typeof sectionSchema>;

const headSchema = z.object({
  same: z.object({
    model: z.string(),
    version: z.int(),
    endpoint: z.string(),
    mode: predictionModeSchema,
    latencyMicroseconds: z.int(),
    at: z.string(),
  }),
  ids: sectionSchema,
  keys: sectionSchema.nullable(),
  features: z.array(sectionSchema.extend({ name: z.string(), type: columnTypeSchema })),
  output: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('binary'), probability: sectionSchema, decision: sectionSchema }),
    z.object({
      kind: z.literal('multiclass'),
      classes: z.array(z.string()),
      probabilities: sectionSchema,
      decision: sectionSchema,
    }),
    z.object({ kind: z.literal('regression'), value: sectionSchema }),
  ]),
});
type Head = z.infer<typeof headSchema>;

/** Of the payload, before the head: two numbers. */
const PREFIX_BYTES = 8;

type Values = RecordedValues | Uint8Array | readonly (string | null)[];

/** Collects the bytes of sections until the length of all is known. */
class Sections {
  readonly parts: Uint8Array[] = [];
  bytes = 0;

  add(values: Values): Section {
    const { as, bytes } = bytesOf(values);
    this.parts.push(bytes);
    this.bytes += bytes.length;
    return { as, bytes: bytes.length };
  }
}

function bytesOf(values: Values): { as: Section['as']; bytes: Uint8Array } {
  if (values instanceof Float64Array) return { as: 'f64', bytes: view(values) };
  if (values instanceof Float32Array) return { as: 'f32', bytes: view(values) };
  if (values instanceof BigInt64Array) return { as: 'i64', bytes: view(values) };
  if (values instanceof Uint8Array) return { as: 'u8', bytes: values };
  return { as: 'json', bytes: Buffer.from(JSON.stringify(values)) };
}

function view({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Predictions as one sealed frame. */
export function columnsFrame(predictions: FramedPredictions): Buffer {
  const sections = new Sections();
  const head = Buffer.from(JSON.stringify(describe(predictions, sections)));
  const payloadBytes = PREFIX_BYTES + head.length + sections.bytes;
  const frame = Buffer.allocUnsafe(COLUMNS_HEADER_BYTES + payloadBytes);
  let at = frame.writeUInt32LE(predictions.rows, COLUMNS_HEADER_BYTES);
  at = frame.writeUInt32LE(head.length, at);
  for (const part of [head, ...sections.parts]) {
    frame.set(part, at);
    at += part.length;
  }
  sealColumns(frame, 0, payloadBytes);
  return frame;
}

/** The head; the sections are added in the order in which {@link readColumns} takes them. */
function describe(predictions: FramedPredictions, sections: Sections): Head {
  const { ids, keys, features, output } = predictions;
  const { model, version, endpoint, mode, latencyMicroseconds, at } = predictions;
  return {
    same: { model, version, endpoint, mode, latencyMicroseconds, at },
    ids: sections.add(ids),
    keys: keys === undefined ? null : sections.add(keys),
    features: features.map(({ name, type, values }) => ({ name, type, ...sections.add(values) })),
    output: describeOutput(output, sections),
  };
}

function describeOutput(output: OutputBatch, sections: Sections): Head['output'] {
  const { kind } = output;
  switch (kind) {
    case 'binary':
      return {
        kind,
        probability: sections.add(output.probability),
        decision: sections.add(output.decision),
      };
    case 'multiclass':
      return {
        kind,
        classes: output.classes,
        probabilities: sections.add(output.probabilities),
        decision: sections.add(output.decision),
      };
    case 'regression':
      return { kind, value: sections.add(output.value) };
  }
}

/** Takes sections off a payload, in the order they were added. */
class SectionReader {
  readonly #payload: Buffer;
  #at: number;

  constructor(payload: Buffer, at: number) {
    this.#payload = payload;
    this.#at = at;
  }

  take({ as, bytes }: Section): Values {
    const start = this.#at;
    this.#at += bytes;
    if (as === 'json') return JSON.parse(this.#payload.toString('utf8', start, this.#at)) as string[];
    // A copy, since a typed array must begin at a multiple of its element's size.
    const { buffer } = Uint8Array.from(this.#payload.subarray(start, this.#at));
    if (as === 'f64') return new Float64Array(buffer);
    if (as === 'f32') return new Float32Array(buffer);
    return as === 'i64' ? new BigInt64Array(buffer) : new Uint8Array(buffer);
  }
}

/** How many rows a sealed frame holds. */
export function columnsRows(frame: Buffer): number {
  return frame.readUInt32LE(COLUMNS_HEADER_BYTES);
}

/** What a sealed frame holds. */
export function readColumns(frame: Buffer): FramedPredictions {
  const payload = frame.subarray(COLUMNS_HEADER_BYTES);
  const headEnd = PREFIX_BYTES + payload.readUInt32LE(4);
  const head = headSchema.parse(JSON.parse(payload.toString('utf8', PREFIX_BYTES, headEnd)));
  const sections = new SectionReader(payload, headEnd);
  return {
    ...head.same,
    rows: payload.readUInt32LE(0),
    ids: sections.take(head.ids) as Uint8Array,
    keys: head.keys === null ? undefined : (sections.take(head.keys) as (string | null)[]),
    features: head.features.map(({ name, type, ...section }): RecordedColumn => ({
      name,
      type: type satisfies ColumnType,
      values: sections.take(section) as RecordedValues,
    })),
    output: readOutput(head.output, sections),
  };
}

function readOutput(output: Head['output'], sections: SectionReader): OutputBatch {
  const { kind } = output;
  switch (kind) {
    case 'binary':
      return {
        kind,
        probability: sections.take(output.probability) as Float32Array,
        decision: sections.take(output.decision) as Uint8Array,
      };
    case 'multiclass':
      return {
        kind,
        classes: output.classes,
        probabilities: sections.take(output.probabilities) as Float32Array,
        decision: sections.take(output.decision) as string[],
      };
    case 'regression':
      return { kind, value: sections.take(output.value) as Float32Array };
  }
}
