import { InvalidRequestError } from '@perennial/contract';
import { isLosslessNumber, parse as parseLossless } from 'lossless-json';
import { MalformedJsonError } from '../errors.ts';
import { DATATYPES, ELEMENT_BYTES, type Datatype } from './datatypes.ts';

/** A tensor as it was sent: its elements as JSON has them, row by row, or as bytes. */
export interface InputTensor {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  /** How many the shape says. */
  elements: number;
  data: { json: readonly unknown[] } | { bytes: Uint8Array };
}

export interface RequestedOutput {
  name: string;
  binary: boolean;
}

export interface InferRequest {
  id: string | undefined;
  parameters: Json;
  inputs: readonly InputTensor[];
  /** Undefined: every output of the model. */
  outputs: readonly RequestedOutput[] | undefined;
  /** Whether outputs that do not say otherwise go as bytes. */
  binaryOutput: boolean;
}

type Json = Record<string, unknown>;

/** Most elements that a tensor may have: far above what a body of any size that is taken can hold. */
const MAX_ELEMENTS = 2 ** 32;
/** Most tensors of a request. */
const MAX_TENSORS = 10_000;

const refuse = (message: string) => new InvalidRequestError(message);

/**
 * Reads a request for an inference: JSON, or JSON of `headerLength` bytes and behind it the tensors' bytes in their order. The body is used up: tensors are views of it, and
 * its bytes may have been moved.
 * @throws InvalidRequestError, MalformedJsonError
 */
export function readInferRequest(body: Buffer, headerLength: number | undefined): InferRequest {
  const length = headerLength ?? body.length;
  if (length > body.length)
    throw refuse(
      `Inference-Header-Content-Length is ${length}, and the body has no more than ${body.length} bytes.`,
    );
  const root = parseJson(body.toString('utf8', 0, length));
  if (!isObject(root)) throw refuse('The request must be an object.');
  const parameters = objectOf(root['parameters'], 'parameters');
  const id = root['id'];
  if (id !== undefined && typeof id !== 'string') throw refuse('id must be a text.');
  const binaryOutput = flag(parameters, 'binary_data_output', 'parameters') ?? false;
  return {
    id,
    parameters,
    inputs: readInputs(root['inputs'], new BytesBehind(body, length)),
    outputs: readOutputs(root['outputs'], binaryOutput),
    binaryOutput,
  };
}

/** The length of the JSON before binary tensors, by its header. @throws InvalidRequestError */
export function headerLengthOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (!/^\d{1,15}$/.test(header))
    throw refuse('Inference-Header-Content-Length must be a whole number of bytes.');
  const length = Number(header);
  if (length === 0)
    throw refuse(
      'Inference-Header-Content-Length is 0: a body of nothing but bytes does not say what they are.',
    );
  return length;
}

/**
 * JavaScript's numbers are exact up to 2^53. Where a tensor of 64-bit integers has a larger one, the text is read again by a parser that keeps every digit, and takes ten times as
 * long.
 */
function parseJson(text: string): unknown {
  try {
    const parsed = JSON.parse(text) as unknown;
    return hasLargeIntegers(parsed) ? parseLossless(text, revive) : parsed;
  } catch (cause) {
    throw new MalformedJsonError({ cause });
  }
}

/** Numbers of many digits as a bigint where they are whole, and all others as JSON.parse has them. */
function revive(_key: string, value: unknown): unknown {
  if (!isLosslessNumber(value)) return value;
  const number = Number(value.value);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(value.value) ? number : BigInt(value.value);
}

function hasLargeIntegers(root: unknown): boolean {
  if (!isObject(root) || !Array.isArray(root['inputs'])) return false;
  return root['inputs'].some(
    (input: unknown) =>
      isObject(input) &&
      (input['datatype'] === 'INT64' || input['datatype'] === 'UINT64') &&
      holdsLarge(input['data']),
  );
}

/** Nested lists are opened one after another, and not by recursion, which a list nested deeply would make too deep. */
function holdsLarge(data: unknown): boolean {
  const open = [data];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!Array.isArray(next)) continue;
    for (const value of next as unknown[]) {
      if (Array.isArray(value)) open.push(value);
      else if (typeof value === 'number' && !Number.isSafeInteger(value)) return true;
    }
  }
  return false;
}

/** Every element's size divides it. */
const ALIGNMENT = 8;

/** What lies behind the JSON, handed out in order. */
class BytesBehind {
  readonly #body: Buffer;
  #at: number;

  /**
   * The bytes are moved over the end of the JSON, which is read by then, to where 8-byte elements can be seen in place: once within the body, where a copy of each of 20 tensors takes a
   * third of the time of their inference.
   */
  constructor(body: Buffer, start: number) {
    const shift = (body.byteOffset + start) % ALIGNMENT;
    const movable = start < body.length && shift <= start;
    if (movable && shift > 0) body.copyWithin(start - shift, start);
    this.#body = movable ? body.subarray(0, body.length - shift) : body;
    this.#at = movable ? start - shift : start;
  }

  take(bytes: number, name: string): Uint8Array {
    const left = this.#body.length - this.#at;
    if (bytes > left)
      throw refuse(`The tensor '${name}' has ${bytes} bytes by its binary_data_size, and ${left} are left.`);
    const taken = this.#body.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return taken;
  }

  end(): void {
    const left = this.#body.length - this.#at;
    if (left > 0) throw refuse(`The body has ${left} bytes more than its tensors.`);
  }
}

