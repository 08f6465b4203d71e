import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { perennial } from '@perennial/cli/testing';
import type { ApiError, Client } from '@perennial/client';
import type { Precomputation } from '@perennial/contract';
import { pipelineSource } from './harness/pipeline-source.ts';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { features, makeVisits, toCsv } from './harness/visits.ts';

const SHOP = { model: 'shop' };
const visits = makeVisits({ from: '2024-03-01', days: 15, perDay: 200 });
/** Of the window of the runs. */
const known = visits.filter(({ at }) => at >= '2024-03-02' && at < '2024-03-11');

let test: TestPlatform;
let client: Client;

beforeAll(async () => {
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/shop/pipeline.ts': pipelineSource({
        name: 'shop',
        more: "serving: { modes: ['online', 'offline'], precompute: { after: 'promotion', maxAge: '2d' } },",
      }),
      'pipelines/live/pipeline.ts': pipelineSource({
        name: 'live',
        more: "serving: { modes: ['online'], cache: { features: { maxAge: '1m' } } },",
      }),
      'pipelines/table/pipeline.ts': pipelineSource({
        name: 'table',
        more: "serving: { modes: ['offline'], precompute: { after: 'promotion' } },",
      }),
    },
  });
  client = test.client;
  for (const pipeline of ['shop', 'live', 'table']) await test.run(pipeline);
  await ended('table');
  const params = { model: 'table' };
  await heard(
    () => client.lookupPredictions({ params, body: { keys: ['v500'] } }),
    () => true,
  );
}, 120_000);
afterAll(() => test.stop());

