import { describe, expect, test } from 'vitest';
import {
  IdGenerator,
  InvalidRequestError,
  MAX_INSTANCES,
  NotFoundError,
  type PerennialError,
  parseId,
  predictResponseSchema,
  timeOfUuid,
  type Prediction,
} from '@perennial/contract';
import { InvalidInstanceError, JournalClosedError, NoChampionError } from '../errors.ts';
import { readAll } from '../testing/read-journal.ts';
import { PredictionService } from './prediction-service.ts';
import { ServedPlatform, type ServedPlatformOptions } from '../testing/served-platform.ts';

async function platformWithModel(options?: ServedPlatformOptions): Promise<ServedPlatform> {
  const platform = await ServedPlatform.start(options);
  platform.promote('m', 1);
  await platform.table.refresh();
  return platform;
}

async function recorded(platform: ServedPlatform): Promise<Prediction[]> {
  return (await readAll(platform.journal)).map((record) => JSON.parse(record) as Prediction);
}

const xs = (...values: number[]) => values.map((x) => ({ x }));

describe('a prediction', () => {
  test('is answered by the champion with ids, version and mode, as the contract says', async () => {
    const platform = await platformWithModel();
    const response = await platform.service.predict({ model: 'm', request: { instances: xs(1, 2.5) } });
    expect(predictResponseSchema.parse(response)).toEqual(response);
    expect(response).toMatchObject({
      model: 'm',
      version: 1,
      predictions: [
        { mode: 'live', output: { value: 2 } },
        { mode: 'live', output: { value: 3.5 } },
      ],
    });
  });

  test('is on record when it is answered: what was asked, what was answered, by what and when', async () => {
    const platform = await platformWithModel();
    const instances = [{ x: 1 }, { x: null }];
    const { predictions } = await platform.service.predict({
      model: 'm',
      request: { instances, keys: ['k-1', 'k-2'] },
    });
    const records = await recorded(platform);
    expect(records.map(({ id, latencyMicroseconds: _, ...rest }) => ({ ...rest, id: `pred_${id}` }))).toEqual(
      predictions.map((prediction, row) => ({
        id: prediction.id,
        model: 'm',
        version: 1,
        endpoint: 'm',
        key: `k-${row + 1}`,
        features: instances[row],
        output: prediction.output,
        mode: 'live',
        at: '2001-03-04T05:06:07.000Z',
      })),
    );
    for (const record of records) expect(Number.isInteger(record.latencyMicroseconds)).toBe(true);
  });

  test('has the time of the injected clock, in its id as well', async () => {
    const platform = await platformWithModel();
    platform.clock.set('2010-01-01T00:00:00.000Z');
    const { predictions } = await platform.service.predict({ model: 'm', request: { instances: xs(1) } });
    const id = parseId('prediction', predictions[0]?.id ?? '');
    expect(timeOfUuid(id).toISOString()).toBe('2010-01-01T00:00:00.000Z');
    expect((await recorded(platform))[0]).toMatchObject({ id, at: '2010-01-01T00:00:00.000Z', key: null });
  });

  test('that cannot be put on record is not given', async () => {
    const platform = await platformWithModel();
    await platform.journal.close();
    await expect(platform.service.predict({ model: 'm', request: { instances: xs(1) } })).rejects.toThrow(
      JournalClosedError,
    );
  });

  test('of the most instances allowed is computed in pieces, in order, and others are served in between', async () => {
    const platform = await platformWithModel();
    // Without a journal, whose disk has a pace of its own: how many turns of the event loop each takes is all that counts here.
    const { models, clock } = platform;
    const service = new PredictionService({ models, journal: null, ids: new IdGenerator(clock), clock });
    await service.predict({ model: 'm', request: { instances: xs(0) } });
    const instances = Array.from({ length: MAX_INSTANCES }, (_, x) => ({ x }));
    const order: string[] = [];
    const ask = async (name: string, request: { instances: unknown[] }) => {
      const response = await service.predict({ model: 'm', request });
      order.push(name);
      return response;
    };
    const [{ predictions }] = await Promise.all([
      ask('large', { instances }),
      ask('small', { instances: xs(1) }),
    ]);
    expect(predictions.map(({ output }) => output)).toEqual(instances.map(({ x }) => ({ value: x + 1 })));
    expect(order).toEqual(['small', 'large']);
    expect(new Set(predictions.map(({ id }) => id)).size).toBe(MAX_INSTANCES);
  });

  test('of the most instances allowed is on record, row by row', async () => {
    const platform = await platformWithModel();
    const instances = Array.from({ length: MAX_INSTANCES }, (_, x) => ({ x }));
    await platform.service.predict({ model: 'm', request: { instances } });
    expect((await recorded(platform)).map(({ features }) => features)).toEqual(instances);
  });

  test('is answered whole by one version while the champion moves', async () => {
    const platform = await platformWithModel();
    const instances = Array.from({ length: 20_000 }, () => ({ x: 0 }));
    const asked = platform.service.predict({ model: 'm', request: { instances } });
    platform.promote('m', 2);
    await platform.table.refresh();
    const { version, predictions } = await asked;
    expect(new Set(predictions.map(({ output }) => JSON.stringify(output)))).toEqual(
      new Set([`{"value":${version}}`]),
    );
  });

  test('needs no journal when there is none', async () => {
    const platform = await platformWithModel();
    const { models, clock } = platform;
    const service = new PredictionService({ models, journal: null, ids: new IdGenerator(clock), clock });
    expect((await service.predict({ model: 'm', request: { instances: xs(1) } })).predictions).toHaveLength(
      1,
    );
    expect(await recorded(platform)).toEqual([]);
  });
});

