import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listStreams } from '@perennial/storage';
import { StreamService } from '../streams/stream-service.ts';
import { TriggerBench } from '../testing/trigger-bench.ts';
import { StreamTriggers } from './stream-triggers.ts';

const stream = 'clicks';
const waiting = (name: string, events: number, within = '10m') => ({
  name,
  triggers: { stream: { stream, events, within } },
});

let bench: TriggerBench;
let service: StreamService;
let triggers: StreamTriggers;

beforeEach(async () => {
  bench = await TriggerBench.open([waiting('often', 5), waiting('seldom', 12)], '2026-05-04T12:00:00Z');
  service = new StreamService(bench.parts);
  triggers = new StreamTriggers(bench.parts);
});
afterEach(() => bench.drop());

const post = (count: number) =>
  service.post(
    stream,
    Array.from({ length: count }, (_, i) => ({ page: `p${i}`, seconds: i, bought: i % 2 === 0, note: null })),
  );

const gathered = async () =>
  (await bench.triggers()).map(({ pipeline, cause }) => [pipeline, cause.stream?.events]);

describe('the events of a stream', () => {
  it('start a run when enough have gathered, each pipeline by its own number', async () => {
    expect(await post(4)).toEqual({ stream, accepted: 4 });
    await triggers.tick();
    expect(await gathered()).toEqual([]);
    await post(3);
    await triggers.tick();
    expect(await gathered()).toEqual([['often', 7]]);
    await post(5);
    await triggers.tick();
    await triggers.tick();
    expect((await gathered()).sort()).toEqual([
      ['often', 5],
      ['often', 7],
      ['seldom', 12],
    ]);
  });

  it('start a run when the oldest has waited long enough', async () => {
    await post(1);
    bench.clock.advance(9 * 60_000);
    await post(1);
    await triggers.tick();
    expect(await gathered()).toEqual([]);
    bench.clock.advance(60_000);
    await triggers.tick();
    expect((await gathered()).sort()).toEqual([
      ['often', 2],
      ['seldom', 2],
    ]);
  });

  it('start one run however many schedulers look, and none is counted twice', async () => {
    const schedulers = Array.from({ length: 3 }, () => new StreamTriggers(bench.parts));
    for (let round = 0; round < 10; round++) {
      await Promise.all([post(2), post(1), ...schedulers.map((scheduler) => scheduler.tick())]);
    }
    await Promise.all(schedulers.map((scheduler) => scheduler.tick()));
    const taken = (await bench.triggers())
      .filter((trigger) => trigger.pipeline === 'often')
      .reduce((sum, trigger) => sum + (trigger.cause.stream?.events ?? 0), 0);
    const [row] = await bench.database.sql<{ left: number }[]>`
      select count(*)::int as left from stream_events
      where id > (select last_event_id from stream_cursors where pipeline = 'often')`;
    expect(taken + (row?.left ?? 0)).toBe(30);
  });

  it('are listed by stream, with how many have gathered', async () => {
    await post(7);
    await service.post('views', [{ page: 'a' }]);
    await triggers.tick();
    bench.clock.advance(1_000);
    await post(2);
    expect((await listStreams(bench.database.orm, { limit: 10 })).items).toEqual([
      { name: 'clicks', events: 9, gathered: 2, lastEventAt: '2026-05-04T12:00:01.000Z' },
      { name: 'views', events: 1, gathered: 1, lastEventAt: '2026-05-04T12:00:00.000Z' },
    ]);
    const first = await listStreams(bench.database.orm, { limit: 1 });
    const second = await listStreams(bench.database.orm, { limit: 1, cursor: first.nextCursor ?? '' });
    expect([first.items[0]?.name, second.items[0]?.name, second.nextCursor]).toEqual([
      'clicks',
      'views',
      null,
    ]);
  });

  it('are kept all, 10,000 at once', async () => {
    await post(10_000);
    const [row] = await bench.database.sql<{ count: number; kind: string }[]>`
      select count(distinct id)::int as count, min(jsonb_typeof(event)) as kind from stream_events`;
    expect(row).toEqual({ count: 10_000, kind: 'object' });
  });
});
