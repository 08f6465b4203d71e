import { Worker } from 'node:worker_threads';
import type { FittedLabel, InputColumn, Signature } from '@perennial/contract';
import { ModelRefusedError } from '../errors.ts';
import type { ModelDescription } from './describe-model.ts';
import type { SampleRow } from './read-foreign.ts';

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

/** What the thread says. */
export type ExaminationReport =
  { kind: 'sound'; examined: ExaminedFile } | { kind: 'refused'; reason: string };

/** MiB of JavaScript's heap that the thread may take: a file at every limit of the inspection takes 180 MB. */
const HEAP_MEGABYTES = 1_024;

/** Compiled JavaScript also where this file is not: a thread of Node 20 runs no TypeScript. From `src` and from `dist` it is one path. */
const ENTRY = new URL('../../dist/inspection/thread/main.js', import.meta.url);

/**
 * Looks at a file on a thread of its own, since the largest take seconds, in which this one is to answer others. The file's memory is handed over, and comes back with the answer: the given
 * array is empty afterwards. See {@link inspectModel} for what is refused.
 *
 * @throws ModelRefusedError saying what is wrong with the file, or with what is said of it
 */
export async function examineFile(file: GivenFile): Promise<ExaminedFile> {
  const thread = new Worker(ENTRY, {
    workerData: file,
    transferList: [file.bytes.buffer],
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES },
  });
  const report = await new Promise<ExaminationReport>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', (cause: Error & { code?: string }) => {
      if (cause.code !== 'ERR_WORKER_OUT_OF_MEMORY') reject(cause);
      else
        resolve({ kind: 'refused', reason: `to look at it takes more than ${HEAP_MEGABYTES} MiB of memory` });
    });
  });
  if (report.kind === 'refused') throw new ModelRefusedError(report.reason);
  return report.examined;
}
