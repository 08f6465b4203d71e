import type { ColumnSummary, DataCard, EncoderSpec } from '@perennial/contract';
import type { CardPair } from '../card-pair.ts';

/** A column's values, null where missing: of numbers, or of texts. */
export type Values = readonly (number | null)[] | readonly (string | null)[];

const DIGEST = `sha256:${'d'.repeat(64)}`;

/** The cards of two datasets of these columns, as the data step would have summarised them. */
export function cardPair(
  champion: Record<string, Values>,
  candidate: Record<string, Values>,
  types: Partial<Record<string, ColumnSummary['type']>> = {},
): CardPair {
  const columns = Object.entries(candidate).map(([name, values]) => ({
    name,
    type: types[name] ?? typeOf(values),
  }));
  return {
    champion: cardOf(champion, types),
    candidate: cardOf(candidate, types),
    encoder: {
      columns: columns as EncoderSpec['columns'],
      features: columns.map(({ name }) => feature(name)),
    },
  };
}

function feature(name: string): EncoderSpec['features'][number] {
  return { kind: 'boolean', name: `${name}_feature`, column: name };
}

function typeOf(values: Values): 'number' | 'text' {
  return values.some((value) => typeof value === 'string') ? 'text' : 'number';
}

export function cardOf(
  columns: Record<string, Values>,
  types: Partial<Record<string, ColumnSummary['type']>> = {},
): DataCard {
  const rows = Object.values(columns)[0]?.length ?? 0;
  const split = {
    digest: DIGEST,
    rows,
    bytes: 1_000,
    from: '2001-01-01T00:00:00.000Z',
    to: '2001-01-29T00:00:00.000Z',
  };
  const label = { mean: null, standardDeviation: null, classes: null };
  return {
    pipeline: 'flight-delay',
    dataset: DIGEST,
    asOf: '2001-02-01T00:00:00.000Z',
    window: { train: '28d', validation: '2d', test: '1d' },
    source: { kind: 'parquet', paths: ['flights.parquet'] },
    files: [],
    splits: { train: split, validation: split, test: split },
    columns: Object.entries(columns).map(([name, values]) =>
      summaryOf(name, values, types[name] ?? typeOf(values)),
    ),
    labels: { train: label, validation: label, test: label },
    expectations: [],
    quarantine: { rows: 0, reasons: [] },
  };
}

function summaryOf(name: string, values: Values, type: ColumnSummary['type']): ColumnSummary {
  const present = (values as readonly (number | string | null)[]).filter((value) => value !== null);
  const known = { name, type, missing: values.length - present.length, distinct: new Set(present).size };
  const nothing = {
    min: null,
    max: null,
    mean: null,
    standardDeviation: null,
    quantiles: null,
    histogram: null,
  };
  if (type === 'text' || type === 'boolean') {
    return { ...known, ...nothing, top: topOf(present as string[]) };
  }
  const sorted = (present as number[]).sort((a, b) => a - b);
  if (sorted.length === 0) return { ...known, ...nothing, top: null };
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length;
  return {
    ...known,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    mean,
    standardDeviation: Math.sqrt(variance),
    quantiles: Array.from({ length: 21 }, (_, step) => quantile(sorted, step / 20)),
    histogram: null,
    top: null,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

function topOf(values: readonly string[]): { value: string; rows: number }[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, rows]) => ({ value, rows }))
    .sort((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1))
    .slice(0, 200);
}
