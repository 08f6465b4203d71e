import { RESERVED_PREFIX } from './graph-builder.ts';

/** Output of an encoder's file: the float columns. */
export const DENSE_OUTPUT = 'dense';

/** Output of an encoder's file: the indices of an embedding feature. Features often are named as their column, hence the prefix. */
export function indicesOutput(feature: string): string {
  return `indices/${feature}`;
}

/** Outputs of an artifact, by the contract's signature. */
export const PROBABILITY_OUTPUT = 'probability';
export const PROBABILITIES_OUTPUT = 'probabilities';
export const DECISION_OUTPUT = 'decision';
export const VALUE_OUTPUT = 'value';

const OUTPUT_NAMES: readonly string[] = [
  DENSE_OUTPUT,
  PROBABILITY_OUTPUT,
  PROBABILITIES_OUTPUT,
  DECISION_OUTPUT,
  VALUE_OUTPUT,
];

/**
 * Input of a raw column: its own name, unless that is an output's, holds a slash as weights' names do, or begins as the writer's own
 * names do; a graph has one name space for all of them. Then it is `#column/<name>`.
 */
export function columnInput(column: string): string {
  const taken = OUTPUT_NAMES.includes(column) || column.includes('/') || column.startsWith(RESERVED_PREFIX);
  return taken ? `${RESERVED_PREFIX}column/${column}` : column;
}

/** What the platform adds to a model that a command left is named so: a prefix of its own, since the model's names are anything. */
export const ADOPTED_PREFIX = `${RESERVED_PREFIX}adopted/`;

/** How the tensors at a file's border are called, beside the signature, which says what they are. */
export interface BorderNames {
  column: (column: string) => string;
  /** Prefix of the outputs. */
  output: string;
}

/** The border of an artifact that the platform wrote. */
export const ARTIFACT_NAMES: BorderNames = { column: columnInput, output: '' };

/** The border of an adopted model, whose own inputs may well be named as the columns are. */
export const ADOPTED_NAMES: BorderNames = {
  column: (column) => `${ADOPTED_PREFIX}column/${column}`,
  output: ADOPTED_PREFIX,
};
