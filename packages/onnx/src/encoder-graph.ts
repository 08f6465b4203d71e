import type { EncoderSpec } from '@perennial/contract';
import { EncoderInputs } from './encoder-inputs.ts';
import { planEncoder } from './encoder-plan.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** The tensors an encoder's nodes end in. */
export interface EncodedTensors {
  /** float32 `[rows, width]`; null where the spec has no dense column. */
  dense: { tensor: string; width: number } | null;
  /** By embedding feature: int64 `[rows, 1]`, all below `size`. */
  indices: Map<string, { tensor: string; size: number }>;
}

/** Writes inputs and nodes of an encoder. The spec must have been checked. */
export function writeEncoderNodes(graph: GraphBuilder, spec: EncoderSpec): EncodedTensors {
  const plan = planEncoder(spec);
  const inputs = new EncoderInputs(graph, spec.columns);
  const blocks = plan.blocks.flatMap((block) => block.write(inputs));
  const width = plan.blocks.reduce((sum, block) => sum + block.columns.length, 0);
  const indices = new Map(
    plan.embeddings.map((embedding) => [
      embedding.feature,
      { tensor: embedding.write(inputs), size: embedding.size },
    ]),
  );
  return { dense: width === 0 ? null : { tensor: graph.sideBySide(blocks), width }, indices };
}
