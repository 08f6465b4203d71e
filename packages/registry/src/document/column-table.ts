import type { ColumnSummary } from '@perennial/contract';
import { dayText, distributionPlot, isTime } from '../plots/distribution-plot.ts';
import type { Block, Table, Text } from './document.ts';
import { numberText } from './number-text.ts';

/** Columns of a dataset in numbers, and how their values are distributed. */
export function columnBlocks(columns: readonly ColumnSummary[]): Block[] {
  if (columns.length === 0) return [];
  const plots = columns.flatMap((column) => distributionPlot(column) ?? []);
  return [columnTable(columns), { kind: 'plots', plots }];
}

function columnTable(columns: readonly ColumnSummary[]): Table {
  return {
    kind: 'table',
    caption: 'Columns over the training rows',
    head: [
      'Column',
      'Type',
      'Missing',
      'Distinct',
      'Mean ± deviation',
      'Least',
      'Median',
      'Most',
      'Most frequent',
    ],
    rows: columns.map(columnRow),
    numeric: [2, 3, 4, 5, 6, 7],
  };
}

function columnRow(column: ColumnSummary): Text[] {
  const { mean, standardDeviation, min, max, quantiles, top } = column;
  const write = (value: number | null | undefined): string => {
    if (value === null || value === undefined) return '';
    return isTime(column) ? dayText(value) : numberText(value);
  };
  return [
    column.name,
    column.type,
    numberText(column.missing),
    numberText(column.distinct),
    // The deviation of instants would be a length of time in milliseconds, which tells a reader nothing.
    isTime(column) || standardDeviation === null
      ? write(mean)
      : `${write(mean)} ± ${numberText(standardDeviation)}`,
    write(min),
    write(quantiles?.[10]),
    write(max),
    mostFrequent(top),
  ];
}

function mostFrequent(top: ColumnSummary['top']): string {
  const [first] = top ?? [];
  return first === undefined
    ? ''
    : `${first.value === '' ? '(empty)' : first.value} (${numberText(first.rows)})`;
}
