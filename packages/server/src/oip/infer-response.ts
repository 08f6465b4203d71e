import { InvalidRequestError, formatId, type Signature } from '@perennial/contract';
import { rowId, type ColumnAnswer } from '@perennial/serving';
import type { Datatype } from './datatypes.ts';
import type { InferRequest, RequestedOutput } from './infer-request.ts';

/** The parameter of an answer that has the id of its first row; and the output, for who asks for it, that has every row's. */
export const ID_NAME = 'perennial.prediction_id';

/** The parameter of an answer that says whether it was computed for this request (`live`) or kept from earlier ones (`cached`). */
export const MODE_NAME = 'perennial.mode';

/** An output as a model's metadata has it. */
export interface OutputDescription {
  name: string;
  datatype: Datatype;
  shape: number[];
  parameters?: Record<string, string>;
}

/** What a version gives, by its signature; `-1` stands for the rows. */
export function describeOutputs({ output }: Pick<Signature, 'output'>): OutputDescription[] {
  switch (output.kind) {
    case 'binary':
      return [
        { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
        { name: 'decision', datatype: 'BOOL', shape: [-1, 1] },
      ];
    case 'multiclass':
      return [
        {
          name: 'probabilities',
          datatype: 'FP32',
          shape: [-1, output.classes.length],
          // Parameters hold no lists.
          parameters: { classes: JSON.stringify(output.classes) },
        },
        { name: 'decision', datatype: 'BYTES', shape: [-1, 1] },
      ];
    case 'regression':
      return [{ name: 'value', datatype: 'FP32', shape: [-1, 1] }];
  }
}

/**
 * The outputs that a request asks for, of those that there are; all of the model's where it says nothing.
 * @throws InvalidRequestError when there is none of a name
 */
export function selectOutputs(signature: Signature, request: InferRequest): readonly RequestedOutput[] {
  const names = describeOutputs(signature).map(({ name }) => name);
  if (request.outputs === undefined) return names.map((name) => ({ name, binary: request.binaryOutput }));
  const unknown = request.outputs.find(({ name }) => name !== ID_NAME && !names.includes(name));
  if (unknown !== undefined)
    throw new InvalidRequestError(
      `The model has no output '${unknown.name.slice(0, 80)}'. It has ${[...names, ID_NAME].join(', ')}.`,
    );
  return request.outputs;
}

export interface InferResponse {
  body: string | Buffer;
  /** Bytes of the JSON before binary tensors; undefined where there are none. */
  headerLength: number | undefined;
}

interface OutputTensor {
  name: string;
  datatype: Datatype;
  shape: number[];
  values: Float32Array | Uint8Array | readonly string[];
}

/** An answer as JSON, and behind it the bytes of the outputs that were asked for so. */
export function writeInferResponse(
  answer: ColumnAnswer,
  { id, outputs }: { id: string | undefined; outputs: readonly RequestedOutput[] },
): InferResponse {
  const buffers: Uint8Array[] = [];
  const tensors = outputs.map(({ name, binary }) => {
    const { values, ...about } = outputTensor(answer, name);
    if (!binary) return { ...about, data: jsonValues(about.datatype, values) };
    const bytes = bytesOf(values);
    buffers.push(bytes);
    return { ...about, parameters: { binary_data_size: bytes.byteLength } };
  });
  const header = JSON.stringify({
    model_name: answer.model,
    model_version: String(answer.version),
    ...(id === undefined ? {} : { id }),
    parameters: { [ID_NAME]: formatId('prediction', answer.firstId), [MODE_NAME]: answer.mode },
    outputs: tensors,
  });
  if (buffers.length === 0) return { body: header, headerLength: undefined };
  const head = Buffer.from(header, 'utf8');
  return { body: Buffer.concat([head, ...buffers]), headerLength: head.length };
}

function outputTensor({ output, rows, firstId }: ColumnAnswer, name: string): OutputTensor {
  const shape = [rows, 1];
  if (name === ID_NAME) {
    const values = Array.from({ length: rows }, (_, row) => formatId('prediction', rowId(firstId, row)));
    return { name, datatype: 'BYTES', shape, values };
  }
  switch (output.kind) {
    case 'binary':
      return name === 'decision'
        ? { name, datatype: 'BOOL', shape, values: output.decision }
        : { name, datatype: 'FP32', shape, values: output.probability };
    case 'multiclass':
      return name === 'decision'
        ? { name, datatype: 'BYTES', shape, values: output.decision }
        : { name, datatype: 'FP32', shape: [rows, output.classes.length], values: output.probabilities };
    case 'regression':
      return { name, datatype: 'FP32', shape, values: output.value };
  }
}

function jsonValues(datatype: Datatype, values: OutputTensor['values']): readonly unknown[] {
  return datatype === 'BOOL' ? Array.from(values as Uint8Array, Boolean) : Array.from<unknown>(values);
}

function bytesOf(values: OutputTensor['values']): Uint8Array {
  if (Array.isArray(values)) return bytesOfTexts(values as readonly string[]);
  const { buffer, byteOffset, byteLength } = values as Float32Array | Uint8Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Each text behind its length in four bytes, little endian. */
function bytesOfTexts(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text, 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}
