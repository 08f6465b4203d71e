import { BatchInputInvalidError, QueryFailedError } from '../errors.ts';

/** What DuckDB says of a file that it cannot read. Other kinds (memory, interruption) are not the file's fault. */
const FILE_FAULTS = [
  'Invalid Input',
  'Invalid',
  'IO',
  'Conversion',
  'Binder',
  'Catalog',
  'Not implemented',
  'Serialization',
  'Out of Range',
];

/** Runs what reads a batch's file; what fails because of the file fails as the input's error, in the name it was asked for by. */
export async function translatingFileFaults<Result>(
  { file, path }: { file: string; path: string },
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof QueryFailedError) || !FILE_FAULTS.includes(error.kind)) throw error;
    const problem = error.reason.replaceAll(path, file).replace(/[.\s]+$/, '');
    throw new BatchInputInvalidError(file, problem.slice(0, 2_000), { cause: error });
  }
}