/** Waits for the newest precomputation of a model to end. */
async function ended(model: string): Promise<Precomputation> {
  for (;;) {
    const { items } = await client.listPrecomputations({ params: { model }, query: { limit: 1 } });
    const [newest] = items;
    if (newest && newest.state !== 'queued' && newest.state !== 'running') return newest;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Asks until the server has heard of a switch: it is told by a notification. */
async function heard<Answer>(
  ask: () => Promise<Answer>,
  until: (answer: Answer) => boolean,
): Promise<Answer> {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined && until(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const problemOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error as ApiError).code,
  );

describe('a promotion', () => {
  it('has every known entity scored with the new champion', async () => {
    const done = await ended('shop');
    expect(done).toMatchObject({
      version: 1,
      state: 'live',
      cause: 'promotion',
      rows: known.length,
      done: known.length,
      refused: 0,
    });
    await heard(
      () => client.lookupPredictions({ params: SHOP, body: { keys: ['v500'] } }),
      () => true,
    );
  });
});

describe('a lookup', () => {
  it('gives what a prediction from the same features gives, with its age, and is on record', async () => {
    const visit = known[10]!;
    const found = await client.lookupPrediction({ params: { ...SHOP, key: visit.visitor } });
    const { predictions } = await client.predict({
      params: SHOP,
      body: { instances: [features(visit)], keys: [visit.visitor] },
    });
    expect(found).toMatchObject({
      model: 'shop',
      key: visit.visitor,
      version: 1,
      mode: 'precomputed',
      output: predictions[0]?.output,
      ageSeconds: 0,
      featuresAt: visit.at,
    });
    const logged = await client.getPrediction({ params: { prediction: found.id } });
    expect(logged).toMatchObject({
      mode: 'precomputed',
      key: visit.visitor,
      features: features(visit),
      output: found.output,
      version: 1,
    });
  });

  it('of many keys gives each in order and lists those without an answer', async () => {
    const keys = [...known.slice(0, 998).map(({ visitor }) => visitor), 'nobody', 'nothing'];
    const found = await client.lookupPredictions({ params: SHOP, body: { keys } });
    expect(found.predictions.map(({ key }) => key)).toEqual(keys.slice(0, 998));
    expect(found).toMatchObject({ version: 1, missing: ['nobody', 'nothing'] });
    const tooMany = client.lookupPredictions({ params: SHOP, body: { keys: [...keys, 'one more'] } });
    expect(await problemOf(tooMany)).toBe('invalid-request');
  });

  it('is refused for what is not there', async () => {
    const lookup = (model: string, key: string) => client.lookupPrediction({ params: { model, key } });
    expect(await problemOf(lookup('shop', 'nobody'))).toBe('precomputed-not-found');
    expect(await problemOf(lookup('nothing', 'v1'))).toBe('model-not-found');
  });

  it('is not given once it is older than the pipeline lets it be, and hybrid serving computes it anew', async () => {
    const { visitor } = known[20]!;
    const body = { keys: [visitor] };
    const before = await client.predict({ params: SHOP, body });
    expect(before.predictions).toMatchObject([{ mode: 'precomputed', ageSeconds: 0 }]);
    test.clock.advance(2 * 86_400_000 + 1);
    expect(await problemOf(client.lookupPrediction({ params: { ...SHOP, key: visitor } }))).toBe(
      'precomputed-not-found',
    );
    const after = await client.predict({ params: SHOP, body });
    expect(after.predictions).toMatchObject([
      { mode: 'live', output: before.predictions[0]?.output, featuresAt: known[20]!.at },
    ]);
  });
});

describe('the command line', () => {
  const url = () => ['--url', test.platform.url];

  it('looks keys up and has status 1 where one has no answer', async () => {
    const { visitor } = known[5]!;
    const found = await perennial('lookup', 'table', visitor, ...url());
    expect(found.status).toBe(0);
    expect(JSON.parse(found.out)).toMatchObject({ version: 1, predictions: [{ key: visitor }], missing: [] });
    expect(await perennial('lookup', 'table', visitor, 'nobody', ...url())).toMatchObject({ status: 1 });
    expect(await perennial('predict', 'table', '--key', visitor, ...url())).toMatchObject({ status: 0 });
  });

  it('tells what a cancelled precomputation has come to', async () => {
    const detached = await perennial('precompute', 'table', '--detach', ...url());
    const id = /pre_[0-9a-f-]{36}/.exec(detached.out)?.[0] ?? '';
    const cancelled = await perennial('precomputations', 'cancel', 'table', id, ...url());
    expect(cancelled).toMatchObject({
      status: 0,
      out: expect.stringMatching(`^${id} (cancelled|live)\n$`) as string,
    });
    const listed = await perennial('precomputations', 'list', 'table', '--json', ...url());
    expect(JSON.parse(listed.out)).toMatchObject([{ id }, { cause: 'promotion' }]);
    expect(await perennial('precompute', 'live', ...url())).toMatchObject({ status: 1 });
  });
});

describe('a precomputation that is asked for', () => {
  it('takes the entities for which a condition holds, from the command line too', async () => {
    const few = known.filter(({ country, pages }) => country === 'jp' && pages > 15);
    const asked = await perennial(
      'precompute',
      'shop',
      '--keys',
      "country = 'jp' and pages > 15 and key like 'v%'",
      '--url',
      test.platform.url,
    );
    expect(asked).toMatchObject({ status: 0, errors: '' });
    expect(asked.out).toContain(`live: ${few.length} answers`);
    const { visitor } = few[0]!;
    const other = known.find(({ country }) => country === 'de')!;
    const keys = [visitor, other.visitor];
    await heard(
      () => client.lookupPredictions({ params: SHOP, body: { keys } }),
      ({ missing }) => missing.length === 1,
    );
    const { predictions } = await client.predict({ params: SHOP, body: { keys } });
    expect(predictions.map(({ mode }) => mode)).toEqual(['precomputed', 'live']);
    const listed = await perennial('precomputations', 'list', 'shop', '--url', test.platform.url);
    expect(listed.out).toContain('request');
  });

  it.each([
    ['country =', 'is not a SQL expression'],
    ['pages', 'must be true or false'],
    ['nothing > 1', 'is not valid'],
    ["(select count(*) from read_text('/etc/passwd')) > 0", 'a subquery'],
    ['random() > 0.5', 'must give the same answer'],
    ['true); drop table entities; select (true', 'is not a SQL expression'],
    ['sum(pages) > 1', 'is not valid'],
  ])('is refused for %s', async (keys, problem) => {
    const asked = client.startPrecomputation({ params: SHOP, body: { keys } });
    await expect(asked).rejects.toMatchObject({
      code: 'invalid-request',
      problem: { status: 400, details: { issues: [{ path: 'keys' }] } },
    });
    await expect(asked).rejects.toThrow(problem);
  });

  it('of nobody fails and leaves what answers as it is', async () => {
    await client.startPrecomputation({ params: SHOP, body: { keys: 'pages > 1000' } });
    expect(await ended('shop')).toMatchObject({
      state: 'failed',
      error: { code: 'entity-not-found' },
    });
    const few = known.filter(({ country, pages }) => country === 'jp' && pages > 15);
    const keys = few.map(({ visitor }) => visitor);
    const { missing } = await client.lookupPredictions({ params: SHOP, body: { keys } });
    expect(missing).toEqual([]);
  });
});

describe('a model that is served online', () => {
  it('answers a request that brings its key alone from the last known row', async () => {
    const [first, second] = known as [(typeof known)[0], (typeof known)[0]];
    const params = { model: 'live' };
    const whole = await client.predict({ params, body: { instances: [first, second].map(features) } });
    const keys = [first.visitor, second.visitor];
    const byKey = await client.predict({ params, body: { keys, instances: [null, features(second)] } });
    expect(byKey.predictions.map(({ output }) => output)).toEqual(
      whole.predictions.map(({ output }) => output),
    );
    expect(byKey.predictions).toMatchObject([{ mode: 'live', featuresAt: first.at }, { mode: 'live' }]);
    expect(byKey.predictions[1]).not.toHaveProperty('featuresAt');
  });

  it('says which keys it knows nothing of', async () => {
    const asked = client.predict({ params: { model: 'live' }, body: { keys: ['v500', 'nobody'] } });
    await expect(asked).rejects.toMatchObject({
      code: 'entity-not-found',
      problem: { status: 404, details: { keys: ['nobody'] } },
    });
  });

  it('has no lookups and no precomputations', async () => {
    const params = { model: 'live' };
    expect(await problemOf(client.lookupPrediction({ params: { ...params, key: 'v500' } }))).toBe(
      'mode-not-served',
    );
    expect(await problemOf(client.startPrecomputation({ params, body: {} }))).toBe('mode-not-served');
  });
});

describe('a model that is served offline alone', () => {
  it('answers by key and refuses features', async () => {
    const params = { model: 'table' };
    const visit = known[3]!;
    const { predictions } = await client.predict({ params, body: { keys: [visit.visitor] } });
    expect(predictions).toMatchObject([{ mode: 'precomputed' }]);
    const whole = { instances: [features(visit)], keys: [visit.visitor] };
    expect(await problemOf(client.predict({ params, body: whole }))).toBe('mode-not-served');
    expect(await problemOf(client.predict({ params, body: { keys: ['nobody'] } }))).toBe(
      'precomputed-not-found',
    );
  });
});

describe('the erasure of a key', () => {
  it('takes its last known rows and precomputed answers, also those in memory', async () => {
    const { visitor: key } = known.find(({ country, pages }) => country === 'jp' && pages > 15)!;
    await client.lookupPrediction({ params: { ...SHOP, key } }).catch(() => undefined);
    const told = await client.exportPersonalData({ query: { key } });
    expect(told.entityFeatures.map(({ model }) => model)).toEqual(['live', 'shop', 'table']);
    expect(told.precomputedPredictions.length).toBeGreaterThan(0);
    const erased = await client.erasePersonalData({ body: { key, reason: 'was asked for' } });
    expect(erased).toMatchObject({
      entityFeatures: 3,
      precomputedPredictions: told.precomputedPredictions.length,
    });
    await heard(
      () => client.lookupPredictions({ params: { model: 'table' }, body: { keys: [key] } }),
      ({ missing }) => missing.length === 1,
    );
    expect((await client.exportPersonalData({ query: { key } })).entityFeatures).toEqual([]);
  });
});
