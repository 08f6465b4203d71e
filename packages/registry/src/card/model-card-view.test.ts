import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NotFoundError, modelCardViewSchema } from '@perennial/contract';
import { requestRelease } from '../release-decisions.ts';
import { rollBack } from '../rollback.ts';
import { ReleaseBench, person } from '../testing/release-bench.ts';
import { modelCardView } from './model-card-view.ts';

let bench: ReleaseBench;
beforeAll(async () => {
  bench = await ReleaseBench.open();
  await bench.champions(1);
  await bench.register(await bench.candidate({ verdict: 'fail', against: 1 }));
});
afterAll(() => bench.close());

const view = (version: number) => modelCardView(bench.db, { model: 'churn', version }, bench.clock.now());

describe('the card of a version as it is shown', () => {
  it('is the card as it was written, with its releases', async () => {
    const shown = modelCardViewSchema.parse(await view(1));
    expect(shown.card).toMatchObject({ model: 'churn', version: 1 });
    expect(shown.since).toMatchObject({ description: '', tags: {}, overrides: [] });
    expect(shown.since.releases.map(({ state }) => state)).toEqual(['live']);
  });

  it('keeps the reason of an override, whatever became of the release', async () => {
    const reason = 'The champion fails on new customers.';
    const asked = { model: 'churn', version: 2, reason, override: true };
    const at = bench.clock.now().toISOString();
    const { id } = await requestRelease(bench.desk, asked, person('user:grace', 'admin'));
    bench.clock.advance(1_000);
    await rollBack(bench.desk, { model: 'churn', reason: 'Complaints.' }, person('user:ada', 'approver'));
    const { since } = modelCardViewSchema.parse(await view(2));
    expect(since.releases).toMatchObject([{ id, state: 'rolled-back', reason: 'Complaints.' }]);
    expect(since.overrides).toEqual([{ release: id, by: 'user:grace', at, reason }]);
    expect((await view(1)).since.overrides).toEqual([]);
  });

  it('is not found where there is no such version', async () => {
    await expect(view(9)).rejects.toBeInstanceOf(NotFoundError);
  });
});
