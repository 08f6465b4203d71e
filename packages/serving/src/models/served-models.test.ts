import { describe, expect, test } from 'vitest';
import { NotFoundError } from '@perennial/contract';
import { NoChampionError, ServingClosedError } from '../errors.ts';
import { ServedPlatform } from '../testing/served-platform.ts';

async function answer(platform: ServedPlatform, model = 'm'): Promise<{ version: number; value: number }> {
  const served = await platform.models.hold(model);
  try {
    const { output, offset } = await served.run(served.read([{ x: 100 }]));
    if (output.kind !== 'regression') throw new Error('Not a regression.');
    return { version: served.champion.version, value: output.value[offset] ?? NaN };
  } finally {
    served.release();
  }
}

/** Waits, turn by turn, until something is so. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a model', () => {
  test('is loaded when it is first asked for, once, however many ask', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    await platform.table.refresh();
    expect(platform.models.loaded()).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => answer(platform)));
    expect(new Set(answers.map(({ value }) => value))).toEqual(new Set([101]));
    expect(platform.swaps).toEqual([1]);
  });

  test('is loaded beforehand when that is asked for; one that cannot be is reported', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    platform.setChampion('broken', { version: 1, artifact: `sha256:${'0'.repeat(64)}` });
    platform.setChampion('none', null);
    await platform.table.refresh();
    await platform.models.preload();
    expect(platform.models.loaded()).toEqual([{ model: 'm', version: 1 }]);
    expect(platform.problems).toHaveLength(1);
  });

  test('that does not exist, or has no champion, is said to', async () => {
    const platform = await ServedPlatform.start();
    platform.setChampion('m', null);
    await platform.table.refresh();
    await expect(platform.models.hold('m')).rejects.toThrow(NoChampionError);
    await expect(platform.models.hold('n')).rejects.toThrow(NotFoundError);
  });

  test('that cannot be loaded fails its request, and is tried again by the next', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    const [[digest, bytes] = ['', new Uint8Array()]] = [...platform.stored];
    platform.stored.clear();
    await platform.table.refresh();
    await expect(platform.models.hold('m')).rejects.toThrow(/No artifact/);
    platform.stored.set(digest, bytes);
    expect(await answer(platform)).toEqual({ version: 1, value: 101 });
  });

  test('is dropped when it loses its champion', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    await platform.table.refresh();
    await answer(platform);
    platform.remove('m');
    await platform.table.refresh();
    expect(platform.models.loaded()).toEqual([]);
    await expect(platform.models.hold('m')).rejects.toThrow(NotFoundError);
  });

  test('is not served after closing', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    await platform.table.refresh();
    await answer(platform);
    await platform.models.close();
    await expect(platform.models.hold('m')).rejects.toThrow(ServingClosedError);
  });
});

describe('a swap', () => {
  test('lets those that hold the old version finish on it, and frees it after the last', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    await platform.table.refresh();
    const held = await platform.models.hold('m');
    platform.promote('m', 2);
    await platform.table.refresh();
    await until(() => platform.swaps.includes(2));

    expect(await answer(platform)).toEqual({ version: 2, value: 102 });
    const { output } = await held.run(held.read([{ x: 1 }]));
    expect(output).toEqual({ kind: 'regression', value: new Float32Array([2]) });
    held.release();
    await expect(held.run(held.read([{ x: 1 }]))).rejects.toThrow(/released/);
  });

  test('goes on with the old version while the new one cannot be loaded, and is made up for', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    await platform.table.refresh();
    await answer(platform);
    platform.setChampion('m', { version: 2, artifact: `sha256:${'0'.repeat(64)}` });
    await platform.table.refresh();
    await until(() => platform.problems.length > 0);
    expect(await answer(platform)).toEqual({ version: 1, value: 101 });

    platform.promote('m', 3);
    await platform.table.refresh();
    await until(() => platform.swaps.includes(3));
    expect(await answer(platform)).toEqual({ version: 3, value: 103 });
  });

  test('under load loses no request, and every answer bears the version that computed it', async () => {
    const platform = await ServedPlatform.start();
    platform.promote('m', 1);
    await platform.table.refresh();
    const last = 30;
    const answers: { version: number; value: number }[] = [];
    const ask = async () => {
      while (!platform.swaps.includes(last)) answers.push(await answer(platform));
      answers.push(await answer(platform));
    };
    const move = async () => {
      for (let version = 2; version <= last; version++) {
        platform.promote('m', version);
        await platform.table.refresh();
        await until(() => platform.swaps.includes(version));
      }
    };
    await answer(platform);
    await Promise.all([move(), ...Array.from({ length: 32 }, ask)]);
    expect(answers.filter(({ version, value }) => value !== 100 + version)).toEqual([]);
    expect(new Set(answers.map(({ version }) => version)).size).toBeGreaterThan(last / 2);
    expect(answers.at(-1)?.version).toBe(last);
    expect(platform.models.loaded()).toEqual([{ model: 'm', version: last }]);
  });
});
