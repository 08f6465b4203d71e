import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { csv } from '@perennial/pipeline';
import { StreamService } from '../streams/stream-service.ts';
import { TriggerBench, type TimedPipeline } from '../testing/trigger-bench.ts';
import { Scheduler } from './scheduler.ts';
import { startTicks } from './ticks.ts';

let bench: TriggerBench;
afterEach(() => bench.drop());

const scheduled: TimedPipeline = { name: 'scheduled', schedule: '0 13 * * *' };
const fed: TimedPipeline = {
  name: 'fed',
  triggers: { stream: { stream: 'clicks', events: 1, within: '10m' } },
};

describe('a scheduler', () => {
  it('looks at schedules, files and streams in one tick', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'perennial-files-'));
    const watched: TimedPipeline = {
      name: 'watched',
      folder,
      source: csv('rows.csv'),
      triggers: { files: { settle: '1s' } },
    };
    bench = await TriggerBench.open([scheduled, fed, watched], '2026-05-04T12:59:00Z');
    const scheduler = new Scheduler(bench.parts);
    await scheduler.tick();
    await writeFile(join(folder, 'rows.csv'), 'new');
    await scheduler.tick();
    await new StreamService(bench.parts).post('clicks', [{ page: 'a' }]);
    bench.clock.set('2026-05-04T13:00:00Z');
    await scheduler.tick();
    const kinds = (await bench.triggers()).map((trigger) => trigger.kind);
    expect(kinds.sort()).toEqual(['file', 'schedule', 'stream']);
    await rm(folder, { recursive: true });
  });

  it('goes on with the rest when a part fails, says what failed, and tries it again', async () => {
    const remote: TimedPipeline = {
      name: 'remote',
      source: { kind: 'objectStore', bucket: 'rows', prefix: '', format: 'csv' },
      triggers: { files: {} },
    };
    bench = await TriggerBench.open([scheduled, remote], '2026-05-04T12:59:00Z');
    const log = vi.fn();
    const failing = { listFiles: () => Promise.reject(new Error('The bucket is away.')) };
    const scheduler = new Scheduler({ ...bench.parts, log, listerOf: () => failing });
    await scheduler.tick();
    bench.clock.set('2026-05-04T13:00:00Z');
    await scheduler.tick();
    expect(log.mock.calls).toMatchObject([
      [{ message: 'could not look at the files' }],
      [{ message: 'could not look at the files' }],
    ]);
    expect(await bench.triggers()).toMatchObject([{ kind: 'schedule' }]);
  });

  it('joins a tick that is under way', async () => {
    bench = await TriggerBench.open([scheduled], '2026-05-04T12:59:00Z');
    const scheduler = new Scheduler(bench.parts);
    expect(scheduler.tick()).toBe(scheduler.tick());
    await scheduler.settle();
  });

  it('ticks by itself until it is stopped, and stops after the tick under way', async () => {
    bench = await TriggerBench.open([scheduled], '2026-05-04T12:59:00Z');
    const scheduler = new Scheduler(bench.parts);
    const stop = startTicks(scheduler);
    await vi.waitFor(async () => {
      const rows = await bench.database.sql`select pipeline from schedules`;
      expect(rows).toHaveLength(1);
    }, 10_000);
    await stop();
  });
});
