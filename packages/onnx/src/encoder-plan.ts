import type { EncoderSpec, FittedFeature } from '@perennial/contract';
import { booleanColumns, writeBooleanBlock, type BooleanFeature } from './boolean-block.ts';
import { timestampColumns, writeTimestamp } from './calendar.ts';
import {
  categoryColumns,
  categorySize,
  writeCategoryIndex,
  writeOneHot,
  type CategoryFeature,
} from './category.ts';
import type { EncoderInputs } from './encoder-inputs.ts';
import { numericColumns, writeNumericBlock, type NumericFeature } from './numeric-block.ts';

/** Some neighbouring columns of the dense output, and how their nodes are written. */
export interface DenseBlock {
  columns: string[];
  /** Gives float32 tensors `[rows, …]` that side by side are the block's columns. */
  write(inputs: EncoderInputs): string[];
}

/** One feature that goes to an embedding layer, and how its indices (int64 `[rows, 1]`) are written. */
export interface EmbeddingPlan {
  feature: string;
  size: number;
  dimension: number;
  write(inputs: EncoderInputs): string;
}

export interface EncoderPlan {
  blocks: DenseBlock[];
  embeddings: EmbeddingPlan[];
}

/** What an encoder's outputs are. */
export interface EncoderLayout {
  /** Width of the `dense` output; 0 where there is none. */
  denseWidth: number;
  /**
   * What each dense column is, in order: numeric features (`distance`, then `distance:missing`), those with a logarithm, booleans
   * (`weekend`, then `weekend:missing`), timestamps (`date:hourOfDay:sin`, `date:hourOfDay:cos`, … `date:missing`), one-hot
   * categories (`origin:missing`, `origin:other`, `origin=ORD`, …). Within a kind, features are in the order of the spec.
   */
  denseColumns: string[];
  /**
   * The features that go to an embedding layer. `size` is the number of indices, all below it: vocabulary + 2 of a categorical
   * feature; of a crossed one the number of combinations, or `buckets` where that is smaller.
   */
  embeddings: { feature: string; size: number; dimension: number }[];
}

/** The outputs that an encoder of this spec has. */
export function encoderLayout(spec: EncoderSpec): EncoderLayout {
  const plan = planEncoder(spec);
  const denseColumns = plan.blocks.flatMap((block) => block.columns);
  const embeddings = plan.embeddings.map(({ feature, size, dimension }) => ({ feature, size, dimension }));
  return { denseWidth: denseColumns.length, denseColumns, embeddings };
}

/** Decides what is written for a spec. Layout and graph both come from here, so that they cannot disagree. */
export function planEncoder(spec: EncoderSpec): EncoderPlan {
  const numeric = spec.features.filter((feature) => feature.kind === 'numeric');
  const categories = spec.features.filter(isCategory);
  const blocks = [
    numericBlock(numeric.filter((feature) => !feature.log)),
    numericBlock(numeric.filter((feature) => feature.log)),
    booleanBlock(spec.features.filter((feature) => feature.kind === 'boolean')),
    ...spec.features.filter((feature) => feature.kind === 'timestamp').map(timestampBlock),
    ...categories.filter((feature) => feature.encoding.kind === 'oneHot').map(oneHotBlock),
  ];
  return {
    blocks: blocks.filter((block) => block.columns.length > 0),
    embeddings: categories.flatMap(embeddingPlan),
  };
}

function isCategory(feature: FittedFeature): feature is CategoryFeature {
  return feature.kind === 'categorical' || feature.kind === 'crossed';
}

function numericBlock(features: NumericFeature[]): DenseBlock {
  return {
    columns: numericColumns(features),
    write: (inputs) =>
      writeNumericBlock(
        inputs.graph,
        features,
        features.map(({ column }) => inputs.column(column).tensor),
      ),
  };
}

function booleanBlock(features: BooleanFeature[]): DenseBlock {
  return {
    columns: booleanColumns(features),
    write: (inputs) =>
      writeBooleanBlock(
        inputs.graph,
        features.map(({ column }) => inputs.column(column).tensor),
      ),
  };
}

function timestampBlock(feature: Extract<FittedFeature, { kind: 'timestamp' }>): DenseBlock {
  return {
    columns: timestampColumns(feature),
    write: (inputs) => writeTimestamp(inputs.graph, feature, inputs.column(feature.column).tensor),
  };
}

function oneHotBlock(feature: CategoryFeature): DenseBlock {
  return { columns: categoryColumns(feature), write: (inputs) => [writeOneHot(inputs, feature)] };
}

function embeddingPlan(feature: CategoryFeature): EmbeddingPlan[] {
  if (feature.encoding.kind !== 'embedding') return [];
  return [
    {
      feature: feature.name,
      size: categorySize(feature),
      dimension: feature.encoding.dimension,
      write: (inputs) => writeCategoryIndex(inputs, feature),
    },
  ];
}