function readInputs(given: unknown, behind: BytesBehind): InputTensor[] {
  if (!Array.isArray(given) || given.length === 0) throw refuse('inputs must be a list of tensors.');
  if (given.length > MAX_TENSORS) throw refuse(`inputs must be ${MAX_TENSORS} tensors at most.`);
  const inputs = given.map((input: unknown, index) => readInput(input, `inputs[${index}]`, behind));
  behind.end();
  refuseTwice(
    inputs.map(({ name }) => name),
    'inputs',
  );
  return inputs;
}

function readInput(given: unknown, path: string, behind: BytesBehind): InputTensor {
  if (!isObject(given)) throw refuse(`${path} must be an object.`);
  const name = nameOf(given, path);
  const datatype = given['datatype'] as Datatype;
  if (!DATATYPES.includes(datatype))
    throw refuse(`${path}.datatype ('${name}') must be one of ${DATATYPES.join(', ')}.`);
  const { shape, elements } = readShape(given['shape'], `${path}.shape ('${name}')`);
  const parameters = objectOf(given['parameters'], `${path}.parameters`);
  refuseSharedMemory(parameters, name);
  const about = { name, datatype, shape, elements };
  const size = parameters['binary_data_size'];
  if (size === undefined) return { ...about, data: { json: flatten(given['data'], about) } };
  if (given['data'] !== undefined)
    throw refuse(`The tensor '${name}' has both data and binary_data_size: it must have one of them.`);
  return { ...about, data: { bytes: behind.take(checkSize(size, about), name) } };
}

interface About {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  elements: number;
}

function checkSize(size: unknown, { name, datatype, elements }: About): number {
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw refuse(`binary_data_size of the tensor '${name}' must be a whole number of bytes.`);
  if (datatype === 'BYTES') return size;
  const expected = elements * ELEMENT_BYTES[datatype];
  if (size !== expected)
    throw refuse(
      `binary_data_size of the tensor '${name}' is ${size}, and ${elements} elements of ${datatype} are ${expected} bytes.`,
    );
  return size;
}

function readShape(given: unknown, path: string): { shape: number[]; elements: number } {
  if (!Array.isArray(given) || given.length === 0 || given.length > 8)
    throw refuse(`${path} must be a list of 1 to 8 dimensions.`);
  let elements = 1;
  for (const dimension of given as unknown[]) {
    if (typeof dimension !== 'number' || !Number.isSafeInteger(dimension) || dimension < 0)
      throw refuse(`${path} must hold whole numbers from 0 on.`);
    elements *= dimension;
    if (elements > MAX_ELEMENTS) throw refuse(`${path} is of too many elements.`);
  }
  return { shape: given as number[], elements };
}

/** The elements row by row, of a list that is flat already or nested as the shape is. */
function flatten(data: unknown, { name, shape, elements }: About): readonly unknown[] {
  if (data === undefined)
    throw refuse(`The tensor '${name}' has no data: it must have data or binary_data_size.`);
  if (!Array.isArray(data)) throw refuse(`data of the tensor '${name}' must be a list.`);
  const [rows, ...inner] = shape;
  const wrong = () =>
    refuse(
      `data of the tensor '${name}' does not have the shape [${shape.join(', ')}]: ${elements} elements are needed.`,
    );
  let level = data as readonly unknown[];
  if (level.some(Array.isArray)) {
    if (level.length !== rows) throw wrong();
    for (const length of inner) level = openLists(level, { name, length });
  }
  if (level.length !== elements || level.some(Array.isArray)) throw wrong();
  return level;
}

function openLists(lists: readonly unknown[], { name, length }: { name: string; length: number }): unknown[] {
  return lists.flatMap((list) => {
    if (!Array.isArray(list) || list.length !== length)
      throw refuse(`data of the tensor '${name}' is not nested as its shape says.`);
    return list as unknown[];
  });
}

function readOutputs(given: unknown, binaryOutput: boolean): RequestedOutput[] | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given)) throw refuse('outputs must be a list.');
  if (given.length > MAX_TENSORS) throw refuse(`outputs must be ${MAX_TENSORS} tensors at most.`);
  if (given.length === 0) return undefined;
  const outputs = given.map((output: unknown, index) =>
    readOutput(output, `outputs[${index}]`, binaryOutput),
  );
  refuseTwice(
    outputs.map(({ name }) => name),
    'outputs',
  );
  return outputs;
}

function readOutput(given: unknown, path: string, binaryOutput: boolean): RequestedOutput {
  if (!isObject(given)) throw refuse(`${path} must be an object.`);
  const name = nameOf(given, path);
  const parameters = objectOf(given['parameters'], `${path}.parameters`);
  refuseSharedMemory(parameters, name);
  const classes = parameters['classification'];
  if (classes !== undefined && classes !== 0)
    throw refuse(
      `The output '${name}' was asked for as classes: the classification extension is not offered.`,
    );
  return { name, binary: flag(parameters, 'binary_data', `${path}.parameters`) ?? binaryOutput };
}

function refuseSharedMemory(parameters: Json, name: string): void {
  if (parameters['shared_memory_region'] !== undefined)
    throw refuse(`The tensor '${name}' is in shared memory: the shared memory extensions are not offered.`);
}

function refuseTwice(names: readonly string[], where: string): void {
  const twice =
    names.length === new Set(names).size ? undefined : names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw refuse(`${where} has the tensor '${twice}' twice.`);
}

function nameOf(given: Json, path: string): string {
  const name = given['name'];
  if (typeof name !== 'string' || name === '' || name.length > 256)
    throw refuse(`${path}.name must be a text of 1 to 256 characters.`);
  return name;
}

function flag(parameters: Json, name: string, path: string): boolean | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw refuse(`${path}.${name} must be true or false.`);
}

function objectOf(value: unknown, path: string): Json {
  if (value === undefined) return {};
  if (!isObject(value)) throw refuse(`${path} must be an object.`);
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
