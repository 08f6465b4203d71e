import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { ColdStartLateError, OverloadedError } from '../errors.ts';
import { addingArtifact } from '../testing/adding-artifact.ts';
import { ServedPlatform, type ServedPlatformOptions } from '../testing/served-platform.ts';
import type { Delay } from '../waiting/delay.ts';
import { sessionBytes } from './session-memory.ts';

/** What one of the test's models takes. */
const ONE = sessionBytes({ artifactBytes: addingArtifact(1).bytes.length, columns: 1 });

/** A platform with models `m1` to `m<count>`, none of them loaded; model `m<n>` answers x + n. */
async function platformOf(
  count: number,
  models: ServedPlatformOptions['models'] = {},
): Promise<ServedPlatform> {
  const platform = await ServedPlatform.start({ models });
  for (let n = 1; n <= count; n++) platform.promote(`m${n}`, n);
  await platform.table.refresh();
  return platform;
}

async function ask(platform: ServedPlatform, n: number): Promise<number> {
  const served = await platform.models.hold(`m${n}`);
  try {
    const { output, offset } = await served.run(served.read([{ x: 0 }]));
    if (output.kind !== 'regression') throw new Error('Not a regression.');
    return output.value[offset] ?? NaN;
  } finally {
    served.release();
  }
}

const loadedNames = ({ models }: ServedPlatform) => models.loaded().map(({ model }) => model);
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Deadlines that come when the test says so. */
function manualDelay(): { delay: Delay; expire: () => void } {
  const due = new Set<() => void>();
  const delay: Delay = (_, signal) =>
    new Promise((resolve) => {
      due.add(resolve);
      signal.addEventListener('abort', () => resolve());
    });
  return { delay, expire: () => due.forEach((resolve) => resolve()) };
}

describe('under a memory budget', () => {
  test('the model that was not used for longest is let go, and loaded again when it is asked for', async () => {
    const platform = await platformOf(4, { memoryBytes: 3 * ONE });
    for (const n of [1, 2, 3, 1, 4]) expect(await ask(platform, n)).toBe(n);
    expect(loadedNames(platform).sort()).toEqual(['m1', 'm3', 'm4']);
    expect(await ask(platform, 2)).toBe(2);
    expect(loadedNames(platform).sort()).toEqual(['m1', 'm2', 'm4']);
    expect(platform.models.counters).toMatchObject({ loads: 5, evictions: 2, residents: 3 });
  });

  test('whatever is asked for, in any order and at once, is answered by its own model, and never more is loaded than fits', async () => {
    const platform = await platformOf(8, { memoryBytes: 3 * ONE });
    const rounds = fc.array(fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        for (const round of all) {
          expect(await Promise.all(round.map((n) => ask(platform, n)))).toEqual(round);
          expect(platform.models.counters.residentBytes).toBeLessThanOrEqual(3 * ONE);
        }
      }),
      { numRuns: 25 },
    );
  });

  test('a model that a request holds is never let go: who needs the room waits for the request', async () => {
    const platform = await platformOf(2, { memoryBytes: ONE });
    const held = await platform.models.hold('m1');
    const waiting = ask(platform, 2);
    for (let i = 0; i < 20; i++) await turn();
    expect(loadedNames(platform)).toEqual(['m1']);
    const { output } = await held.run(held.read([{ x: 1 }]));
    expect(output).toEqual({ kind: 'regression', value: new Float32Array([2]) });
    held.release();
    expect(await waiting).toBe(2);
    expect(loadedNames(platform)).toEqual(['m2']);
  });

  test('a model that is larger than all of it is loaded when nothing else is', async () => {
    const platform = await platformOf(2, { memoryBytes: 1 });
    expect(await ask(platform, 1)).toBe(1);
    expect(await ask(platform, 2)).toBe(2);
    expect(loadedNames(platform)).toEqual(['m2']);
  });

  test('as many are loaded beforehand as fit', async () => {
    const platform = await platformOf(5, { memoryBytes: 3.5 * ONE });
    await platform.models.preload();
    expect(loadedNames(platform)).toEqual(['m1', 'm2', 'm3']);
    expect(platform.models.counters.evictions).toBe(0);
  });

  test('a new champion takes over while the old one is held, although there is no room for both', async () => {
    const platform = await platformOf(1, { memoryBytes: ONE });
    const held = await platform.models.hold('m1');
    platform.promote('m1', 7);
    await platform.table.refresh();
    while (!platform.swaps.includes(7)) await turn();
    expect(await ask(platform, 1)).toBe(7);
    expect(platform.models.residents().map(({ version, state }) => ({ version, state }))).toEqual([
      { version: 7, state: 'resident' },
      { version: 1, state: 'leaving' },
    ]);
    held.release();
    for (let i = 0; i < 5; i++) await turn();
    expect(platform.models.counters.residentBytes).toBe(ONE);
  });
});

