import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MISSING_TIMESTAMP, type InputColumn, type Signature } from '@perennial/contract';
import { compileReader } from '../instances/instance-reader.ts';
import { rowKey, takeRows } from './row-keys.ts';

const COLUMNS: InputColumn[] = [
  { name: 'a', type: 'text' },
  { name: 'b', type: 'text' },
  { name: 'n', type: 'number' },
  { name: 'f', type: 'boolean' },
  { name: 't', type: 'timestamp' },
];
const SIGNATURE: Signature = { inputs: COLUMNS, output: { kind: 'regression' } };
const read = compileReader(SIGNATURE);
const keyOf = (instance: unknown) => rowKey(COLUMNS, read([instance]), 0);

const text = fc.string({ unit: fc.constantFrom('a', ';', ':', '1', '0', '-'), maxLength: 4 });
const instances = fc.record({
  a: fc.option(text),
  b: fc.option(text),
  n: fc.option(
    fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(0, -0, 1, 1e21)),
  ),
  f: fc.option(fc.boolean()),
  t: fc.option(fc.oneof(fc.integer(), fc.constantFrom('2001-01-31', '2001-01-31T00:00:00Z'))),
});

/** Whether the model is given the same tensors for both. */
function sameTensors(one: unknown, other: unknown): boolean {
  const [a, b] = [read([one]), read([other])];
  return COLUMNS.every(({ name }) => Object.is(a.columns[name]?.[0], b.columns[name]?.[0]));
}

test('two rows have the same key if and only if their tensors are the same', () => {
  fc.assert(
    fc.property(instances, instances, (one, other) => {
      expect(keyOf(one) === keyOf(other)).toBe(sameTensors(one, other));
    }),
    { numRuns: 2_000 },
  );
});

test('what is written otherwise and means the same has the same key', () => {
  const row = { a: 'x', b: '', n: 1, f: null, t: '2001-01-31' };
  expect(keyOf({ ...row, n: 1.0, b: null, t: Date.UTC(2001, 0, 31) })).toBe(keyOf(row));
  expect(keyOf({ ...row, t: '2001-01-30T19:00:00-05:00' })).toBe(keyOf(row));
  expect(keyOf({ ...row, n: -0 })).not.toBe(keyOf({ ...row, n: 0 }));
  expect(keyOf({ ...row, t: null })).toContain(String(MISSING_TIMESTAMP));
});

test('rows that are taken out of a batch are those rows', () => {
  const rows = fc.array(instances, { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.nat()), (all, picks) => {
      const batch = read(all);
      const picked = [...picks.take(4)].map((pick) => pick % all.length);
      const taken = takeRows(batch, picked);
      expect(taken.rows).toBe(4);
      picked.forEach((row, at) => expect(rowKey(COLUMNS, taken, at)).toBe(rowKey(COLUMNS, batch, row)));
    }),
  );
});
