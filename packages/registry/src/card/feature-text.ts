import type { CategoryEncoding, FeatureSpec, LabelSpec } from '@perennial/contract';
import { numberText } from '../document/number-text.ts';

/** The columns that a feature is made of. */
export function columnsOf(feature: FeatureSpec): string[] {
  return feature.kind === 'crossed' ? feature.columns : [feature.column];
}

/** How a feature is made, in words. */
export function describeFeature(feature: FeatureSpec): string {
  switch (feature.kind) {
    case 'numeric':
      return describeNumeric(feature);
    case 'boolean':
      return 'true or false, and whether it is missing';
    case 'categorical':
      return `at most ${numberText(feature.maxSize)} values${describeRest(feature)}`;
    case 'timestamp':
      return `${feature.parts.join(', ')}${feature.cyclic ? ', as positions on a circle' : ''}`;
    case 'crossed':
      return `combinations in ${numberText(feature.buckets)} buckets${describeRest(feature)}`;
  }
}

/** What the label is and, of a classifier, how it decides. The SQL it is made by is left to the caller: it has to be escaped. */
export function describeLabel(label: LabelSpec): string {
  switch (label.kind) {
    case 'binary':
      return `true or false; decided true at a probability of ${numberText(label.threshold)} and above`;
    case 'multiclass':
      return label.classes
        ? `one of ${label.classes.length} classes`
        : 'one of the classes found in the training rows';
    case 'regression':
      return 'a number';
  }
}

function describeNumeric(feature: Extract<FeatureSpec, { kind: 'numeric' }>): string {
  const { impute, missingIndicator, clip, log, scale } = feature;
  const steps = [`missing is ${typeof impute === 'number' ? numberText(impute) : `the ${impute}`}`];
  if (missingIndicator) steps.push('with a column that says so');
  if (clip?.min !== undefined) steps.push(`at least ${numberText(clip.min)}`);
  if (clip?.max !== undefined) steps.push(`at most ${numberText(clip.max)}`);
  if (log) steps.push('logarithm');
  if (scale === 'standard') steps.push('standardised');
  if (scale === 'minMax') steps.push('scaled to 0 to 1');
  return steps.join(', ');
}

function describeRest({ minCount, encoding }: { minCount: number; encoding: CategoryEncoding }): string {
  const rare = minCount === 1 ? '' : `, values seen fewer than ${numberText(minCount)} times set aside`;
  return `${rare}, ${describeEncoding(encoding)}`;
}

function describeEncoding(encoding: CategoryEncoding): string {
  switch (encoding.kind) {
    case 'embedding':
      return encoding.dimension === undefined
        ? 'embedded'
        : `embedded in ${count(encoding.dimension, 'dimension')}`;
    case 'oneHot':
      return 'one column each';
  }
}

function count(number: number, noun: string): string {
  return `${numberText(number)} ${noun}${number === 1 ? '' : 's'}`;
}
