import { afterEach, describe, expect, it } from 'vitest';
import { NotFoundError, type TriggerKind } from '@perennial/contract';
import { listAudit, transaction } from '@perennial/storage';
import { TriggerSkippedError } from '../errors.ts';
import { RunService } from '../run-service.ts';
import { TriggerBench, type TimedPipeline } from '../testing/trigger-bench.ts';
import type { TriggerRequest } from './trigger-engine.ts';

let bench: TriggerBench;
afterEach(() => bench.drop());

const NOON = '2026-05-04T12:00:00.000Z';
const pipeline = 'flights';

async function open(when: Omit<TimedPipeline, 'name'> = {}, now = NOON): Promise<void> {
  bench = await TriggerBench.open([{ name: pipeline, ...when }], now);
}

const audited = async () => (await listAudit(bench.database.orm, { limit: 50 })).items;

const fire = (request: Partial<TriggerRequest> = {}) =>
  bench.engine.fire({ pipeline, kind: 'file', by: 'a test', ...request });

describe('a trigger', () => {
  it('starts a run with its job, and is on record with the reason', async () => {
    await open();
    const trigger = await fire({ cause: { staleness: 'It is old.' } });
    expect(trigger).toMatchObject({
      pipeline,
      kind: 'file',
      by: 'a test',
      outcome: 'ran',
      at: NOON,
      cause: { staleness: 'It is old.' },
    });
    expect(await bench.triggers()).toEqual([trigger]);
    const [run] = await bench.runs();
    expect(run).toMatchObject({ id: trigger.run, state: 'queued', asOf: NOON });
    expect(run?.trigger).toEqual({ kind: 'file', by: 'a test' });
    expect(await bench.jobs()).toEqual([{ kind: 'run.execute', series: `pipeline:${pipeline}` }]);
  });

  it('of a pipeline that is not loaded is refused and leaves nothing', async () => {
    await open();
    await expect(fire({ pipeline: 'unknown' })).rejects.toThrow(NotFoundError);
    expect(await bench.triggers()).toEqual([]);
  });

  it('whose transaction fails leaves neither run nor job nor record', async () => {
    await open();
    const failing = transaction(bench.database, async (tx) => {
      await bench.engine.fireIn(tx, { pipeline, kind: 'file', by: 'a test' });
      throw new Error('The end.');
    });
    await expect(failing).rejects.toThrow('The end.');
    expect([await bench.runs(), await bench.triggers(), await bench.jobs()]).toEqual([[], [], []]);
  });
});

describe('a trigger that finds a run waiting', () => {
  it('is merged into it, and the run looks from the later moment', async () => {
    await open();
    const first = await fire();
    bench.clock.advance(60_000);
    const second = await fire({ kind: 'schedule' });
    expect(second).toMatchObject({ outcome: 'merged', run: first.run });
    bench.clock.advance(60_000);
    expect(await fire()).toMatchObject({ outcome: 'merged', run: first.run });
    expect(await bench.runs()).toHaveLength(1);
    expect(await bench.runs()).toMatchObject([{ asOf: '2026-05-04T12:02:00.000Z' }]);
  });

  it('is not merged into one that has started', async () => {
    await open();
    const first = await fire();
    await bench.startRun(first.run ?? '');
    expect(await fire()).toMatchObject({ outcome: 'ran' });
    expect(await bench.runs()).toHaveLength(2);
  });

  it('for an instant is merged only into a run for that instant', async () => {
    await open();
    const asOf = new Date('2026-05-01T00:00:00Z');
    await fire();
    const dated = await fire({ kind: 'request', asOf });
    expect(dated.outcome).toBe('ran');
    expect(await fire({ kind: 'request', asOf })).toMatchObject({ outcome: 'merged', run: dated.run });
    expect(await fire({ asOf: new Date('2026-05-02T00:00:00Z') })).toMatchObject({ outcome: 'ran' });
    expect(await fire()).toMatchObject({
      outcome: 'merged',
      run: expect.not.stringMatching(dated.run ?? '') as string,
    });
  });

  it('does not lose its force: it is merged into a forced run alone', async () => {
    await open();
    await fire();
    const forced = await fire({ force: true });
    expect(forced.outcome).toBe('ran');
    expect(await fire({ force: true })).toMatchObject({ outcome: 'merged', run: forced.run });
  });

  it('is not merged into a run of code that has changed since', async () => {
    await open();
    await fire();
    const changed = await bench.restarted([{ name: pipeline, codeDigest: `sha256:${'1'.repeat(64)}` }]);
    expect(await changed.engine.fire({ pipeline, kind: 'file', by: 'a test' })).toMatchObject({
      outcome: 'ran',
    });
  });

  it('starts one run however many triggers come at the same time', async () => {
    await open();
    const triggers = await Promise.all(Array.from({ length: 20 }, () => fire()));
    expect(new Set(triggers.map((trigger) => trigger.run)).size).toBe(1);
    expect(triggers.filter((trigger) => trigger.outcome === 'ran')).toHaveLength(1);
    expect(await bench.count('triggers')).toBe(20);
  });
});

