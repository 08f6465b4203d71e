import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { JournalEnd } from './journal-end.ts';

test('is read on the other side as it was written', () => {
  const written = new JournalEnd();
  const read = new JournalEnd(written.memory);
  expect(read.read()).toEqual({ segment: 0, offset: 0 });
  const position = { segment: 999_999_999_999, offset: 2 ** 40 + 1 };
  written.write(position);
  expect(read.read()).toEqual(position);
});

test('asks once for each time it is asked to', () => {
  const written = new JournalEnd();
  const read = new JournalEnd(written.memory);
  expect(written.takeQuestion()).toBe(false);
  read.ask();
  expect([written.takeQuestion(), written.takeQuestion()]).toEqual([true, false]);
});

test('is never seen half written, however often it changes meanwhile', async () => {
  const end = new JournalEnd();
  const program = new URL('../../dist/shipping/journal-end.js', import.meta.url);
  // Writes pairs that belong together, without a pause, until it is ended.
  const writer = new Worker(
    `const { workerData } = require('node:worker_threads');
    import(workerData.program).then(({ JournalEnd }) => {
      const end = new JournalEnd(workerData.memory);
      for (let n = 1; ; n++) end.write({ segment: n, offset: n * 3 });
    });`,
    { eval: true, workerData: { program: program.href, memory: end.memory } },
  );
  const seen = new Set<number>();
  while (seen.size < 2_000) {
    const { segment, offset } = end.read();
    if (offset !== segment * 3) expect({ segment, offset }).toBe('of one write');
    seen.add(segment);
    // The writer is started by turns of this loop.
    if (segment === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await writer.terminate();
});