describe('cold requests', () => {
  test('beyond those that may wait are refused, and the others answered', async () => {
    const platform = await platformOf(6, { coldRequests: 4 });
    const asked = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((n) => ask(platform, n)));
    expect(asked.slice(0, 4).map((one) => one.status === 'fulfilled' && one.value)).toEqual([1, 2, 3, 4]);
    for (const one of asked.slice(4))
      expect(one).toMatchObject({ reason: expect.any(OverloadedError) as unknown });
    expect(platform.models.counters).toMatchObject({ coldRequests: 4, coldRefused: 2, coldWaiting: 0 });
  });

  test('that wait for too long are refused, what they waited for is given up, and the next one is served', async () => {
    const { delay, expire } = manualDelay();
    const platform = await platformOf(2, { memoryBytes: ONE, delay });
    const held = await platform.models.hold('m1');
    const late = ask(platform, 2);
    for (let i = 0; i < 20; i++) await turn();
    expire();
    await expect(late).rejects.toThrow(ColdStartLateError);
    while (platform.models.residents().length > 1) await turn();
    held.release();
    expect(await ask(platform, 2)).toBe(2);
  });

  test('of one model load it once', async () => {
    const platform = await platformOf(1);
    expect(await Promise.all([1, 1, 1, 1].map((n) => ask(platform, n)))).toEqual([1, 1, 1, 1]);
    expect(platform.models.counters.loads).toBe(1);
  });
});

describe('a model that is loaded', () => {
  test('can be held at once, and one that is not cannot', async () => {
    const platform = await platformOf(1);
    expect(platform.models.holdIfLoaded('m1')).toBeUndefined();
    await ask(platform, 1);
    const held = platform.models.holdIfLoaded('m1');
    expect(held?.champion.version).toBe(1);
    held?.release();
    platform.remove('m1');
    await platform.table.refresh();
    expect(platform.models.holdIfLoaded('m1')).toBeUndefined();
  });

  test('tells what it takes and what it was asked', async () => {
    const platform = await platformOf(2);
    await ask(platform, 1);
    await ask(platform, 1);
    const held = await platform.models.hold('m2');
    const now = platform.clock.now();
    expect(platform.models.residents()).toEqual([
      {
        model: 'm2',
        version: 2,
        state: 'resident',
        bytes: ONE,
        requests: 1,
        users: 2,
        loadedAt: now,
        lastUsedAt: now,
      },
      {
        model: 'm1',
        version: 1,
        state: 'resident',
        bytes: ONE,
        requests: 2,
        users: 0,
        loadedAt: now,
        lastUsedAt: now,
      },
    ]);
    held.release();
  });
});

describe('a version by its number', () => {
  const version = async (platform: ServedPlatform, n: number) => {
    const served = await platform.models.holdVersion('m1', n);
    try {
      const { output } = await served.run(served.read([{ x: 0 }]));
      return { version: served.champion.version, output };
    } finally {
      served.release();
    }
  };
  const answered = (n: number) => ({
    version: n,
    output: { kind: 'regression', value: new Float32Array([n]) },
  });

  test('answers beside the champion, which shares its session when it is the one asked for', async () => {
    const platform = await platformOf(1);
    platform.promote('m1', 3);
    await platform.table.refresh();
    expect(await version(platform, 1)).toEqual(answered(1));
    expect(await version(platform, 3)).toEqual(answered(3));
    expect(await version(platform, 1)).toEqual(answered(1));
    expect(platform.models.counters.loads).toBe(2);
    expect(platform.models.loaded()).toEqual([{ model: 'm1', version: 3 }]);
  });

  test('becomes the champion without being loaded anew', async () => {
    const platform = await platformOf(1);
    platform.promote('m1', 3);
    platform.promote('m1', 1);
    await platform.table.refresh();
    expect(await ask(platform, 1)).toBe(1);
    expect(await version(platform, 3)).toEqual(answered(3));
    platform.promote('m1', 3);
    await platform.table.refresh();
    while (!platform.swaps.includes(3)) await turn();
    expect(await ask(platform, 1)).toBe(3);
    expect(platform.models.counters.loads).toBe(2);
  });

  test('is refused when nobody has approved it, or there is none', async () => {
    const platform = await platformOf(1);
    platform.promote('m1', 2);
    const evidence = platform.evidence.get('m1@2');
    if (!evidence) throw new Error('No evidence.');
    platform.evidence.set('m1@2', { ...evidence, envelope: null });
    platform.promote('m1', 1);
    await platform.table.refresh();
    await expect(version(platform, 2)).rejects.toMatchObject({ code: 'version-not-approved' });
    await expect(version(platform, 9)).rejects.toMatchObject({ code: 'version-not-found' });
    await expect(platform.models.holdVersion('m5', 1)).rejects.toMatchObject({ code: 'model-not-found' });
  });
});
