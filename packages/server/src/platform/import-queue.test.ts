import { expect, it } from 'vitest';
import { TooManyImportsError } from '../errors.ts';
import { ImportQueue } from './import-queue.ts';

it('takes one file after the other, and goes on after a failure', async () => {
  const queue = new ImportQueue();
  const done: string[] = [];
  let running = 0;
  const work = (name: string) => async () => {
    running += 1;
    expect(running).toBe(1);
    await Promise.resolve();
    running -= 1;
    done.push(name);
    if (name === 'b') throw new Error(name);
  };
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => queue.run(work(name))));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(done).toEqual(['a', 'b', 'c']);
});

it('refuses more files than may wait, and takes them again when there is room', async () => {
  const queue = new ImportQueue();
  const waits = [() => undefined as void].slice(1);
  const held = Array.from({ length: 4 }, () =>
    queue.run(() => new Promise<void>((resolve) => waits.push(resolve))),
  );
  expect(() => queue.run(async () => undefined)).toThrow(TooManyImportsError);
  for (const one of held) {
    await Promise.resolve();
    while (waits.length === 0) await Promise.resolve();
    waits.shift()?.();
    await one;
  }
  expect(await queue.run(async () => 'taken')).toBe('taken');
});
