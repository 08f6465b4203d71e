import { ModelRefusedError } from '../errors.ts';
import { TensorProto_DataType as Type } from '../generated/onnx-ml_pb.ts';
import type { InspectionLimits } from './limits.ts';
import { shown } from './names.ts';
import type { SparseOutline, TensorOutline } from './outline.ts';

/** Bits of one element, by type; texts have no fixed size. */
const BITS: ReadonlyMap<number, number> = new Map([
  [Type.FLOAT, 32],
  [Type.UINT8, 8],
  [Type.INT8, 8],
  [Type.UINT16, 16],
  [Type.INT16, 16],
  [Type.INT32, 32],
  [Type.INT64, 64],
  [Type.BOOL, 8],
  [Type.FLOAT16, 16],
  [Type.DOUBLE, 64],
  [Type.UINT32, 32],
  [Type.UINT64, 64],
  [Type.COMPLEX64, 64],
  [Type.COMPLEX128, 128],
  [Type.BFLOAT16, 16],
  [Type.FLOAT8E4M3FN, 8],
  [Type.FLOAT8E4M3FNUZ, 8],
  [Type.FLOAT8E5M2, 8],
  [Type.FLOAT8E5M2FNUZ, 8],
  [Type.UINT4, 4],
  [Type.INT4, 4],
  [Type.FLOAT4E2M1, 4],
  [Type.FLOAT8E8M0, 8],
  [Type.UINT2, 2],
  [Type.INT2, 2],
  [Type.FLOAT6E2M3, 6],
  [Type.FLOAT6E3M2, 6],
]);

/**
 * Refuses tensors that are not what they say: whose numbers lie in another file, whose shape is impossible or larger than the limit, or whose bytes are more or fewer
 * than type and shape ask for. What a runtime would allocate is bounded by the file's own size then.
 *
 * @throws ModelRefusedError naming the tensor
 */
export function checkTensor(tensor: TensorOutline, limits: InspectionLimits): void {
  refuseOutside(tensor);
  if (tensor.segmented) refuse(tensor, 'is one segment of several, which is not taken');
  const elements = elementsOf(tensor, tensor.dims, limits);
  if (tensor.type === Number(Type.STRING)) {
    checkCount(tensor, { elements, expected: elements });
    return;
  }
  const bits = BITS.get(tensor.type);
  if (bits === undefined) return refuse(tensor, `is of the unknown type ${tensor.type}`);
  const bytes = (elements * BigInt(bits) + 7n) / 8n;
  refuseSize(tensor, bytes, limits);
  if (tensor.rawBytes !== null && tensor.elements !== null) refuse(tensor, 'holds its numbers twice');
  if (tensor.rawBytes === null)
    return checkCount(tensor, { elements, expected: entriesOf(tensor, elements, bits) });
  if (BigInt(tensor.rawBytes) !== bytes)
    refuse(tensor, `declares ${spoken(tensor.dims)}, which is ${bytes} bytes, and holds ${tensor.rawBytes}`);
}

/**
 * A sparse tensor is refused by what it would be when it is filled, since the runtime does that while it loads: a hundred bytes may declare any size.
 *
 * @throws ModelRefusedError
 */
export function checkSparse({ values, indices, dims }: SparseOutline, limits: InspectionLimits): void {
  if (values === undefined || indices === undefined)
    throw new ModelRefusedError('a sparse tensor of it has no values or no indices');
  checkTensor(values, limits);
  checkTensor(indices, limits);
  const bits = BITS.get(values.type);
  if (bits === undefined) return refuse(values, 'is sparse and holds no numbers');
  const bytes = (elementsOf(values, dims, limits) * BigInt(bits) + 7n) / 8n;
  refuseSize(values, bytes, limits);
}

function refuseOutside(tensor: TensorOutline): void {
  if (tensor.outside === null) return;
  const where = tensor.outside === '' ? 'another file' : `another file, ${shown(tensor.outside)}`;
  const { outside } = tensor;
  const escape = /(^|[/\\])\.\.([/\\]|$)/.test(outside)
    ? ", above the model's own folder"
    : /^([/\\]|[a-z]:|[a-z]+:\/\/)/i.test(outside)
      ? ', named by an absolute path'
      : '';
  refuse(
    tensor,
    `lies in ${where}${escape}; nothing outside the file is read: save the model as one file, without external data (torch.onnx.export: external_data=False)`,
  );
}

function elementsOf(tensor: TensorOutline, dims: readonly bigint[], limits: InspectionLimits): bigint {
  if (dims.length > limits.rank) refuse(tensor, `has more than ${limits.rank} dimensions`);
  const negative = dims.find((dim) => dim < 0n);
  if (negative !== undefined) refuse(tensor, `has a dimension of ${negative}`);
  // Of few dimensions, hence no more than 16 multiplications of 64-bit numbers: nothing overflows, as it does in C.
  return dims.reduce((product, dim) => product * dim, 1n);
}

function refuseSize(tensor: TensorOutline, bytes: bigint, limits: InspectionLimits): void {
  if (bytes <= BigInt(limits.tensorBytes)) return;
  refuse(tensor, `declares ${bytes} bytes; at most ${limits.tensorBytes} are taken`);
}

/** Entries of the field that a type's numbers are kept in, where they are not raw. */
function entriesOf(tensor: TensorOutline, elements: bigint, bits: number): bigint {
  if (tensor.type === Number(Type.COMPLEX64) || tensor.type === Number(Type.COMPLEX128)) return elements * 2n;
  // Types of less than a byte are packed into bytes, each of which is an entry.
  return bits < 8 ? (elements * BigInt(bits) + 7n) / 8n : elements;
}

function checkCount(
  tensor: TensorOutline,
  { elements, expected }: { elements: bigint; expected: bigint },
): void {
  const found = tensor.elements ?? 0;
  if (BigInt(Math.ceil(found)) === expected && Number.isInteger(found)) return;
  refuse(
    tensor,
    `declares ${spoken(tensor.dims)}, which is ${elements} values, and holds ${Math.floor(found)}`,
  );
}

function spoken(dims: readonly bigint[]): string {
  return `[${dims.join(', ')}]`;
}

function refuse(tensor: TensorOutline, problem: string): never {
  throw new ModelRefusedError(`its tensor ${shown(tensor.name)} ${problem}`);
}
