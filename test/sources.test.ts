import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '@perennial/contract';
import { socketUrl } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { startTestPlatform, type TestPlatform } from './harness/test-platform.ts';
import { trainedCard } from './harness/trained-card.ts';
import { features, makeVisits, toCsv, type Visit } from './harness/visits.ts';

const FIRST_DAY = '2024-03-01';
const visits = makeVisits({ from: FIRST_DAY, days: 9, perDay: 200 });
/** What the model is asked on the days after, and what came of it. */
const later = makeVisits({ from: '2024-03-10', days: 9, perDay: 200, seed: 2 });

interface PipelineText {
  name: string;
  source: string;
  time?: string;
  key?: string;
  label?: string;
}

/** A pipeline over visits, wherever they come from. */
function pipeline({ name, source, time = 'at', key = 'visitor', label = 'bought' }: PipelineText): string {
  return `
import { binary, categorical, csv, definePipeline, mlp, notWorse, numeric, postgres, predictionLog, query, stream } from '@perennial/pipeline';
void [csv, postgres, predictionLog, query, stream];
export default definePipeline({
  name: '${name}',
  data: { source: ${source}, time: '${time}', key: '${key}', window: { train: '7d', validation: '1d', test: '1d' } },
  label: binary('bought', { from: '${label}' }),
  features: { pages: numeric(), country: categorical({ minCount: 5 }) },
  train: mlp({ hidden: [8], epochs: 3, batchSize: 64, learningRate: 0.01 }),
  validate: { gate: notWorse({ metric: 'auc', margin: 0.05, replicates: 200 }), slices: ['country'] },
  steps: { data: { attempts: 1 } },
});
`;
}

let test: TestPlatform;
let warehouse: TestDatabase;

beforeAll(async () => {
  warehouse = await createTestDatabase();
  await fillWarehouse(warehouse, visits);
  const { address } = warehouse;
  test = await startTestPlatform({
    files: {
      'pipelines/visits.csv': toCsv(visits),
      'pipelines/visits/pipeline.ts': pipeline({ name: 'visits', source: `csv('../visits.csv')` }),
      'pipelines/fed-back/pipeline.ts': pipeline({
        name: 'fed-back',
        source: `predictionLog<'pages' | 'country'>('visits')`,
        time: 'time',
        key: 'key',
        label: 'label',
      }),
      'pipelines/streamed/pipeline.ts': pipeline({ name: 'streamed', source: `stream('visits')` }),
      'pipelines/warehoused/pipeline.ts': pipeline({
        name: 'warehoused',
        source: `postgres({ connection: 'warehouse', query: 'select * from visits' })`,
      }),
      'pipelines/lost/pipeline.ts': pipeline({
        name: 'lost',
        source: `postgres({ connection: 'elsewhere', query: 'select 1' })`,
      }),
      'pipelines/broken/pipeline.ts': pipeline({
        name: 'broken',
        source: `query(async function* ({ from }) {
    yield { at: from, visitor: 'v', pages: 1, country: 'de', bought: true };
    throw new RangeError('no more visits');
  })`,
      }),
    },
    config: { connections: { warehouse: 'url' in address ? address.url : socketUrl(address.connection) } },
  });
}, 120_000);
afterAll(async () => {
  await test.stop();
  await warehouse.drop();
});

async function fillWarehouse({ database: { sql } }: TestDatabase, rows: Visit[]): Promise<void> {
  await sql`create table visits (at timestamptz, visitor text, pages integer, country text, bought boolean)`;
  await sql`insert into visits select * from jsonb_to_recordset(${sql.json(rows)})
    as visit (at timestamptz, visitor text, pages integer, country text, bought boolean)`;
}

const AS_OF = { asOf: '2024-03-10T00:00:00Z' };
const stateOf = (run: Run, name: string) => run.steps.find((step) => step.name === name)?.state;
const splitsOf = async (run: Run) =>
  (await test.client.getDataset({ params: { dataset: run.dataset ?? '' } })).manifest.splits;

