import { describe, expect, test } from 'vitest';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { OverloadedError } from '../errors.ts';
import { joinBatches } from './join-batches.ts';
import { MicroBatcher } from './micro-batcher.ts';

const rowsOf = (...values: number[]): ColumnBatch => ({
  rows: values.length,
  columns: { x: new Float64Array(values) },
});

/** Doubles every x; each run waits until it is let go. A negative x makes the whole run fail. */
class Doubler {
  readonly runs: number[][] = [];
  readonly #doors: (() => void)[] = [];

  readonly run = async (batch: ColumnBatch): Promise<OutputBatch> => {
    const values = [...(batch.columns['x'] as Float64Array)];
    this.runs.push(values);
    await new Promise<void>((resolve) => this.#doors.push(resolve));
    if (values.some((value) => value < 0)) throw new Error('negative');
    return { kind: 'regression', value: Float32Array.from(values, (value) => value * 2) };
  };

  /** Lets the oldest run go, once there is one. */
  async letGo(): Promise<void> {
    while (this.#doors.length === 0) await new Promise((resolve) => setImmediate(resolve));
    this.#doors.shift()?.();
  }
}

async function answerTo(batcher: MicroBatcher, ...values: number[]): Promise<number[]> {
  const { output, offset } = await batcher.submit(rowsOf(...values));
  if (output.kind !== 'regression') throw new Error('Not a regression.');
  return [...output.value.subarray(offset, offset + values.length)];
}

describe('the micro-batcher', () => {
  test('computes the requests of one turn together and gives each its own rows', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', run: doubler.run });
    const answers = Promise.all([answerTo(batcher, 1), answerTo(batcher, 2, 3), answerTo(batcher, 4)]);
    await doubler.letGo();
    expect(await answers).toEqual([[2], [4, 6], [8]]);
    expect(doubler.runs).toEqual([[1, 2, 3, 4]]);
  });

  test('gathers while it is busy, then takes all, first in, first out', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', run: doubler.run });
    const first = answerTo(batcher, 1);
    while (doubler.runs.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const rest = Promise.all([2, 3, 4].map((value) => answerTo(batcher, value)));
    expect(batcher.queuedRows).toBe(3);
    await doubler.letGo();
    expect(await first).toEqual([2]);
    await doubler.letGo();
    expect(await rest).toEqual([[4], [6], [8]]);
    expect(doubler.runs).toEqual([[1], [2, 3, 4]]);
  });

  test('takes no more rows at once than its limit, unless one request alone has more', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', run: doubler.run, batchRows: 2 });
    const answers = Promise.all([
      answerTo(batcher, 1),
      answerTo(batcher, 2, 3, 4),
      answerTo(batcher, 5),
      answerTo(batcher, 6),
    ]);
    for (let run = 0; run < 3; run++) await doubler.letGo();
    expect(await answers).toEqual([[2], [4, 6, 8], [10], [12]]);
    expect(doubler.runs).toEqual([[1], [2, 3, 4], [5, 6]]);
  });

  test('runs the requests of a failed batch one by one, so that only the guilty one fails', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', run: doubler.run });
    const answers = Promise.allSettled([answerTo(batcher, 1), answerTo(batcher, -1), answerTo(batcher, 2)]);
    for (let run = 0; run < 4; run++) await doubler.letGo();
    expect(await answers).toMatchObject([
      { status: 'fulfilled', value: [2] },
      { status: 'rejected', reason: { message: 'negative' } },
      { status: 'fulfilled', value: [4] },
    ]);
  });

  test('refuses requests while too many rows wait', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'flight-delay', run: doubler.run, queueRows: 2 });
    const taken = Promise.all([answerTo(batcher, 1), answerTo(batcher, 2)]);
    const refusal: unknown = await answerTo(batcher, 3).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OverloadedError);
    expect(refusal).toMatchObject({ code: 'overloaded', transient: true, message: /flight-delay.*2 rows/ });
    await doubler.letGo();
    expect(await taken).toEqual([[2], [4]]);
    const later = answerTo(batcher, 5);
    await doubler.letGo();
    expect(await later).toEqual([10]);
  });
});

describe('joinBatches', () => {
  test('puts the rows of every column type one after another', () => {
    const batch = (x: number, text: string, at: bigint): ColumnBatch => ({
      rows: 1,
      columns: { x: new Float64Array([x]), text: [text], at: new BigInt64Array([at]) },
    });
    const joined = joinBatches([batch(1, 'a', 10n), batch(NaN, '', -5n)]);
    expect(joined.rows).toBe(2);
    expect({ ...joined.columns }).toEqual({
      x: new Float64Array([1, NaN]),
      text: ['a', ''],
      at: new BigInt64Array([10n, -5n]),
    });
  });
});
