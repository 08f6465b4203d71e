import {
  CHECKS,
  METRIC_TITLES,
  type CheckResult,
  type Comparison,
  type GateReport,
  type TrainedCard,
  type Slice,
  type SliceComparison,
} from '@perennial/contract';
import { intervalColumn } from '../document/interval-column.ts';
import type { Block, Fact, Part, Section, Text, Tone } from '../document/document.ts';
import {
  boundsText,
  countText,
  definedText,
  metricText,
  numberText,
  pValueText,
  percentText,
  signedText,
} from '../document/number-text.ts';
import { intervalPlot, type IntervalRow } from '../plots/interval-plot.ts';
import { verdictBadge, verdictTone } from './verdict.ts';

/** The gate's verdict and everything that it rests on. */
export function gateSection({ gate }: TrainedCard): Section {
  return {
    title: 'Gate',
    blocks: [
      { kind: 'text', text: [verdictBadge(gate.verdict), gate.explanation] },
      { kind: 'facts', caption: 'What the verdict rests on', entries: groundFacts(gate) },
      ...comparisonBlocks(gate.comparisons),
      ...checkBlocks(gate.checks),
      ...sliceBlocks(gate),
      ...shiftBlocks(gate),
      ...servedBlocks(gate),
    ],
  };
}

function groundFacts({ champion, rows, seenRows, testSet, gate }: GateReport): Fact[] {
  const facts: Fact[] = [
    [
      'Compared with',
      champion
        ? [`version ${champion.version}`, { code: champion.artifact }]
        : 'nothing: there was no champion',
    ],
    ['Test rows', numberText(rows)],
    ['Left out', `${countText(seenRows, 'test row')} that one of the models was trained on`],
    ['Inconclusive', gate.inconclusive === 'hold' ? 'is held back' : 'is taken as a pass'],
  ];
  if (testSet === null) return facts;
  const wear = `comparison ${numberText(testSet.comparison)}, which may use ${percentText(testSet.error)} of error; good for ${numberText(testSet.left)} more`;
  return [...facts, ['Wear of the test rows', wear]];
}

// --- Comparisons --------------------------------------------------------------------------------------------------------------

function comparisonBlocks(comparisons: readonly Comparison[]): Block[] {
  if (comparisons.length === 0) return [];
  const interval = intervalColumn(comparisons.map(({ difference }) => difference?.interval));
  const head = [
    'Metric',
    'This version',
    'Champion',
    'Difference',
    interval.head,
    'Margin',
    'p (Holm)',
    'Verdict',
  ];
  return [
    { kind: 'heading', text: 'Comparisons' },
    {
      kind: 'table',
      caption: 'This version less the champion on the same rows, oriented so that more is better',
      head,
      rows: comparisons.map((comparison, index) => comparisonRow(comparison, interval.cells[index] ?? '')),
      numeric: [1, 2, 3, 4, 5, 6],
    },
    { kind: 'plots', plots: comparisons.flatMap(comparisonPlot) },
    {
      kind: 'list',
      items: comparisons.map((comparison): Text => [
        { strong: METRIC_TITLES[comparison.metric] },
        `: ${comparison.explanation}`,
        `(${comparison.method}${rowsToSettle(comparison)})`,
      ]),
    },
  ];
}

function comparisonRow(comparison: Comparison, interval: string): Text[] {
  const { metric, margin, candidate, champion, difference, pValue, verdict } = comparison;
  return [
    METRIC_TITLES[metric],
    definedText(candidate),
    definedText(champion),
    difference ? signedText(difference.value) : 'not known',
    interval,
    numberText(margin),
    pValue === null ? '' : pValueText(pValue),
    verdictBadge(verdict),
  ];
}

function rowsToSettle({ rowsToSettle: rows }: Comparison): string {
  return rows === null ? '' : `; about ${countText(rows, 'row')} would settle it`;
}

/** One plot for each metric, since their scales and margins have nothing in common. */
function comparisonPlot({ metric, difference, margin, verdict }: Comparison) {
  if (difference === null) return [];
  const title = METRIC_TITLES[metric];
  const row: IntervalRow = { label: '', ...difference, tone: verdictTone(verdict) };
  const words = `The difference is ${signedText(difference.value)}, ${boundsText(difference.interval)}; the margin is ${numberText(margin)}.`;
  const names = {
    title: `${title}: difference to the champion`,
    description: words,
    axis: 'right is better',
  };
  return [intervalPlot(names, [row], margin)];
}

// --- Checks -------------------------------------------------------------------------------------------------------------------

function checkBlocks(checks: readonly CheckResult[]): Block[] {
  if (checks.length === 0) return [];
  return [
    { kind: 'heading', text: 'Checks' },
    {
      kind: 'table',
      caption: 'What else the candidate was examined for; what failed comes first',
      head: ['Outcome', 'Check', 'About', 'Measured', 'Limit', 'What was found'],
      rows: checks.toSorted((a, b) => rank(a) - rank(b)).map(checkRow),
      numeric: [3, 4],
    },
  ];
}

