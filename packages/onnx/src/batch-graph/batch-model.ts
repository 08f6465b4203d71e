import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { InputColumn } from '@perennial/contract';
import { ArtifactInvalidError } from '../errors.ts';
import { ModelProtoSchema } from '../generated/onnx-ml_pb.ts';
import { isNumber, opsetOf } from '../packed-numbers.ts';
import type { BorderNames } from '../tensor-names.ts';
import { codeTexts } from './coded-texts.ts';
import { imputeRarely } from './impute-rarely.ts';
import { planarNumbers } from './planar-numbers.ts';
import { widenScalars } from './wide-scalars.ts';

/** Of the operators that are moved, the last to take its present form was IsNaN, and Clip's bounds came before it. */
const OLDEST_OPSET = 13;

export interface BatchModel {
  bytes: Uint8Array;
  /** Columns of the planar input, one after another; none where numbers enter as they did. */
  planar: readonly string[];
}

/** The same model for batches of thousands of rows: texts coded, numbers column after column, and the same answers to the bit. */
export function batchModel(
  bytes: Uint8Array,
  columns: readonly InputColumn[],
  names: BorderNames,
): BatchModel {
  const model = fromBinary(ModelProtoSchema, bytes);
  const { graph } = model;
  if (graph === undefined) throw new ArtifactInvalidError('it has no graph');
  const texts = columns.filter(({ type }) => type === 'text');
  codeTexts(graph, new Set(texts.map(({ name }) => names.column(name))));
  const numbers = columns.filter(isNumber).map(({ name }) => name);
  const planar = numbers.length > 1 && opsetOf(model) >= OLDEST_OPSET ? numbers : [];
  if (planar.length > 0) {
    planarNumbers(graph, planar.map(names.column));
    imputeRarely(graph);
  }
  widenScalars(graph);
  return { bytes: toBinary(ModelProtoSchema, model), planar };
}
