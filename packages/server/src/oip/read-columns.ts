import { InvalidRequestError, type InputColumn, type Signature } from '@perennial/contract';
import type { ColumnBatch, RawColumn } from '@perennial/onnx';
import { isStorableText, type ColumnInput } from '@perennial/serving';
import type { InferRequest, InputTensor } from './infer-request.ts';
import { booleanColumn, numberColumn, timestampColumn, wholeNumbers } from './read-numbers.ts';
import { textColumn, textsOf } from './read-texts.ts';

/** The tensor, or for a single row the parameter of the request, that says which entity each row is about. */
export const KEY_NAME = 'perennial.key';
const MAX_KEY_LENGTH = 256;

const refuse = (message: string) => new InvalidRequestError(message);

/**
 * The tensors of a request as the columns of a signature: one tensor for each, of shape `[rows]` or `[rows, 1]`, in any order.
 * @throws InvalidRequestError naming the tensor that does not fit
 */
export function readColumns(signature: Signature, request: InferRequest): ColumnInput {
  const tensors = new Map(request.inputs.map((tensor) => [tensor.name, tensor]));
  refuseUnknown(signature, tensors);
  const columns = Object.create(null) as ColumnBatch['columns'];
  let rows: number | undefined;
  for (const column of signature.inputs) {
    const tensor = tensors.get(column.name);
    if (tensor === undefined)
      throw refuse(`The tensor '${column.name}' is missing. ${listInputs(signature)}`);
    rows = checkRows(tensor, rows);
    columns[column.name] = readColumn(tensor, column);
  }
  const batch = { rows: rows ?? 0, columns };
  return { batch, keys: readKeys(signature, tensors, { request, rows: batch.rows }) };
}

function refuseUnknown({ inputs }: Signature, tensors: ReadonlyMap<string, InputTensor>): void {
  const known = new Set(inputs.map(({ name }) => name)).add(KEY_NAME);
  for (const name of tensors.keys())
    if (!known.has(name))
      throw refuse(`The model has no input '${name.slice(0, 80)}'. ${listInputs({ inputs })}`);
}

function listInputs({ inputs }: Pick<Signature, 'inputs'>): string {
  const names = inputs.slice(0, 30).map(({ name }) => name);
  const listed = inputs.length > names.length ? `${names.join(', ')}, …` : names.join(', ');
  return `Each column is a tensor of its own, of shape [rows] or [rows, 1]: ${listed}.`;
}

/** @throws InvalidRequestError where a tensor is no column, or has other rows than those before it */
function checkRows({ name, shape }: InputTensor, rows: number | undefined): number {
  const [length = 0, width] = shape;
  if (shape.length > 2 || (width !== undefined && width !== 1))
    throw refuse(`The tensor '${name}' must have the shape [rows] or [rows, 1], not [${shape.join(', ')}].`);
  if (rows !== undefined && rows !== length)
    throw refuse(`The tensor '${name}' has ${length} rows where those before it have ${rows}.`);
  return length;
}

function readColumn(tensor: InputTensor, { type }: InputColumn): RawColumn {
  switch (type) {
    case 'number':
      return numberColumn(tensor);
    case 'boolean':
      return booleanColumn(tensor);
    case 'timestamp':
      return timestampColumn(tensor);
    case 'text':
      return textColumn(tensor);
  }
}

function readKeys(
  { inputs }: Signature,
  tensors: ReadonlyMap<string, InputTensor>,
  { request, rows }: { request: InferRequest; rows: number },
): string[] | undefined {
  const parameter = request.parameters[KEY_NAME];
  // A model may have a column of that name: then there is no tensor for keys.
  const tensor = inputs.some(({ name }) => name === KEY_NAME) ? undefined : tensors.get(KEY_NAME);
  if (parameter !== undefined && tensor !== undefined)
    throw refuse(`Keys come in the tensor '${KEY_NAME}' or in the parameter, not in both.`);
  if (parameter !== undefined) return [keyOfOneRow(parameter, rows)];
  if (tensor === undefined) return undefined;
  checkRows(tensor, rows);
  const keys = tensor.datatype === 'BYTES' ? textsOf(tensor) : wholeNumbers(tensor).map(String);
  keys.forEach((key, row) => checkKey(key, `row ${row} of the tensor '${KEY_NAME}'`));
  return keys as string[];
}

function keyOfOneRow(parameter: unknown, rows: number): string {
  if (rows !== 1)
    throw refuse(`The parameter '${KEY_NAME}' is for one row: for ${rows} send a tensor of that name.`);
  checkKey(parameter, `the parameter '${KEY_NAME}'`);
  return parameter as string;
}

function checkKey(key: unknown, where: string): void {
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY_LENGTH || !isStorableText(key))
    throw refuse(
      `The key in ${where} must be a text of 1 to ${MAX_KEY_LENGTH} characters without NUL and unpaired surrogates.`,
    );
}