describe('a request that is refused', () => {
  const bad: [
    string,
    { instances: unknown[]; keys?: string[] },
    new (...args: never[]) => PerennialError,
    RegExp,
  ][] = [
    ['no instances', { instances: [] }, InvalidRequestError, /1 to 50000 objects, not 0/],
    ['100,000 instances', { instances: Array(100_000).fill({ x: 1 }) }, InvalidRequestError, /not 100000/],
    [
      'fewer keys than instances',
      { instances: xs(1, 2), keys: ['a'] },
      InvalidRequestError,
      /as many as the 2 instances, not 1/,
    ],
    [
      'a key that cannot be stored',
      { instances: xs(1), keys: ['a\0'] },
      InvalidRequestError,
      /keys\[0\] must be without NUL/,
    ],
    [
      'an unknown field',
      { instances: [{ x: 1, y: 2 }] },
      InvalidInstanceError,
      /instances\[0\]\.y is not a field/,
    ],
    ['a missing feature', { instances: [{}] }, InvalidInstanceError, /instances\[0\]\.x is missing/],
    ['a wrong type', { instances: [{ x: true }] }, InvalidInstanceError, /must be a finite number/],
    ['NaN', { instances: [{ x: NaN }] }, InvalidInstanceError, /not NaN/],
    ['infinity', { instances: [{ x: Infinity }] }, InvalidInstanceError, /not Infinity/],
    ['a number as a text', { instances: [{ x: '1' }] }, InvalidInstanceError, /not text/],
    [
      'one bad row among 20,000',
      { instances: [...Array<unknown>(19_999).fill({ x: 1 }), { x: '1' }] },
      InvalidInstanceError,
      /instances\[19999\]\.x/,
    ],
  ];

  test.each(bad)('for %s says so, and leaves nothing on record', async (...[, request, error, message]) => {
    const platform = await platformWithModel();
    const refusal: unknown = await platform.service
      .predict({ model: 'm', request })
      .catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(error);
    expect(refusal).toHaveProperty('message', expect.stringMatching(message));
    expect(await recorded(platform)).toEqual([]);
  });

  test('does not spoil those that are computed with it', async () => {
    const platform = await platformWithModel();
    const ask = (x: unknown) => platform.service.predict({ model: 'm', request: { instances: [{ x }] } });
    const results = await Promise.allSettled([ask(1), ask('two'), ask(3)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await recorded(platform)).map(({ output }) => output)).toEqual([{ value: 2 }, { value: 4 }]);
  });

  test('names a model that does not exist, or has no champion', async () => {
    const platform = await platformWithModel();
    platform.setChampion('idle', null);
    await platform.table.refresh();
    const request = { instances: xs(1) };
    await expect(platform.service.predict({ model: 'nope', request })).rejects.toThrow(NotFoundError);
    const refusal: unknown = await platform.service
      .predict({ model: 'idle', request })
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(NoChampionError);
    expect(refusal).toMatchObject({ code: 'no-champion', message: /'idle' has no champion/ });
  });
});

describe('the observer', () => {
  test('is told of every answer and every refusal', async () => {
    const events: unknown[] = [];
    const observer = {
      predicted: (event: object) => events.push({ ...event, latencyMicroseconds: 0 }),
      failed: ({ error, ...event }: { error: unknown }) =>
        events.push({ ...event, refused: (error as PerennialError).code }),
    };
    const platform = await platformWithModel({ observer });
    await platform.service.predict({ model: 'm', request: { instances: xs(1, 2) }, caller: 'ann' });
    await platform.service.predict({ model: 'm', request: { instances: [] } }).catch(() => undefined);
    const time = expect.any(Number) as number;
    const phases = { validate: time, queue: time, compute: time, record: time, ledBatches: [2] };
    expect(events).toEqual([
      { model: 'm', version: 1, rows: 2, latencyMicroseconds: 0, phases, caller: 'ann' },
      { model: 'm', refused: 'invalid-request' },
    ]);
  });
});