function checkRow({ name, subject, severity, outcome, explanation, measured, limit }: CheckResult): Text[] {
  return [
    {
      badge: outcome === 'fail' && severity === 'report' ? 'reported' : outcome,
      tone: outcomeTone({ outcome, severity }),
    },
    CHECKS[name].title,
    subject ?? '',
    measured === null ? '' : numberText(measured),
    limit === null ? '' : numberText(limit),
    explanation,
  ];
}

/** What stopped the candidate, what stands in the report only, what held, what was not looked at. */
function rank({ outcome, severity }: CheckResult): number {
  switch (outcome) {
    case 'fail':
      return severity === 'fail' ? 0 : 1;
    case 'pass':
      return 2;
    case 'skipped':
      return 3;
  }
}

function outcomeTone({ outcome, severity }: Pick<CheckResult, 'outcome' | 'severity'>): Tone {
  switch (outcome) {
    case 'fail':
      return severity === 'fail' ? 'bad' : 'unsure';
    case 'pass':
      return 'good';
    case 'skipped':
      return 'plain';
  }
}

// --- Slices, shifts, serving ----------------------------------------------------------------------------------------------------

function sliceBlocks({ slices, gate }: GateReport): Block[] {
  if (slices.worst.length === 0) return [];
  const margin = gate.comparisons[0]?.margin ?? null;
  const interval = intervalColumn(slices.worst.map(({ difference }) => difference?.interval));
  const caption = `${countText(slices.compared, 'slice')} compared, ${numberText(slices.tooSmall)} too small to be judged`;
  return [
    { kind: 'heading', text: 'Slices with the lowest difference' },
    {
      kind: 'table',
      caption,
      head: ['Slice', 'Rows', 'Metric', 'This version', 'Champion', 'Difference', interval.head, 'Outcome'],
      rows: slices.worst.map((slice, index) => sliceRow(slice, interval.cells[index] ?? '')),
      numeric: [1, 3, 4, 5, 6],
    },
    { kind: 'plots', plots: slicePlot(slices.worst, margin) },
  ];
}

function sliceRow(compared: SliceComparison, interval: string): Text[] {
  const { slice, rows, metric, candidate, champion, difference, clearlyWorse } = compared;
  const outcome: Part = clearlyWorse ? { badge: 'clearly worse', tone: 'bad' } : 'not clearly worse';
  return [
    sliceText(slice),
    numberText(rows),
    METRIC_TITLES[metric],
    definedText(candidate),
    definedText(champion),
    difference ? signedText(difference.value) : 'not known',
    interval,
    outcome,
  ];
}

function slicePlot(worst: readonly SliceComparison[], margin: number | null) {
  const rows = worst.flatMap(({ slice, difference, clearlyWorse }): IntervalRow[] =>
    difference ? [{ label: sliceText(slice), ...difference, tone: clearlyWorse ? 'bad' : 'plain' }] : [],
  );
  const names = {
    title: 'Difference to the champion by slice',
    description: 'The slices of the table above with the intervals of their differences.',
    axis: 'right is better',
  };
  return rows.length === 0 ? [] : [intervalPlot(names, rows, margin)];
}

/** `origin = ORD, weekend = true`. */
export function sliceText(slice: Slice): string {
  return Object.entries(slice)
    .map(([column, value]) => `${column} = ${value === '' ? '(missing)' : value}`)
    .join(', ');
}

function shiftBlocks({ shifts }: GateReport): Block[] {
  if (shifts.length === 0) return [];
  return [
    { kind: 'heading', text: "What moved most since the champion's training rows" },
    {
      kind: 'table',
      caption: 'Population stability index: below 0.1 small, above 0.25 large',
      head: ['Feature', 'Column', 'Index', 'How'],
      rows: shifts.map(({ feature, column, index, description }) => [
        feature,
        column,
        metricText(index),
        description,
      ]),
      numeric: [2],
    },
  ];
}

function servedBlocks({ served }: GateReport): Block[] {
  if (served === null) return [];
  const { champion } = served;
  const entries: Fact[] = [
    ['Asked', `${countText(served.requests, 'request')}, ${countText(served.rows, 'row')}`],
    ['Farthest from the evaluated answer', numberText(served.maxDifference)],
    ['Median latency', milliseconds(served.p50Milliseconds, champion?.p50Milliseconds)],
    ['99th percentile of latency', milliseconds(served.p99Milliseconds, champion?.p99Milliseconds)],
    ['Resident memory', `${numberText(served.residentMegabytes)} MB`],
  ];
  return [
    { kind: 'heading', text: 'As served by a fresh process' },
    { kind: 'facts', caption: 'What a serving process of its own answered over HTTP', entries },
  ];
}

function milliseconds(own: number, champion: number | undefined): string {
  const compared = champion === undefined ? '' : ` (champion ${numberText(champion)} ms)`;
  return `${numberText(own)} ms${compared}`;
}
