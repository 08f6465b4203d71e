import type { LabelSpec } from '@perennial/contract';

export type BinaryLabel = Extract<LabelSpec, { kind: 'binary' }>;
export type MulticlassLabel = Extract<LabelSpec, { kind: 'multiclass' }>;
export type RegressionLabel = Extract<LabelSpec, { kind: 'regression' }>;

export interface BinaryOptions {
  /** SQL expression over the source's columns that is true or 1, false or 0: `delay > 15`. */
  from: string;
  /**
   * Probability at and above which the decision is true.
   * @default 0.5
   */
  threshold?: number;
}

/** A yes or no to predict. */
export function binary(name: string, options: BinaryOptions): BinaryLabel {
  return { kind: 'binary', name, threshold: 0.5, ...options };
}

export interface MulticlassOptions {
  /** SQL expression over the source's columns; its text is the class. */
  from: string;
  /** The classes in order; those of the training rows, sorted, when absent. A row of another class goes to quarantine. */
  classes?: string[];
}

/** One of several classes to predict. */
export function multiclass(name: string, options: MulticlassOptions): MulticlassLabel {
  return { kind: 'multiclass', name, ...options };
}

export interface RegressionOptions {
  /** SQL expression over the source's columns that gives a number. */
  from: string;
}

/** A number to predict. */
export function regression(name: string, options: RegressionOptions): RegressionLabel {
  return { kind: 'regression', name, ...options };
}