describe('quiet hours', () => {
  const limits = { quietHours: { from: '22:00', to: '06:30', timezone: 'America/Chicago' } };
  it.each([
    ['2026-05-04T02:59:00Z', '21:59', 'ran'],
    ['2026-05-04T03:00:00Z', '22:00', 'skipped'],
    ['2026-05-04T05:00:00Z', '00:00', 'skipped'],
    ['2026-05-04T11:29:00Z', '06:29', 'skipped'],
    ['2026-05-04T11:30:00Z', '06:30', 'ran'],
  ])('of a zone hold back from evening to morning: %s is %s there', async (now, local, outcome) => {
    await open({ limits }, now);
    const trigger = await fire();
    expect(trigger.outcome).toBe(outcome);
    if (outcome === 'skipped')
      expect(trigger).toMatchObject({
        run: null,
        reason: `It is ${local} in America/Chicago, within the quiet hours from 22:00 to 06:30.`,
      });
  });

  it('within one day hold back between their two ends', async () => {
    await open({ limits: { quietHours: { from: '08:00', to: '20:00', timezone: 'UTC' } } });
    expect(await fire()).toMatchObject({ outcome: 'skipped' });
    bench.clock.set('2026-05-04T20:00:00Z');
    expect(await fire()).toMatchObject({ outcome: 'ran' });
  });

  it.each<TriggerKind>(['request', 'backfill', 'replay'])('do not hold back a %s', async (kind) => {
    await open({ limits: { quietHours: { from: '00:00', to: '23:59', timezone: 'UTC' } } });
    expect(await fire({ kind })).toMatchObject({ outcome: 'ran' });
  });
});

describe('a busy pipeline', () => {
  it('lets a trigger wait by default', async () => {
    await open();
    await bench.startRun((await fire()).run ?? '');
    expect(await fire()).toMatchObject({ outcome: 'ran' });
  });

  it('skips it where it says so, until the run has ended', async () => {
    await open({ limits: { whenBusy: 'skip' } });
    const { run } = await fire();
    await bench.startRun(run ?? '');
    const skipped = await fire();
    expect(skipped).toMatchObject({ outcome: 'skipped', run: null });
    expect(skipped.reason).toMatch(/has not ended/);
    await bench.endRun(run ?? '', 'failed');
    expect(await fire()).toMatchObject({ outcome: 'ran' });
  });
});

describe('the budget of training minutes', () => {
  it('holds back until the next day in UTC once it is spent', async () => {
    await open({ limits: { trainingMinutesPerDay: 30 } });
    const train = async (minutes: number) => {
      const { run } = await fire();
      await bench.startRun(run ?? '');
      await bench.train(run ?? '', minutes);
      await bench.endRun(run ?? '', 'succeeded');
    };
    await train(20);
    await train(11);
    const skipped = await fire();
    expect(skipped).toMatchObject({ outcome: 'skipped' });
    expect(skipped.reason).toBe(
      'Training has taken 31.0 of the 30 minutes that 2026-05-04 (UTC) has for it.',
    );
    expect(await fire({ kind: 'request' })).toMatchObject({ outcome: 'ran' });
    await bench.startRun((await bench.runs())[0]?.id ?? '');
    bench.clock.set('2026-05-05T00:00:00Z');
    expect(await fire()).toMatchObject({ outcome: 'ran' });
  });
});

describe('a request for a run', () => {
  const runs = () => new RunService(bench.parts);
  const origin = '203.0.113.7 req_1';
  it('is answered with the run it started, or the one it was merged into', async () => {
    await open();
    const request = { pipeline, trigger: { kind: 'request' as const, by: 'Ann' }, force: false, origin };
    const run = await runs().start(request);
    expect(run).toMatchObject({ state: 'queued', trigger: { kind: 'request', by: 'Ann' } });
    expect((await runs().start(request)).id).toBe(run.id);
    const change = { by: 'Ann', action: 'run.started', subject: `run:${run.id}`, origin };
    expect(await audited()).toMatchObject([
      { ...change, details: { pipeline, trigger: 'request', outcome: 'merged' } },
      { ...change, details: { pipeline, trigger: 'request', outcome: 'ran' } },
    ]);
  });

  it('and its cancellation are in the audit with who asked, and from where', async () => {
    await open();
    const trigger = { kind: 'request' as const, by: 'Ann' };
    const { id } = await runs().start({ pipeline, trigger, force: false, origin });
    await runs().cancel(id, { by: 'Bob', origin });
    const again = runs().cancel(id, { by: 'Bob', origin });
    await expect(again).rejects.toThrow('cancelled');
    expect(await audited()).toMatchObject([
      { by: 'Bob', action: 'run.cancelled', subject: `run:${id}`, details: { pipeline }, origin },
      { by: 'Ann', action: 'run.started', subject: `run:${id}`, origin },
    ]);
  });

  it("that nobody made is the scheduler's, and one that is skipped changes nothing", async () => {
    await open({ limits: { whenBusy: 'skip' } });
    await fire({ kind: 'staleness', by: 'monitoring', cause: { staleness: 'the data are 9 days old' } });
    const [run] = await bench.runs();
    await bench.startRun(run?.id ?? '');
    expect(await fire()).toMatchObject({ outcome: 'skipped' });
    expect(await audited()).toMatchObject([
      {
        by: 'scheduler',
        action: 'run.started',
        reason: 'the data are 9 days old',
        details: { trigger: 'staleness', by: 'monitoring' },
        origin: 'scheduler',
      },
    ]);
  });

  it('in the name of a kind that limits hold back says why there is no run', async () => {
    await open({ limits: { quietHours: { from: '11:00', to: '13:00', timezone: 'UTC' } } });
    const trigger = { kind: 'file' as const, by: 'a bucket' };
    const refused = runs().start({ pipeline, trigger, force: false, origin });
    await expect(refused).rejects.toThrow(TriggerSkippedError);
    await expect(refused).rejects.toThrow(/within the quiet hours/);
    expect(await bench.triggers()).toMatchObject([{ outcome: 'skipped' }]);
  });
});
