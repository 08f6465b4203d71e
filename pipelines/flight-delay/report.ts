import type { Comparison, GateReport, Run } from '@perennial/contract';
import type { DayResult } from './replay-day.ts';

const COLUMNS = [
  ['day', 10],
  ['rows', 9],
  ['champion', 8],
  ['candidate', 9],
  ['difference [interval]', 26],
  ['verdict', 12],
  ['live', 5],
  ['live AUC', 8],
  ['bias', 7],
] as const;

/** The heading of the day lines. */
export function header(): string {
  return formatRow(COLUMNS.map(([name]) => name));
}

/** A day in one line. */
export function line({ day, run, live, liveVersion }: DayResult): string {
  if (run.state !== 'succeeded') return `${day} ${run.state}: ${run.error?.message ?? ''}`;
  const report = gateReport(run);
  const [primary] = report.comparisons;
  const rows = output<{ rows: { train: number; validation: number; test: number } }>(run, 'data').rows;
  const total = rows.train + rows.validation + rows.test;
  return formatRow([
    day,
    total.toLocaleString('en-US'),
    decimals(primary?.champion),
    decimals(primary?.candidate),
    difference(primary),
    report.verdict,
    `v${liveVersion}`,
    decimals(live?.metrics.auc),
    signed(live?.bias ?? null, 3),
  ]);
}

/** What happened, in a paragraph. */
export function summary(results: DayResult[], seconds: number): string {
  const succeeded = results.filter(({ run }) => run.state === 'succeeded');
  const promoted = succeeded.filter(({ run }) => output<{ live: boolean }>(run, 'registration').live).length;
  const predictions = results.reduce((sum, { live }) => sum + (live?.predictions ?? 0), 0);
  const labelled = results.reduce((sum, { live }) => sum + (live?.labelled ?? 0), 0);
  const failed = results.length - succeeded.length;
  return [
    `${results.length} days in ${seconds.toFixed(0)} s: ${succeeded.length} versions made, ${promoted} promoted,`,
    `${succeeded.length - promoted} refused by the gate${failed > 0 ? `, ${failed} runs failed` : ''};`,
    `${predictions.toLocaleString('en-US')} predictions asked over HTTP, ${labelled.toLocaleString('en-US')} with ground truth.`,
  ].join(' ');
}

function formatRow(cells: string[]): string {
  return cells
    .map((cell, i) => (i === 0 || i === 5 ? cell.padEnd(width(i)) : cell.padStart(width(i))))
    .join('  ');
}

function width(column: number): number {
  return COLUMNS[column]?.[1] ?? 0;
}

function difference(comparison: Comparison | undefined): string {
  const shown = comparison?.difference;
  if (!shown) return '–';
  const { low, high } = shown.interval;
  return `${signed(shown.value, 4)} [${signed(low, 4)}, ${signed(high, 4)}]`;
}

function decimals(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(4);
}

function signed(value: number | null, digits: number): string {
  if (value === null) return '–';
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
}

function gateReport(run: Run): GateReport {
  return output<{ report: GateReport }>(run, 'validation').report;
}

/** The output of a step that succeeded, whose shape the platform's step gives. */
function output<Shape>(run: Run, name: string): Shape {
  const step = run.steps.find((candidate) => candidate.name === name);
  return step?.output as Shape;
}
