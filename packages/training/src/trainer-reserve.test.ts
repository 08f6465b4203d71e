import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Flights } from './testing/flights.ts';
import { train } from './train.ts';
import { TrainerReserve } from './trainer-reserve.ts';

let flights: Flights;
beforeAll(async () => {
  flights = await Flights.create();
});
afterAll(() => flights.remove());

describe('a process that waits for its training', () => {
  it('is taken once, and writes the bytes that any other writes', async () => {
    const reserve = new TrainerReserve({ folder: flights.folder });
    reserve.prepare();
    const ready = await train(flights.job(), { reserve });
    expect(reserve.take()).toBeUndefined();
    const fresh = await train(flights.job(), { reserve });
    expect(await readFile(ready.outputFile)).toEqual(await readFile(fresh.outputFile));
  });

  it("is one, however often it is asked for, and the taker's to end", async () => {
    const reserve = new TrainerReserve({ folder: flights.folder });
    reserve.prepare();
    reserve.prepare();
    const child = reserve.take()!;
    expect(reserve.take()).toBeUndefined();
    const ended = once(child, 'exit');
    reserve.close();
    child.kill('SIGTERM');
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  it('that has died is passed over', async () => {
    const reserve = new TrainerReserve({ folder: flights.folder });
    reserve.prepare();
    reserve.close();
    const { result } = await train(flights.job(), { reserve });
    expect(result.epochs).toHaveLength(2);
  });
});
