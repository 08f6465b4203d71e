import type { FittedLabel, InputColumn, Signature } from '@perennial/contract';
import type { ColumnBatch, OutputBatch } from '../../batch.ts';

/** A file that is to be tried. */
export interface Trial {
  bytes: Uint8Array;
  /** How a file from elsewhere is to be adopted; null of one that the platform wrote, which says it itself. */
  adopt: { columns: InputColumn[]; label: FittedLabel } | null;
  /** Rows that it must answer. */
  sample: ColumnBatch;
}

/** What came of it. */
export interface TriedModel {
  /** What is to be stored: the file itself where the platform wrote it, else its adopted form. */
  bytes: Uint8Array;
  signature: Signature;
  /** The model's operators, with how often each occurs. */
  operators: string[];
  /** Its answers to the sample. */
  answers: OutputBatch;
}

/** What the process that tries it is told. */
export interface TrialAssignment extends Trial {
  /** Bytes of memory at which the process ends itself, where its starter cannot tell. */
  memoryLimit: number;
}

/** What it says. */
export type TrialReport =
  { kind: 'ready' } | { kind: 'taken'; tried: TriedModel } | { kind: 'refused'; reason: string };

/** What it says on standard error before it ends itself for want of memory. */
export const MEMORY_EXCEEDED = 'perennial: memory limit exceeded';
