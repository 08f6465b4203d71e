import type { FittedLabel, InputColumn, Signature } from '@perennial/contract';
import { describeModel, type ModelDescription } from './describe-model.ts';
import { inspectModel } from './inspect-model.ts';
import {
  outputLabel,
  ownSignature,
  refuseOtherOutput,
  sampleColumns,
  type SampleRow,
} from './read-foreign.ts';

/** A file that somebody brought, and what they say of it. */
export interface GivenFile {
  bytes: Uint8Array<ArrayBuffer>;
  sample: readonly SampleRow[];
  /** What its output is, where the file does not say. */
  output: Signature['output'] | undefined;
}

/** What can be told of a file without loading it. */
export interface ExaminedFile {
  bytes: Uint8Array<ArrayBuffer>;
  description: ModelDescription;
  /** The columns of the sample. */
  columns: InputColumn[];
  /** What the answers of a file from elsewhere mean; null of one that the platform wrote, which says it itself. */
  label: FittedLabel | null;
}

/** What the thread that looks at a large file says. */
export type ExaminationReport =
  { kind: 'sound'; examined: ExaminedFile } | { kind: 'refused'; reason: string };

/** Looks at a file on this thread. @throws ModelRefusedError saying what is wrong with it, or with what is said of it */
export function examine({ bytes, sample, output }: GivenFile): ExaminedFile {
  const model = inspectModel(bytes);
  const description = describeModel(model);
  const own = ownSignature(model);
  if (own !== undefined) {
    refuseOtherOutput(own, output);
    return { bytes, description, columns: own.inputs, label: null };
  }
  return { bytes, description, columns: sampleColumns(model, sample), label: outputLabel(model, output) };
}
