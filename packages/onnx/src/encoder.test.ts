import type { EncoderSpec } from '@perennial/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ColumnBatch } from './batch.ts';
import { Encoder } from './encoder.ts';
import { writeEncoder } from './encoder-file.ts';
import { encoderLayout } from './encoder-plan.ts';
import { ArtifactInvalidError, BatchInvalidError, InferenceFailedError } from './errors.ts';
import { encoderSpecs, rowsFor } from './testing/arbitraries.ts';
import { rawColumn, referenceRow, type Row } from './testing/reference-encoder.ts';

function batchOf(spec: EncoderSpec, rows: Row[]): ColumnBatch {
  const columns = spec.columns.map((column) => [column.name, rawColumn(rows, column)] as const);
  return { rows: rows.length, columns: Object.fromEntries(columns) };
}

/** Whether two numbers are the same float32, give or take the last places of a logarithm or sine. */
function isClose(found: number, expected: number): boolean {
  const rounded = Math.fround(expected);
  if (Object.is(found, rounded) || found === rounded) return true;
  return Math.abs(found - rounded) <= 1e-6 * Math.max(1, Math.abs(rounded));
}

function differences(
  spec: EncoderSpec,
  rows: Row[],
  encoded: Awaited<ReturnType<Encoder['encode']>>,
): string[] {
  const { denseColumns, denseWidth } = encoderLayout(spec);
  return rows.flatMap((row, i) => {
    const expected = referenceRow(spec, row);
    const dense = denseColumns.flatMap((column, j) => {
      const found = encoded.dense?.[i * denseWidth + j] ?? NaN;
      const wanted = expected.dense.get(column) ?? NaN;
      return isClose(found, wanted) ? [] : [`row ${i}, ${column}: ${found}, not ${wanted}`];
    });
    const indices = [...expected.indices].flatMap(([feature, wanted]) => {
      const found = encoded.indices[feature]?.[i];
      return found === BigInt(wanted) ? [] : [`row ${i}, ${feature}: ${found}, not ${wanted}`];
    });
    return [...dense, ...indices];
  });
}

async function encodeOnce(spec: EncoderSpec, rows: Row[]) {
  const encoder = await Encoder.create(spec);
  const encoded = await encoder.encode(batchOf(spec, rows));
  await encoder.release();
  return encoded;
}

const date: EncoderSpec = {
  columns: [{ name: 'date', type: 'timestamp' }],
  features: [
    {
      kind: 'timestamp',
      name: 'date',
      column: 'date',
      parts: ['minuteOfHour', 'hourOfDay', 'minuteOfDay', 'dayOfWeek', 'dayOfMonth', 'dayOfYear', 'month'],
      cyclic: false,
    },
  ],
};

describe('Encoder', () => {
  it('encodes any rows of any spec as the plain reference does', async () => {
    const cases = encoderSpecs.chain((spec) => fc.tuple(fc.constant(spec), rowsFor(spec)));
    await fc.assert(
      fc.asyncProperty(cases, async ([spec, rows]) => {
        expect(differences(spec, rows, await encodeOnce(spec, rows))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('names exactly the columns and indices that the reference has', () => {
    fc.assert(
      fc.property(encoderSpecs, (spec) => {
        const layout = encoderLayout(spec);
        const reference = referenceRow(
          spec,
          Object.fromEntries(spec.columns.map(({ name }) => [name, null])),
        );
        expect(new Set(layout.denseColumns)).toEqual(new Set(reference.dense.keys()));
        expect(layout.denseColumns).toHaveLength(reference.dense.size);
        expect(layout.embeddings.map(({ feature }) => feature)).toEqual([...reference.indices.keys()]);
      }),
    );
  });

  it('reads every day of 400 years, and the instants around midnight, as the calendar does', async () => {
    const day = 86_400_000;
    const first = Date.UTC(1799, 11, 25);
    const rows = Array.from({ length: 146_097 + 20 }, (_, i) => ({ date: first + i * day - (i % 2) }));
    expect(differences(date, rows, await encodeOnce(date, rows))).toEqual([]);
  });

  it('reads a timestamp at the ends of the int64 range without failing', async () => {
    const encoder = await Encoder.create(date);
    const ends = BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n) + 1n);
    const { dense } = await encoder.encode({ rows: 2, columns: { date: ends } });
    await encoder.release();
    expect(dense?.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('looks numbers up by the number that an entry spells, its own way of printing first', async () => {
    const spec: EncoderSpec = {
      columns: [{ name: 'gate', type: 'number' }],
      features: [
        {
          kind: 'categorical',
          name: 'gate',
          column: 'gate',
          vocabulary: ['5.0', '5', 'x', '1e3', ' 7', '0'],
          encoding: { kind: 'embedding', dimension: 2 },
        },
      ],
    };
    const gate = Float64Array.of(5, 1000, 7, -0, NaN, 0.5);
    const encoder = await Encoder.create(spec);
    const { indices, dense } = await encoder.encode({ rows: 6, columns: { gate } });
    await encoder.release();
    expect(indices.gate).toEqual(BigInt64Array.of(3n, 5n, 1n, 7n, 0n, 1n));
    expect(dense).toBeNull();
  });

  it('opens from the bytes of its file', async () => {
    const encoder = await Encoder.create(writeEncoder(date));
    const { dense } = await encoder.encode({ rows: 1, columns: { date: BigInt64Array.of(0n) } });
    await encoder.release();
    expect(encoder.spec).toEqual(date);
    // 1970-01-01 was a Thursday.
    expect(dense).toEqual(Float32Array.of(0, 0, 0, Math.fround(3 / 7), 0, 0, 0, 0));
  });

  it('refuses bytes that are no encoder', async () => {
    await expect(Encoder.create(new Uint8Array([1, 2, 3]))).rejects.toThrow(ArtifactInvalidError);
    await expect(Encoder.create(new Uint8Array())).rejects.toThrow(ArtifactInvalidError);
  });

  it('answers a batch of no rows with empty tensors', async () => {
    const encoder = await Encoder.create(date);
    const { dense } = await encoder.encode({ rows: 0, columns: { date: new BigInt64Array(0) } });
    await encoder.release();
    expect(dense).toEqual(new Float32Array(0));
  });

  it('names the column that a batch lacks, or that has another type or length', async () => {
    const encoder = await Encoder.create(date);
    const encode = (columns: ColumnBatch['columns']) => encoder.encode({ rows: 1, columns });
    await expect(encode({})).rejects.toThrow("Column 'date' is not in the batch.");
    await expect(encode({ date: new Float64Array(1) })).rejects.toThrow(BatchInvalidError);
    await expect(encode({ date: new BigInt64Array(2) })).rejects.toThrow(
      "Column 'date' has 2 rows where the batch has 1.",
    );
    await encoder.release();
  });

  it('finishes what is under way before it is released, and refuses what comes after', async () => {
    const encoder = await Encoder.create(date);
    const batch = { rows: 1, columns: { date: BigInt64Array.of(0n) } };
    const underWay = [encoder.encode(batch), encoder.encode(batch)];
    const released = encoder.release();
    await expect(encoder.encode(batch)).rejects.toThrow(InferenceFailedError);
    expect((await Promise.all(underWay)).map(({ dense }) => dense?.length)).toEqual([8, 8]);
    await released;
    await encoder.release();
  });
});