/** A day in the life of the served model: it is asked, and is told what came of it. */
async function live(day: Visit[]): Promise<void> {
  test.clock.set(day[0]?.at ?? '');
  const keys = day.map(({ visitor }) => `later-${visitor}`);
  await test.client.predict({ params: { model: 'visits' }, body: { instances: day.map(features), keys } });
  const items = day.map(({ bought }, i) => ({ model: 'visits', key: keys[i] ?? '', label: bought }));
  await test.client.postGroundTruth({ body: { items } });
}

describe('sources beyond files', () => {
  let first: Run;

  it('a run takes the dataset of a run before it while the source’s files hold the same', async () => {
    first = await test.run('visits', AS_OF);
    expect(first).toMatchObject({ state: 'succeeded', verdict: 'no-baseline' });
    expect(stateOf(first, 'data')).toBe('succeeded');
    const again = await test.run('visits', { asOf: '2024-03-10T17:00:00Z' });
    expect(stateOf(again, 'data')).toBe('reused');
    expect(again.dataset).toBe(first.dataset);
    const forced = await test.run('visits', { ...AS_OF, force: true });
    expect(stateOf(forced, 'data')).toBe('succeeded');
    expect(forced.dataset).toBe(first.dataset);
    const dayAfter = await test.run('visits', { asOf: '2024-03-11T00:00:00Z' });
    expect(dayAfter).toMatchObject({ state: 'failed', error: { code: 'data-invalid' } });
  });

  it('predictions and what came of them are the training set of another pipeline', async () => {
    for (let day = 0; day < 9; day += 1) await live(later.slice(day * 200, (day + 1) * 200));
    const asOf = '2024-03-19T00:00:00Z';
    test.clock.set(asOf);
    const run = await test.run('fed-back', { asOf });
    expect(run).toMatchObject({ state: 'succeeded', version: 1, error: null });
    const { train, validation, test: newest } = await splitsOf(run);
    expect([train.rows, validation.rows, newest.rows]).toEqual([1_400, 200, 200]);
    const version = await test.client.getVersion({ params: { model: 'fed-back', version: 1 } });
    expect(trainedCard(version).evaluation.metrics.auc).toBeGreaterThan(0.7);
    const dataset = await test.client.getDataset({ params: { dataset: run.dataset ?? '' } });
    expect(dataset.card.labels['test']?.mean).toBeCloseTo(
      later.slice(1_600).filter(({ bought }) => bought).length / 200,
    );
    const again = await test.run('fed-back', { asOf });
    expect(stateOf(again, 'data')).toBe('succeeded');
    expect(again.dataset).toBe(run.dataset);
    expect(stateOf(again, 'training')).toBe('reused');
  });

  it('a stream’s events make the rows that a file of them makes, and one more event makes a new dataset', async () => {
    const post = (events: Record<string, string | number | boolean>[]) =>
      test.client.postStreamEvents({ params: { stream: 'visits' }, body: { events } });
    await post(visits.map((visit) => ({ ...visit })));
    const run = await test.run('streamed', AS_OF);
    expect(run.error).toBeNull();
    expect(await splitsOf(run)).toEqual(await splitsOf(first));
    expect(stateOf(await test.run('streamed', AS_OF), 'data')).toBe('reused');
    await post([{ at: '2024-03-09T12:00:00Z', visitor: 'one-more', pages: 3, country: 'de', bought: false }]);
    const more = await test.run('streamed', AS_OF);
    expect(stateOf(more, 'data')).toBe('succeeded');
    expect((await splitsOf(more)).test.rows).toBe(201);
  });

  it('a query on a named connection makes the rows that a file of them makes', async () => {
    const run = await test.run('warehoused', AS_OF);
    expect(run.error).toBeNull();
    expect(await splitsOf(run)).toEqual(await splitsOf(first));
  });

  it('a connection that is not configured fails the run, naming those that are', async () => {
    const run = await test.run('lost', AS_OF);
    expect(run).toMatchObject({ state: 'failed', error: { code: 'connection-unknown' } });
    expect(run.error?.message).toBe(`There is no connection 'elsewhere': there are warehouse.`);
  });

  it('a query function that throws fails the run with file and line', async () => {
    const run = await test.run('broken', AS_OF);
    expect(run.error?.message).toMatch(
      /^The query function of pipeline 'broken' threw RangeError: no more visits \(pipeline\.ts:\d+:\d+\)\.$/,
    );
  });
});
