import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Run, type TrainingResult } from '@perennial/contract';
import { getDatasetVersion } from '@perennial/storage';
import { RunBench } from '../testing/run-bench.ts';

let bench: RunBench;
beforeEach(async () => {
  bench = await RunBench.open();
});
afterEach(() => bench.close());

const run = async () => bench.execute(await bench.start());
const states = ({ steps }: Run) => Object.fromEntries(steps.map(({ name, state }) => [name, state]));

describe('a step that another run has done', { timeout: 60_000 }, () => {
  it('stands for the work while all that it left is kept', async () => {
    await run();
    expect(states(await run())).toMatchObject({ data: 'reused', training: 'reused' });
  });

  it('is done again where its model was removed, and the model is on record again', async () => {
    const { artifact } = (await run()).steps[1]?.output as TrainingResult;
    await bench.store.delete(artifact);
    await bench.database
      .sql`insert into removed_artifacts (digest, because, removed_at, deleted_at) values (${artifact}, 'retention', now(), now())`;
    const again = await run();
    expect(states(again)).toMatchObject({ data: 'reused', training: 'succeeded' });
    expect(await bench.store.has(artifact)).toBe(true);
    expect(await bench.database.sql`select digest from removed_artifacts`).toEqual([]);
  });

  it('is done again where the rows of its dataset were removed, and the version is whole again', async () => {
    const { dataset } = await run();
    const { manifest } = await getDatasetVersion(bench.database.orm, dataset ?? '');
    await bench.store.delete(manifest.splits.validation.digest);
    await bench.database.sql`update dataset_versions set removed_at = now()`;
    expect(states(await run())).toMatchObject({ data: 'succeeded' });
    expect(await getDatasetVersion(bench.database.orm, dataset ?? '')).not.toHaveProperty('removedAt');
    expect(await bench.store.has(manifest.splits.validation.digest)).toBe(true);
  });
});
