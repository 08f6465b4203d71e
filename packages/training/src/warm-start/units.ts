import type { EncoderSpec, FittedFeature, FittedLabel } from '@perennial/contract';
import { encoderLayout, type EncoderLayout, type WeightTensor } from '@perennial/onnx';
import { DENSE_INPUT } from '../network/layout.ts';
import type { LayerUse } from '../network/walk.ts';

/** A network's data and weights at one time: now, or when the champion was made. */
export interface Era {
  encoder: EncoderSpec;
  label: FittedLabel;
  /** A weight by layer and role, where there is one. */
  weight(layer: string, role: string): WeightTensor | undefined;
}

/** What is known of one number between two layers: the same key means the same thing in both eras. */
export interface Unit {
  key: string;
  /** Its feature, where it is a numeric one's value as the encoder gave it. */
  numeric?: NumericFeature;
}
export type NumericFeature = Extract<FittedFeature, { kind: 'numeric' }>;

/** For each use of a layer, the units it reads (all inputs side by side) and gives. */
export type UnitMap = Map<string, { reads: Unit[]; gives: Unit[] }>;

/**
 * Names what flows through a network in one era: which column or embedding each row of a layer's kernel belongs to. Made for both eras over
 * the same layers, this is how weights find their place after a column or a vocabulary has changed.
 */
export function nameUnits(uses: readonly LayerUse[], output: string, era: Era): UnitMap {
  const layout = encoderLayout(era.encoder);
  const known: UnitMap = new Map();
  const unitsOf = (name: string): Unit[] => known.get(name)?.gives ?? inputUnits(name, layout, era.encoder);
  for (const use of uses) {
    const reads = use.inputs.flatMap(unitsOf);
    known.set(use.name, { reads, gives: given(use, reads, { era, layout, output }) });
  }
  return known;
}

/** Only the dense input has units of its own; an index means nothing before its embedding. */
function inputUnits(name: string, { denseColumns }: EncoderLayout, { features }: EncoderSpec): Unit[] {
  if (name !== DENSE_INPUT) return [];
  const numeric = new Map(
    features.filter((feature) => feature.kind === 'numeric').map((feature) => [feature.name, feature]),
  );
  return denseColumns.map((column) => {
    const feature = numeric.get(column);
    if (feature === undefined) return { key: `dense ${column}` };
    return { key: `dense ${column}${feature.log ? ' log' : ''}`, numeric: feature };
  });
}

interface Place {
  era: Era;
  layout: EncoderLayout;
  output: string;
}

function given(use: LayerUse, reads: Unit[], { era, output }: Place): Unit[] {
  switch (use.layer.getClassName()) {
    case 'Dense':
      if (use.name === output && era.label.kind === 'multiclass')
        return era.label.classes.map((name) => ({ key: `class ${name}` }));
      return numbered(use.name, era.weight(use.name, 'kernel')?.shape[1] ?? 0);
    case 'Embedding':
      return numbered(use.name, era.weight(use.name, 'table')?.shape[1] ?? 0);
    case 'Add':
      return numbered(use.name, reads.length / use.inputs.length);
    case 'BatchNormalization':
    case 'LayerNormalization':
      return reads.map(({ key }) => ({ key: `normalized ${key}` }));
    case 'Concatenate':
    case 'Dropout':
    case 'Flatten':
      return reads;
    default:
      return reads.map(({ key }) => ({ key: `activated ${key}` }));
  }
}

function numbered(name: string, count: number): Unit[] {
  return Array.from({ length: count }, (_, i) => ({ key: `${name}[${i}]` }));
}
