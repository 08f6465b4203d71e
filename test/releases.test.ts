import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pipelineSource } from './harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const visits = makeVisits({ from: '2024-03-01', days: 12, perDay: 300 });
const MODEL = 'visits';
const CAREFUL = 'careful-visits';
const SECOND_DAY = '2024-03-11T00:00:00Z';

let test: TestPlatform;

beforeAll(async () => {
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/visits/pipeline.ts': pipelineSource({ name: MODEL }),
      'pipelines/careful/pipeline.ts': pipelineSource({ name: CAREFUL, release: "{ approval: 'required' }" }),
    },
  });
}, 120_000);
afterAll(() => test.stop());

/** The version that answers now; none where nobody does. */
async function serving(model: string): Promise<number | undefined> {
  const body = { instances: visits.slice(0, 1).map(features) };
  return test.client.predict({ params: { model }, body }).then(
    ({ version }) => version,
    () => undefined,
  );
}

/** Serving follows the database by its notifications. */
const served = (model: string) => expect.poll(() => serving(model), { timeout: 20_000, interval: 20 });

const reason = 'to be tested';

describe('a rollback over HTTP', () => {
  it('changes what answers, and keeps a run from offering the same bytes again', async () => {
    await test.run(MODEL, { asOf: '2024-03-10T00:00:00Z' });
    await served(MODEL).toBe(1);
    await test.run(MODEL, { asOf: SECOND_DAY });
    const { championVersion } = await test.client.getModel({ params: { model: MODEL } });
    const params = { model: MODEL, version: 2 };
    // Whatever the gate made of the second day: what is tested is the way back.
    if (championVersion === 1) await test.client.requestRelease({ params, body: { reason, override: true } });
    await served(MODEL).toBe(2);

    const live = await test.client.rollBack({ params: { model: MODEL }, body: { reason } });
    expect(live).toMatchObject({ version: 1, state: 'live', decidedBy: 'local' });
    await served(MODEL).toBe(1);

    const again = await test.run(MODEL, { asOf: SECOND_DAY, force: true });
    expect(again).toMatchObject({ state: 'succeeded', version: 3 });
    const { artifact } = await test.client.getVersion({ params: { model: MODEL, version: 3 } });
    expect((await test.client.getVersion({ params })).artifact).toBe(artifact);
    const registration = again.steps.find(({ name }) => name === 'registration');
    expect(registration?.output).toMatchObject({
      live: false,
      withheld: expect.stringContaining('was rolled back') as string,
    });
    const { items } = await test.client.listReleases({ query: { model: MODEL, state: 'pending' } });
    expect(items).toEqual([]);
    expect(await serving(MODEL)).toBe(1);

    const question = { params: { model: MODEL }, body: { reason } };
    await expect(test.client.rollBack(question)).rejects.toThrow(/no earlier champion/);
  });
});

describe('a release that takes an approval', () => {
  it('waits, is spoken about, and answers once it is approved', async () => {
    await test.run(CAREFUL, { asOf: '2024-03-10T00:00:00Z' });
    const { items } = await test.client.listReleases({ query: { model: CAREFUL, state: 'pending' } });
    expect(items).toHaveLength(1);
    const params = { release: items[0]!.id };
    expect(await test.client.getRelease({ params })).toMatchObject({ approvers: 1, approvals: [] });
    expect(await serving(CAREFUL)).toBeUndefined();
    await test.client.commentOnRelease({ params, body: { comment: 'Seen by the team.' } });
    const approved = await test.client.approveRelease({ params, body: { reason } });
    expect(approved).toMatchObject({ state: 'live', approvals: [{ by: 'local', comment: reason }] });
    await served(CAREFUL).toBe(1);
    const events = await test.client.listReleaseEvents({ params, query: {} });
    expect(events.items.map(({ type }) => type)).toEqual(['request', 'comment', 'approve', 'promote']);
    await expect(test.client.rejectRelease({ params, body: { reason } })).rejects.toThrow(
      /is live: 'reject'/,
    );
  });
});
