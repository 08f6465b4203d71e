import type { EncoderSpec } from '@perennial/contract';
import { writeEncoderNodes } from './encoder-graph.ts';
import { checkEncoderSpec } from './encoder-spec.ts';
import { GraphBuilder } from './graph-builder.ts';
import { parseMetadata } from './metadata.ts';
import { METADATA_PREFIX, readModelFile, writeModelFile } from './model-file.ts';
import { DENSE_OUTPUT, indicesOutput } from './tensor-names.ts';

export const ENCODER_KEY = `${METADATA_PREFIX}encoder`;

/**
 * Writes an encoder as an ONNX file: an input `[rows, 1]` for each raw column, an output `dense` (float32 `[rows, width]`; absent where
 * no feature is dense) and an output `indices/<feature>` (int64 `[rows, 1]`) for each embedding feature. {@link encoderLayout} says what
 * the columns are. Equal specs give equal bytes.
 *
 * @throws ArtifactInvalidError naming the feature that does not fit its column, or has a vocabulary with a repeated entry.
 */
export function writeEncoder(given: EncoderSpec): Uint8Array {
  const spec = checkEncoderSpec(given);
  const graph = new GraphBuilder();
  const { dense, indices } = writeEncoderNodes(graph, spec);
  if (dense !== null) graph.output(DENSE_OUTPUT, { ...dense, type: 'float32' });
  for (const [feature, { tensor }] of indices) {
    graph.output(indicesOutput(feature), { tensor, type: 'int64', width: 1 });
  }
  return writeModelFile('encoder', graph.build('encoder'), { [ENCODER_KEY]: JSON.stringify(spec) });
}

/** The spec that an encoder's file was written from. @throws ArtifactInvalidError where the bytes are no encoder. */
export function readEncoder(bytes: Uint8Array): EncoderSpec {
  const { metadata } = readModelFile('encoder', bytes);
  return checkEncoderSpec(parseMetadata(metadata, ENCODER_KEY));
}
