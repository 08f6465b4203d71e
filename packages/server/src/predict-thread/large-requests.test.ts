import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Digest, Prediction, PredictResponse, RecordSpec } from '@perennial/contract';
import { linearArtifact } from '@perennial/onnx/testing';
import {
  Journal,
  JournalFullError,
  LargeRequests,
  type AppendTerms,
  type LargeRequestsOptions,
} from '@perennial/serving';

const program = new URL('../../dist/predict-thread/main.js', import.meta.url);

/** A model that answers `x + 1`. */
const bytes = linearArtifact({ amount: 1 });
const artifact: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function start(options: Partial<LargeRequestsOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-large-'));
  const journal = await Journal.open({ folder, durability: 'process' });
  const pieces: number[] = [];
  const terms: AppendTerms[] = [];
  let asked = 0;
  const large = new LargeRequests({
    program,
    threads: 1,
    artifact: async () => {
      asked++;
      return bytes;
    },
    append: (given, how) => {
      pieces.push(given.rows);
      terms.push(how);
      return journal.appendFrames(given, how);
    },
    ...options,
  });
  onTestFinished(async () => {
    await large.close();
    await journal.close();
    await rm(folder, { recursive: true });
  });
  return { large, recorded: () => recordedIn(journal), pieces, terms, asked: () => asked };
}

async function recordedIn(journal: Journal): Promise<Prediction[]> {
  const batch = await journal.read().next(10_000);
  return (batch?.records ?? []).map((record) => JSON.parse(record) as Prediction);
}

function job(body: unknown, record: RecordSpec = {}) {
  const encoded = new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
  const at = Date.UTC(2001, 2, 4);
  const about = { model: 'm', version: 7, artifact, at, record, elapsedMicroseconds: 5 };
  return { ...about, body: encoded.slice().buffer };
}

const rows = (count: number) => ({ instances: Array.from({ length: count }, (_, x) => ({ x })) });

describe('a large request', () => {
  it('is put on record as the endpoint has it: a share, without columns that are left out, on its terms', async () => {
    const { large, recorded, terms } = await start();
    await large.answer(job(rows(4_000), { sample: 0.5, redact: ['x'], durability: 'process' }));
    const kept = await recorded();
    expect(kept.length).toBeGreaterThan(1_600);
    expect(kept.length).toBeLessThan(2_400);
    for (const { features } of kept) expect(features).toEqual({});
    expect(new Set(terms.map((how) => JSON.stringify(how)))).toEqual(new Set(['{"durability":"process"}']));
    expect(large.counters).toEqual({ taken: 1, refused: 0 });
  });

  it('is answered row by row, and every row is on record by then, in pieces', async () => {
    const { large, recorded, pieces } = await start();
    const answer = await large.answer(
      job({ ...rows(1_200), keys: Array.from({ length: 1_200 }, (_, i) => `k${i}`) }),
    );
    const response = JSON.parse(new TextDecoder().decode(answer.text)) as PredictResponse;
    expect(response).toMatchObject({ model: 'm', version: 7 });
    expect(response.predictions.map(({ output }) => output)).toEqual(
      Array.from({ length: 1_200 }, (_, x) => ({ value: x + 1 })),
    );
    expect(pieces).toEqual([...Array<number>(9).fill(128), 48]);
    const last = (await recorded()).at(-1)!;
    expect(last).toMatchObject({
      key: 'k1199',
      features: { x: 1_199 },
      output: { value: 1_200 },
      mode: 'live',
    });
    expect(last).toMatchObject({ version: 7, endpoint: 'm', at: '2001-03-04T00:00:00.000Z' });
    expect(`pred_${last.id}`).toBe(response.predictions.at(-1)?.id);
    expect(last.latencyMicroseconds).toBe(answer.latencyMicroseconds);
    expect(new Set(response.predictions.map(({ id }) => id)).size).toBe(1_200);
  });

  it('is refused with what is wrong, and the next is answered', async () => {
    const { large, recorded } = await start();
    await expect(large.answer(job({ instances: [{ x: 1 }, { x: 'two' }] }))).rejects.toMatchObject({
      code: 'invalid-instance',
      details: { issues: [{ path: 'instances[1].x' }], truncated: false },
      transient: false,
    });
    await expect(large.answer(job('{'))).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await recorded()).toEqual([]);
    expect((await large.answer(job(rows(2)))).rows).toBe(2);
  });

  it('that cannot be put on record is not answered', async () => {
    const { large } = await start({ append: () => Promise.reject(new JournalFullError()) });
    await expect(large.answer(job(rows(2_000)))).rejects.toBeInstanceOf(JournalFullError);
  });

  it('of a model that cannot be had fails as that does, and may be asked for again', async () => {
    let tries = 0;
    const artifactOnce = async () => {
      if (++tries === 1) throw new Error('The store is away.');
      return bytes;
    };
    const { large } = await start({ artifact: artifactOnce });
    await expect(large.answer(job(rows(1)))).rejects.toThrow('The store is away.');
    expect((await large.answer(job(rows(1)))).rows).toBe(1);
  });
});

describe('the threads', () => {
  it('take requests in order and ask for a model once, and again when it was forgotten', async () => {
    const { large, recorded, asked } = await start();
    await Promise.all([large.answer(job(rows(3))), large.answer(job(rows(2)))]);
    expect((await recorded()).map(({ features }) => features['x'])).toEqual([0, 1, 2, 0, 1]);
    expect(asked()).toBe(1);
    large.forget(artifact);
    await large.answer(job(rows(1)));
    expect(asked()).toBe(2);
  });

  it('refuse what comes when too much waits', async () => {
    const { large } = await start({ queueBytes: 1 });
    const taken = [large.answer(job(rows(1))), large.answer(job(rows(1)))];
    await expect(large.answer(job(rows(1)))).rejects.toMatchObject({
      code: 'overloaded',
      limit: 1,
      unit: 'bytes',
    });
    expect((await Promise.all(taken)).map(({ rows }) => rows)).toEqual([1, 1]);
  });

  it('answer what they have before they go, and take nothing after', async () => {
    const { large } = await start({ threads: 2 });
    const taken = [1, 2, 3].map((count) => large.answer(job(rows(count))));
    const closed = large.close();
    await expect(large.answer(job(rows(1)))).rejects.toMatchObject({ code: 'unavailable' });
    await closed;
    expect((await Promise.all(taken)).map(({ rows }) => rows)).toEqual([1, 2, 3]);
  });

  it('that cannot start fail the request as one that may be tried again', async () => {
    const { large } = await start({ program: new URL('data:text/javascript,process.exit(3)') });
    await expect(large.answer(job(rows(1)))).rejects.toMatchObject({ code: 'unavailable', transient: true });
  });
});
