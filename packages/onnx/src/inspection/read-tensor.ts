import { TensorProto_DataLocation } from '../generated/onnx-ml_pb.ts';
import type { SparseOutline, TensorOutline } from './outline.ts';
import { fields, readMessage, readName, textOf, type Source } from './read-message.ts';
import { BYTES, WireReader, type Span } from './wire-reader.ts';

/** Numbers of the fields: https://github.com/onnx/onnx/blob/main/onnx/onnx-ml.proto */
const TENSOR = fields({
  1: 'dims varint*',
  2: 'data_type varint',
  3: 'segment bytes',
  4: 'float_data fixed32*',
  5: 'int32_data varint*',
  6: 'string_data bytes*',
  7: 'int64_data varint*',
  8: 'name bytes',
  9: 'raw_data bytes',
  10: 'double_data fixed64*',
  11: 'uint64_data varint*',
  13: 'external_data bytes*',
  14: 'data_location varint',
});
const SPARSE = fields({ 1: 'values bytes', 2: 'indices bytes', 3: 'dims varint*' });
const ENTRY = fields({ 1: 'key bytes', 2: 'value bytes' });

/** Dimensions that are kept of one tensor; one more than any limit tells that there are too many. */
const DIMS_KEPT = 64;

export function readTensor(source: Source, span: Span): TensorOutline {
  source.budget.take('tensors');
  const tensor: TensorOutline = {
    name: '',
    type: 0,
    dims: [],
    rawBytes: null,
    elements: null,
    outside: null,
    segmented: false,
  };
  readMessage({ source, span, what: TENSOR }, (field, reader) => {
    switch (field) {
      case 'dims':
        readDims(reader, source, tensor.dims);
        return true;
      case 'data_type':
        tensor.type = Number(reader.int64());
        return true;
      case 'segment':
        tensor.segmented = true;
        return false;
      case 'name':
        tensor.name = readName(reader, source, 'tensor');
        return true;
      case 'raw_data':
        tensor.rawBytes = lengthOf(reader.span());
        return true;
      case 'external_data':
        tensor.outside ??= '';
        readLocation(tensor, source, reader.span());
        return true;
      case 'data_location':
        if (Number(reader.int64()) === Number(TensorProto_DataLocation.EXTERNAL)) tensor.outside ??= '';
        return true;
      default:
        tensor.elements = (tensor.elements ?? 0) + countElements(field, reader);
        return true;
    }
  });
  return tensor;
}

export function readSparse(source: Source, span: Span): SparseOutline {
  const sparse: SparseOutline = { values: undefined, indices: undefined, dims: [] };
  readMessage({ source, span, what: SPARSE }, (field, reader) => {
    if (field === 'dims') readDims(reader, source, sparse.dims);
    else sparse[field as 'values' | 'indices'] = readTensor(source, reader.span());
    return true;
  });
  return sparse;
}

/** Repeated numbers are written one by one, or packed together; one by one in proto2 unless it is asked for. */
function readDims(reader: WireReader, source: Source, dims: bigint[]): void {
  if (reader.wire !== BYTES) {
    keepDim(dims, reader.int64());
    return;
  }
  const { start, end } = reader.span();
  // Numbers without tags are no message of their own: each is read by a reader that is put in front of it.
  let position = start;
  while (position < end) {
    let last = position;
    while (last < end && (source.bytes[last] ?? 0) >= 0x80) last += 1;
    const stop = Math.min(last + 1, end);
    keepDim(dims, new WireReader(source.bytes, { start: position, end: stop }).int64());
    position = stop;
  }
}

function keepDim(dims: bigint[], dim: bigint): void {
  if (dims.length < DIMS_KEPT) dims.push(dim);
}

function countElements(field: string, reader: WireReader): number {
  if (field === 'string_data' || reader.wire !== BYTES) {
    reader.skip();
    return 1;
  }
  switch (field) {
    case 'float_data':
      return lengthOf(reader.span()) / 4;
    case 'double_data':
      return lengthOf(reader.span()) / 8;
    default:
      return reader.countVarints();
  }
}

function readLocation(tensor: TensorOutline, source: Source, span: Span): void {
  let key = '';
  let value: Span = { start: 0, end: 0 };
  readMessage({ source, span, what: ENTRY }, (field, reader) => {
    const found = reader.span();
    if (field === 'key') key = textOf(source, clipped(found), 'key of external data');
    else value = found;
    return true;
  });
  if (key === 'location') tensor.outside = textOf(source, clipped(value), 'location of external data');
}

/** The beginning of a text, which an error shows at most. */
function clipped({ start, end }: Span): Span {
  return { start, end: Math.min(end, start + 200) };
}

function lengthOf({ start, end }: Span): number {
  return end - start;
}
