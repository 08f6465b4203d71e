import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidRequestError, NotFoundError, parseId, type Precomputation } from '@perennial/contract';
import { ModeNotServedError, NoChampionError } from '@perennial/serving';
import { dropPrecomputed, getEndpoint, transaction, eraseRowsOfKey } from '@perennial/storage';
import { MODEL, PrecomputationBench, job } from '../testing/precomputation-bench.ts';

let bench: PrecomputationBench;
beforeEach(async () => {
  bench = await PrecomputationBench.open();
});
afterEach(() => bench.close());

const live = async () => (await getEndpoint(bench.database.orm, MODEL)).precomputation;

/** One that is begun: its chunks are queued. */
async function begun(keys?: string) {
  const asked = await bench.start(keys);
  await bench.executor().start(asked.id, job());
  return bench.read(asked);
}

describe('a precomputation', () => {
  it('scores every entity with the champion, in parallel chunks, and is put into use with the last', async () => {
    await bench.promote(100);
    await bench.entities(45);
    const running = await begun();
    expect(running).toMatchObject({ state: 'running', version: 1, rows: 45, done: 0, cause: 'request' });
    expect(await bench.left(running)).toEqual([0, 1, 2, 3, 4]);
    await bench.executor().chunk(running.id, 2, job());
    expect(await bench.read(running)).toMatchObject({ state: 'running', done: 10 });
    expect(await live()).toBeNull();
    expect(await bench.scoreAll(running)).toMatchObject({ state: 'live', done: 45, refused: 0, error: null });
    expect(await live()).toBe(running.id);
    const answers = await bench.answers(running);
    expect([...answers.values()].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 45 }, (_, x) => x + 100),
    );
    expect(answers.get('k007')).toBe(107);
  });

  it('goes on where a worker that was stopped between its chunks left it', async () => {
    await bench.promote(1);
    await bench.entities(30);
    const running = await begun();
    await bench.executor().chunk(running.id, 0, job());
    const stopped = new AbortController();
    stopped.abort(new Error('the worker stops'));
    const cut = bench.executor().chunk(running.id, 1, job({ signal: stopped.signal }));
    await expect(cut).rejects.toThrow('the worker stops');
    expect(await bench.read(running)).toMatchObject({ state: 'running', done: 10 });
    expect(await bench.scoreAll(running)).toMatchObject({ state: 'live', done: 30 });
  });

  it('does no harm when its jobs come twice', async () => {
    await bench.promote(1);
    await bench.entities(20);
    const running = await begun();
    await bench.executor().start(running.id, job());
    const twice = [0, 0, 1, 1].map((chunk) => bench.executor().chunk(running.id, chunk, job()));
    await Promise.all(twice);
    expect(await bench.read(running)).toMatchObject({ state: 'live', rows: 20, done: 20 });
    expect((await bench.answers(running)).size).toBe(20);
  });

  it('counts entities whose rows the version cannot read, and leaves them out', async () => {
    await bench.promote(1);
    await bench.entities(20, (x) => (x === 3 ? { x: 'three' } : x === 13 ? { y: 1 } : { x, y: 1 }));
    const done = await bench.scoreAll(await begun());
    expect(done).toMatchObject({ state: 'live', done: 20, refused: 2 });
    const answers = await bench.answers(done);
    expect(answers.size).toBe(18);
    expect(answers.has('k003') || answers.has('k013')).toBe(false);
  });

  it('takes the entities that a condition picks, and no chunk that has none of them', async () => {
    await bench.promote(0);
    await bench.entities(30);
    const done = await bench.scoreAll(await begun("x >= 25 or key = 'k003'"));
    expect(done).toMatchObject({ state: 'live', rows: 6, done: 6 });
    expect([...(await bench.answers(done)).keys()].toSorted()).toEqual([
      'k003',
      'k025',
      'k026',
      'k027',
      'k028',
      'k029',
    ]);
  });

  it('has no answer for a key that was erased while its chunk was scored', async () => {
    await bench.promote(1);
    await bench.entities(10);
    const running = await begun();
    await transaction(bench.database, (tx) => eraseRowsOfKey(tx, 'k004', bench.clock.now()));
    // As one that had read the row before it was erased.
    await bench.database.sql`
      insert into entity_features (model, key, features, at, dataset)
      values (${MODEL}, 'k004', '{"x": 4}', ${bench.clock.now()}, 'd')`;
    const done = await bench.scoreAll(running);
    expect((await bench.answers(done)).has('k004')).toBe(false);
  });
});

