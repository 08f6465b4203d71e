import { NotFoundError } from '@perennial/contract';
import { getDatasetVersion } from '@perennial/storage';
import type { GoldenSet } from '@perennial/validation';
import { GoldenSetMissingError } from '../errors.ts';
import type { RunContext } from './step.ts';

/**
 * Makes sure that every golden set is on record, so that a wrong digest is told of before hours of training rather than after them.
 * @throws GoldenSetMissingError
 */
export async function requireGoldenSets({ run, database }: Pick<RunContext, 'run' | 'database'>) {
  for (const spec of run.spec.validate.goldenSets)
    await naming(run.pipeline, spec, () => getDatasetVersion(database.orm, spec.dataset));
}

/**
 * The pipeline's golden sets with their test rows on this machine.
 * @throws GoldenSetMissingError when one is not on record, or its rows are not kept any more
 */
export async function fetchGoldenSets({ run, database, artifacts }: RunContext): Promise<GoldenSet[]> {
  return Promise.all(
    run.spec.validate.goldenSets.map((spec) =>
      naming(run.pipeline, spec, async () => {
        const { manifest } = await getDatasetVersion(database.orm, spec.dataset);
        return { spec, manifest, testFile: await artifacts.fetchFile(manifest.splits.test.digest) };
      }),
    ),
  );
}

async function naming<Result>(
  pipeline: string,
  set: GoldenSet['spec'],
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof NotFoundError ? new GoldenSetMissingError(pipeline, set, error) : error;
  }
}
