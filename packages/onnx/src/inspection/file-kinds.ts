/** How a file of a known kind begins, and what to do with it instead. */
interface FileKind {
  /** Where the mark begins. @default 0 */
  at?: number;
  mark: string | readonly number[];
  sentence: string;
}

const CONVERT_SCIKIT = 'convert the model with skl2onnx (to_onnx) or onnxmltools';
const PICKLE = `it is a Python pickle, which runs code when it is opened; ${CONVERT_SCIKIT}, or torch.onnx.export`;
const COMPRESSED = 'nothing is unpacked here, send the .onnx file itself';

/** Marks are those of the formats' own specifications; longer ones first where one begins as another. */
const KINDS: readonly FileKind[] = [
  {
    mark: 'PK\x03\x04',
    sentence: `it is a zip archive, as .npz, .keras and what torch.save writes are; ${COMPRESSED}, or export the model with torch.onnx.export or tf2onnx`,
  },
  { mark: 'PK\x05\x06', sentence: `it is an empty zip archive; ${COMPRESSED}` },
  { mark: [0x1f, 0x8b], sentence: `it is compressed with gzip; ${COMPRESSED}` },
  { mark: 'BZh', sentence: `it is compressed with bzip2; ${COMPRESSED}` },
  { mark: [0xfd, 0x37, 0x7a, 0x58, 0x5a], sentence: `it is compressed with xz; ${COMPRESSED}` },
  { mark: [0x28, 0xb5, 0x2f, 0xfd], sentence: `it is compressed with Zstandard; ${COMPRESSED}` },
  { mark: [0x37, 0x7a, 0xbc, 0xaf], sentence: `it is a 7-Zip archive; ${COMPRESSED}` },
  { at: 257, mark: 'ustar', sentence: `it is a tar archive; ${COMPRESSED}` },
  {
    mark: [0x89, 0x48, 0x44, 0x46],
    sentence: 'it is an HDF5 file, as Keras writes; export the model with tf2onnx',
  },
  { mark: [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], sentence: 'it is a NumPy array (.npy), and no model' },
  { mark: 'PAR1', sentence: 'it is a Parquet file, which holds data and no model' },
  { mark: 'GGUF', sentence: 'it is a GGUF file of a language model, which is not served here' },
  {
    at: 4,
    mark: 'TFL3',
    sentence: 'it is a TensorFlow Lite model; convert it with tf2onnx (--tflite)',
  },
  {
    at: 8,
    mark: '{"',
    sentence: 'it is a safetensors file: weights without a graph; export the whole model to ONNX',
  },
  {
    mark: 'version https://git-lfs',
    sentence: 'it is a pointer of Git LFS and not the file; fetch it with git lfs pull',
  },
  { mark: [0x80, 0x02], sentence: PICKLE },
  { mark: [0x80, 0x03], sentence: PICKLE },
  { mark: [0x80, 0x04], sentence: PICKLE },
  { mark: [0x80, 0x05], sentence: PICKLE },
  { mark: '{L', sentence: 'it is an XGBoost model in UBJSON; convert it with onnxmltools (convert_xgboost)' },
  {
    mark: '{',
    sentence: 'it is JSON, as XGBoost saves its models; convert it with onnxmltools (convert_xgboost)',
  },
  {
    mark: 'tree\n',
    sentence: "it is LightGBM's text form; convert it with onnxmltools (convert_lightgbm)",
  },
  { mark: '<', sentence: 'it is XML or HTML; check that the download was not an error page' },
  { mark: '\x7fELF', sentence: 'it is a program, and no model' },
  { mark: 'MZ', sentence: 'it is a program, and no model' },
  { mark: '%PDF', sentence: 'it is a PDF, and no model' },
];

/**
 * What a file that is no ONNX file is, told by how it begins, in a sentence that says what to do instead; undefined of a file that may be one. An ONNX file has no mark of its
 * own: it begins with the tag of any of its fields, and none of them is as these begin.
 */
export function otherFileKind(bytes: Uint8Array): string | undefined {
  return KINDS.find((kind) => begins(bytes, kind))?.sentence;
}

function begins(bytes: Uint8Array, { at = 0, mark }: FileKind): boolean {
  const marks = typeof mark === 'string' ? [...Buffer.from(mark, 'latin1')] : mark;
  return marks.every((byte, i) => bytes[at + i] === byte);
}
