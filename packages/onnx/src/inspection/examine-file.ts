import { Worker } from 'node:worker_threads';
import { ModelRefusedError } from '../errors.ts';
import { examine, type ExaminationReport, type ExaminedFile, type GivenFile } from './examine.ts';

/** MiB of JavaScript's heap that the thread may take: a file at every limit of the inspection takes 180 MB. */
const HEAP_MEGABYTES = 1_024;

/** Compiled JavaScript also where this file is not: a thread of Node 20 runs no TypeScript. From `src` and from `dist` it is one path. */
const ENTRY = new URL('../../dist/inspection/thread/main.js', import.meta.url);

/** Bytes of a file that is looked at at once: the worst of this size take some 60 ms, and a thread takes longer to start. */
const SMALL = 256 * 1024;

/**
 * Looks at a file; at a large one on a thread of its own, since the largest take seconds, in which this one is to answer others. Its memory is handed over then, and comes back with the
 * answer: the given array is empty afterwards. See {@link inspectModel} for what is refused.
 *
 * @throws ModelRefusedError saying what is wrong with the file, or with what is said of it
 */
export async function examineFile(file: GivenFile): Promise<ExaminedFile> {
  if (file.bytes.length <= SMALL) return examine(file);
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