describe('a precomputation that comes late', () => {
  it('is not put into use once its version is not the champion any more', async () => {
    await bench.promote(1);
    await bench.entities(20);
    const running = await begun();
    await bench.executor().chunk(running.id, 0, job());
    await bench.promote(2);
    expect(await bench.scoreAll(running)).toMatchObject({ state: 'superseded' });
    expect(await live()).toBeNull();
  });

  it('makes way for a newer one, and never takes its place back', async () => {
    await bench.promote(1);
    await bench.entities(20);
    const first = await begun();
    const second = await begun();
    expect(await bench.read(first)).toMatchObject({ state: 'superseded' });
    // As one whose last chunk was being written when the newer one was asked for.
    await bench.database.sql`
      update precomputations set state = 'running' where id = ${parseId('precomputation', first.id)}`;
    expect(await bench.scoreAll(second)).toMatchObject({ state: 'live' });
    expect(await bench.scoreAll(first)).toMatchObject({ state: 'superseded' });
    expect(await live()).toBe(second.id);
  });

  it('is cancelled, and what answers goes on answering', async () => {
    await bench.promote(1);
    await bench.entities(20);
    const first = await bench.scoreAll(await begun());
    const second = await begun();
    await bench.executor().chunk(second.id, 0, job());
    const cancel = () => bench.service.cancel({ model: MODEL, id: second.id, by: 'test', origin: 'test' });
    expect(await cancel()).toMatchObject({ state: 'cancelled' });
    expect(await bench.scoreAll(second)).toMatchObject({ state: 'cancelled', done: 10 });
    expect(await live()).toBe(first.id);
    expect((await bench.answers(second)).size).toBe(0);
    expect((await bench.answers(first)).size).toBe(20);
    expect(await cancel()).toMatchObject({ state: 'cancelled' });
    const foreign = { model: 'other', id: second.id, by: 'test', origin: 'test' };
    await expect(bench.service.cancel(foreign)).rejects.toThrow(NotFoundError);
  });
});

describe('the answers of a precomputation that was replaced', () => {
  const HOUR = 3_600_000;

  it('are kept for a day, as the way back, and those before for ten minutes', async () => {
    await bench.promote(1);
    await bench.entities(20);
    const tables: Precomputation[] = [];
    for (let table = 0; table < 3; table++) {
      tables.push(await bench.scoreAll(await begun()));
      bench.clock.advance(1_000);
    }
    const sizes = async () => Promise.all(tables.map(async (table) => (await bench.answers(table)).size));
    const drop = () => dropPrecomputed(bench.database, { now: bench.clock.now() });
    expect(await drop()).toBe(0);
    bench.clock.advance(HOUR);
    expect(await drop()).toBe(20);
    expect(await sizes()).toEqual([0, 20, 20]);
    bench.clock.advance(24 * HOUR);
    expect(await drop()).toBe(20);
    expect(await sizes()).toEqual([0, 0, 20]);
    expect(await drop()).toBe(0);
  });
});

describe('what cannot be precomputed', () => {
  it('is refused where the model is not there, has no champion, or is not served so', async () => {
    await expect(bench.start()).rejects.toThrow(NotFoundError);
    await bench.promote(1);
    await bench.serve({ modes: ['online'] });
    await expect(bench.start()).rejects.toThrow(ModeNotServedError);
    await bench.serve({ modes: ['offline'] });
    await bench.database.sql`delete from aliases`;
    await expect(bench.start()).rejects.toThrow(NoChampionError);
    await expect(bench.start('x > 1')).rejects.toThrow(NoChampionError);
  });

  it('is refused for a condition that is none', async () => {
    await bench.promote(1);
    await expect(bench.start('z > 1')).rejects.toThrow(InvalidRequestError);
    await expect(bench.start('x > (select count(*) from pg_shadow)')).rejects.toThrow(InvalidRequestError);
  });

  it('fails where there are no entities, or none that the condition picks', async () => {
    await bench.promote(1);
    const none = await begun();
    expect(none).toMatchObject({ state: 'failed', error: { code: 'entity-not-found' } });
    await bench.entities(5);
    expect(await begun('x > 100')).toMatchObject({ state: 'failed', error: { code: 'entity-not-found' } });
    expect(await live()).toBeNull();
  });

  it('fails where the condition cannot be evaluated for a row', async () => {
    await bench.promote(1);
    await bench.entities(5);
    expect(await begun('cast(key as integer) > 1')).toMatchObject({
      state: 'failed',
      error: { code: 'invalid-request' },
    });
  });

  it('fails where the bytes are not those that were approved, or its jobs end their worker each time', async () => {
    await bench.promote(1);
    await bench.entities(5);
    const running = await begun();
    await bench.database.sql`update precomputations set artifact = ${`sha256:${'0'.repeat(64)}`}`;
    await bench.executor().chunk(running.id, 0, job());
    expect(await bench.read(running)).toMatchObject({
      state: 'failed',
      error: { code: 'signature-invalid' },
    });
    const fatal = await bench.start();
    await bench.executor().start(fatal.id, job({ attempt: 9 }));
    expect(await bench.read(fatal)).toMatchObject({ state: 'failed', error: { code: 'internal' } });
  });
});
