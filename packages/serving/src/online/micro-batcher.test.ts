import { describe, expect, test } from 'vitest';
import type { ColumnBatch, OutputBatch } from '@perennial/onnx';
import { InvalidInstanceError, OverloadedError } from '../errors.ts';
import { InstanceFiller } from '../instances/instance-filler.ts';
import { MicroBatcher, type MicroBatcherOptions } from './micro-batcher.ts';

const rowsOf = (...values: number[]): ColumnBatch => ({
  rows: values.length,
  columns: { x: new Float64Array(values) },
});

const filler = new InstanceFiller({ inputs: [{ name: 'x', type: 'number' }] });

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
    const batcher = new MicroBatcher({ model: 'm', filler, run: doubler.run });
    const answers = Promise.all([answerTo(batcher, 1), answerTo(batcher, 2, 3), answerTo(batcher, 4)]);
    await doubler.letGo();
    expect(await answers).toEqual([[2], [4, 6], [8]]);
    expect(doubler.runs).toEqual([[1, 2, 3, 4]]);
  });

  test('gathers while it is busy, then takes all, first in, first out', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', filler, run: doubler.run });
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
    const batcher = new MicroBatcher({ model: 'm', filler, run: doubler.run, batchRows: 2 });
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
    const batcher = new MicroBatcher({ model: 'm', filler, run: doubler.run });
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
    const batcher = new MicroBatcher({ model: 'flight-delay', filler, run: doubler.run, queueRows: 2 });
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

describe('instances', () => {
  test('join what waits, and one that is refused leaves nothing behind', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', filler, run: doubler.run });
    const first = batcher.submitInstances([{ x: 1 }]);
    expect(() => batcher.submitInstances([{ x: 8 }, { x: 'nine' }])).toThrow(InvalidInstanceError);
    expect(batcher.queuedRows).toBe(1);
    const second = batcher.submitInstances([{ x: 2 }, { x: null }]);
    const third = answerTo(batcher, 3);
    await doubler.letGo();
    expect((await first).offset).toBe(0);
    expect((await second).offset).toBe(1);
    expect(await third).toEqual([6]);
    expect(doubler.runs).toEqual([[1, 2, NaN, 3]]);
  });

  test('that are refused when nothing waits are not run', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', filler, run: doubler.run });
    expect(() => batcher.submitInstances([{ y: 1 }])).toThrow(InvalidInstanceError);
    const answer = answerTo(batcher, 4);
    await doubler.letGo();
    expect(await answer).toEqual([8]);
  });
});

describe('a batch', () => {
  const texts = new InstanceFiller({ inputs: [{ name: 'x', type: 'text' }] });

  test('holds no more bytes than its limit, unless one request alone has more', async () => {
    const runs: number[] = [];
    const run = async ({ rows }: ColumnBatch): Promise<OutputBatch> => {
      runs.push(rows);
      return { kind: 'regression', value: new Float32Array(rows) };
    };
    const batcher = new MicroBatcher({ model: 'm', filler: texts, run, batchBytes: 100 });
    const instances = ['a', 'b'.repeat(100), 'c', 'd'].map((x) => [{ x }]);
    await Promise.all(instances.map((one) => batcher.submitInstances(one)));
    expect(runs).toEqual([2, 2]);
  });

  test('waits no longer than its bytes may', async () => {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', filler: texts, run: doubler.run, queueBytes: 50 });
    void batcher.submitInstances([{ x: 'b'.repeat(100) }]);
    await expect(batcher.submitInstances([{ x: 'a' }])).rejects.toMatchObject({ limit: 50, unit: 'bytes' });
  });

  test('of columns that are not the model’s is computed on its own, for the model to refuse', async () => {
    const columns: unknown[] = [];
    const run = async (batch: ColumnBatch): Promise<OutputBatch> => {
      columns.push(batch.columns);
      return { kind: 'regression', value: new Float32Array(batch.rows) };
    };
    const batcher = new MicroBatcher({ model: 'm', filler, run });
    const odd = { rows: 1, columns: { x: ['a'] } };
    await Promise.all([batcher.submit(rowsOf(1)), batcher.submit(odd), batcher.submit(rowsOf(2))]);
    expect(columns[1]).toBe(odd.columns);
    expect(columns).toHaveLength(3);
  });
});

describe('when runs take long', () => {
  /** Runs take a given time by a clock that the test moves. */
  function paced(millisecondsPerRow: number, options: Partial<MicroBatcherOptions> = {}) {
    const doubler = new Doubler();
    const batcher = new MicroBatcher({ model: 'm', filler, run: doubler.run, ...options });
    for (let i = 0; i < 20; i++) batcher.pace.observe(1 + (i % 5), (1 + (i % 5)) * millisecondsPerRow);
    return { doubler, batcher };
  }

  test('a request that would wait beyond the deadline is refused at once, and not before', async () => {
    const { doubler, batcher } = paced(100, { queueMilliseconds: 250 });
    const taken = [1, 2, 3].map((value) => answerTo(batcher, value));
    expect(batcher.queuedMilliseconds).toBeCloseTo(300);
    await expect(batcher.submitInstances([{ x: 4 }])).rejects.toMatchObject({
      code: 'overloaded',
      limit: 250,
      unit: 'milliseconds',
    });
    for (let run = 0; run < 3; run++) await doubler.letGo();
    expect(await Promise.all(taken)).toEqual([[2], [4], [6]]);
  });

  test('batches become as small as holds up the event loop for a moment only', async () => {
    const { doubler, batcher } = paced(2, { runMilliseconds: 5 });
    const answers = Promise.all([1, 2, 3].map((value) => answerTo(batcher, value)));
    for (let run = 0; run < 2; run++) await doubler.letGo();
    expect(await answers).toEqual([[2], [4], [6]]);
    expect(doubler.runs).toEqual([[1, 2], [3]]);
  });
});
