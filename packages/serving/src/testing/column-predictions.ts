import { IdGenerator, ManualClock, MISSING_TIMESTAMP } from '@perennial/contract';
import type { ColumnPredictions } from '../journal/column-record.ts';
import { baseId } from '../journal/row-ids.ts';

const START = '2001-03-04T05:06:07.000Z';

/** A maker of requests of so many rows, all of one day, with a column of every type; `change` replaces fields. */
export function columnPredictionsMaker(
  start = START,
): (rows: number, change?: Partial<ColumnPredictions>) => ColumnPredictions {
  const ids = new IdGenerator(new ManualClock(start));
  return (rows, change) => ({
    rows,
    ids: baseId(ids),
    model: 'flight-delay',
    version: 3,
    endpoint: 'flight-delay',
    mode: 'live',
    latencyMicroseconds: 120,
    at: start,
    features: [
      { name: 'distance', type: 'number', values: Float64Array.from({ length: rows }, (_, row) => row / 4) },
      {
        name: 'wind',
        type: 'number',
        values: Float32Array.from({ length: rows }, (_, row) => row % 3 || NaN),
      },
      {
        name: 'late',
        type: 'boolean',
        values: Float64Array.from({ length: rows }, (_, row) => [0, 1, NaN][row % 3] ?? 0),
      },
      {
        name: 'origin',
        type: 'text',
        values: Array.from({ length: rows }, (_, row) => (row % 2 ? `O"R${row}é` : '')),
      },
      {
        name: 'departure',
        type: 'timestamp',
        values: BigInt64Array.from(
          Array.from({ length: rows }, (_, row) => (row % 5 ? BigInt(row) : MISSING_TIMESTAMP)),
        ),
      },
    ],
    output: {
      kind: 'binary',
      probability: Float32Array.from({ length: rows }, (_, row) => 1 / (row + 1)),
      decision: Uint8Array.from({ length: rows }, (_, row) => row % 2),
    },
    ...change,
  });
}
