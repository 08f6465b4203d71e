import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';
import { enqueue } from './enqueue.ts';
import { startWorker, type Worker } from './worker.ts';

let test: TestDatabase;
let worker: Worker | undefined;
beforeEach(async () => {
  test = await createTestDatabase();
});
afterEach(async () => {
  await worker?.stop();
  worker = undefined;
  await test.drop();
});

const addRun = async (series: string): Promise<string> => {
  const run = `run_${randomUUID()}`;
  await enqueue(test.database.orm, { kind: 'run.execute', payload: { run }, series });
  return run;
};

describe('jobs of one series', () => {
  it('run one after the other, in order, while those of another run beside them', async () => {
    const first = [await addRun('a'), await addRun('a'), await addRun('a')];
    const other = await addRun('b');
    const log: string[] = [];
    let otherIsDone = (): void => undefined;
    const besides = new Promise<void>((resolve) => (otherIsDone = resolve));
    const done = new Promise<void>((resolve) => {
      const handler = async ({ run }: { run: string }) => {
        log.push(`${run} begins`);
        // The first of its series ends only once the other series has had its turn.
        if (run === first[0]) await besides;
        log.push(`${run} ends`);
        if (run === other) otherIsDone();
        if (run === first[2]) resolve();
      };
      void startWorker({
        database: test.database,
        concurrency: 4,
        handlers: { 'run.execute': handler },
      }).then((started) => (worker = started));
    });
    await done;
    const own = log.filter((line) => !line.startsWith(other));
    expect(own).toEqual(first.flatMap((run) => [`${run} begins`, `${run} ends`]));
    expect(log.indexOf(`${other} ends`)).toBeLessThan(log.indexOf(`${first[0]} ends`));
  });
});
