import { isUtf8 } from 'node:buffer';
import { InvalidRequestError } from '@perennial/contract';
import { MAX_TEXT_LENGTH, isStorableText } from '@perennial/serving';
import type { InputTensor } from './infer-request.ts';

const refuse = (message: string) => new InvalidRequestError(message);

/** Bytes of the length before each text of a binary tensor. */
const PREFIX_BYTES = 4;

/** A text column, of BYTES alone; null and the empty text are missing. @throws InvalidRequestError */
export function textColumn(tensor: InputTensor): string[] {
  if (tensor.datatype !== 'BYTES')
    throw refuse(`The tensor '${tensor.name}' is text and must be BYTES, not ${tensor.datatype}.`);
  return textsOf(tensor).map((text, row) => {
    if (text === null) return '';
    if (text.length > MAX_TEXT_LENGTH)
      throw refuse(
        `Row ${row} of the tensor '${tensor.name}' must be text of at most ${MAX_TEXT_LENGTH} characters, not ${text.length}.`,
      );
    if (!isStorableText(text))
      throw refuse(
        `Row ${row} of the tensor '${tensor.name}' must be text without NUL characters and unpaired surrogates.`,
      );
    return text;
  });
}

/** The texts of a tensor of BYTES; null where JSON has null. @throws InvalidRequestError */
export function textsOf({ name, data, elements }: InputTensor): (string | null)[] {
  if ('bytes' in data) return decodeTexts(data.bytes, { name, elements });
  const wrong = data.json.findIndex((value) => typeof value !== 'string' && value !== null);
  if (wrong !== -1) throw refuse(`Row ${wrong} of the tensor '${name}' must be text or null.`);
  return data.json as (string | null)[];
}

function decodeTexts(bytes: Uint8Array, { name, elements }: { name: string; elements: number }): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Each takes four bytes at least, so that a list is never made for a shape that the bytes cannot fill.
  if (elements * PREFIX_BYTES > buffer.length)
    throw refuse(`The tensor '${name}' ends before its ${elements} texts do.`);
  const texts: string[] = [];
  let at = 0;
  for (let row = 0; row < elements; row++) {
    const start = at + PREFIX_BYTES;
    const end = start <= buffer.length ? start + buffer.readUInt32LE(at) : Infinity;
    if (end > buffer.length) throw refuse(`The tensor '${name}' ends within its row ${row}.`);
    const text = buffer.subarray(start, end);
    // Decoding would put U+FFFD for what is not UTF-8, and a prediction would be made for a value that nobody sent.
    if (!isUtf8(text)) throw refuse(`Row ${row} of the tensor '${name}' is not UTF-8.`);
    texts.push(text.toString('utf8'));
    at = end;
  }
  if (at < buffer.length)
    throw refuse(`The tensor '${name}' has ${buffer.length - at} bytes more than its ${elements} texts.`);
  return texts;
}
