import { METRIC_TITLES, type CalibrationReport, type Confusion, type TrainedCard } from '@perennial/contract';
import { intervalColumn } from '../document/interval-column.ts';
import type { Section, Table } from '../document/document.ts';
import { metricText, numberText } from '../document/number-text.ts';
import { importancePlot } from '../plots/importance-plot.ts';
import { reliabilityPlot } from '../plots/reliability-plot.ts';

/** How far probabilities may be taken at their word. */
export function calibrationSection({ evaluation, championEvaluation }: TrainedCard): Section | null {
  const { calibration } = evaluation;
  if (calibration === null) return null;
  const champion = championEvaluation?.calibration;
  const compared = champion ? `, of the champion ${metricText(champion.error)}` : '';
  return {
    title: 'Calibration',
    blocks: [
      { kind: 'text', text: `Expected calibration error ${metricText(calibration.error)}${compared}.` },
      { kind: 'plots', plots: calibration.bins.length === 0 ? [] : [reliabilityPlot(calibration)] },
      binsTable(calibration),
    ],
  };
}

function binsTable({ bins }: CalibrationReport): Table {
  const interval = intervalColumn(bins.map((bin) => bin.interval));
  return {
    kind: 'table',
    caption: 'Bins of equally many rows by rising probability',
    head: ['Mean probability', 'Share that is true', interval.head, 'Rows'],
    rows: bins.map(({ meanProbability, share, rows }, index) => [
      metricText(meanProbability),
      metricText(share),
      interval.cells[index] ?? '',
      numberText(rows),
    ]),
    numeric: [0, 1, 2, 3],
  };
}

/** As many classes fit beside each other on a page; of more, each is one line. */
const MATRIX_CLASSES = 12;

/** What is taken for what. */
export function confusionSection({ evaluation }: TrainedCard): Section | null {
  const { confusion } = evaluation;
  if (confusion === null) return null;
  const table =
    confusion.classes.length <= MATRIX_CLASSES ? confusionMatrix(confusion) : confusionList(confusion);
  return { title: 'Confusion', blocks: [table] };
}

function confusionMatrix({ classes, counts }: Confusion): Table {
  return {
    kind: 'table',
    caption: 'Test rows by true class (down) and decided class (across), with their share of the true class',
    head: ['True class', ...classes.map((name) => `Decided ${name}`), 'Recall'],
    rows: classes.map((name, truth) => {
      const row = counts[truth] ?? [];
      return [
        name,
        ...row.map((count) => `${numberText(count)} (${shareText(count, row)})`),
        recall(row, truth),
      ];
    }),
    numeric: [...classes.keys(), classes.length].map((index) => index + 1),
  };
}

function confusionList({ classes, counts }: Confusion): Table {
  return {
    kind: 'table',
    caption: 'Each class and what it is most often taken for; all counts stand in the JSON form of this card',
    head: ['True class', 'Rows', 'Recall', 'Most often taken for', 'Rows taken so'],
    rows: classes.map((name, truth) => {
      const row = counts[truth] ?? [];
      const other = mostFrequent(row, truth);
      const taken = other === null ? ['', ''] : [classes[other] ?? '', numberText(row[other] ?? 0)];
      return [name, numberText(sum(row)), recall(row, truth), ...taken];
    }),
    numeric: [1, 2, 4],
  };
}

/** The wrong class with the most rows, if any row is wrong. */
function mostFrequent(row: readonly number[], truth: number): number | null {
  const wrong = row
    .map((count, index) => ({ count, index }))
    .filter(({ count, index }) => count > 0 && index !== truth);
  return wrong.toSorted((a, b) => b.count - a.count)[0]?.index ?? null;
}

function recall(row: readonly number[], truth: number): string {
  return shareText(row[truth] ?? 0, row);
}

function shareText(count: number, row: readonly number[]): string {
  const rows = sum(row);
  return rows === 0 ? 'no rows' : `${((100 * count) / rows).toFixed(1)} %`;
}

function sum(row: readonly number[]): number {
  return row.reduce((total, count) => total + count, 0);
}

/** Features in the plot; the table has them all. */
const PLOTTED_FEATURES = 25;

/** What the answers rest on. */
export function importanceSection({ importance, gate }: TrainedCard): Section | null {
  const [primary] = gate.gate.comparisons;
  if (importance.length === 0 || primary === undefined) return null;
  const metric = METRIC_TITLES[primary.metric];
  const interval = intervalColumn(importance.map((feature) => feature.interval));
  return {
    title: 'Feature importance',
    blocks: [
      {
        kind: 'text',
        text: `How much worse ${metric} grows on the test rows when the columns of one feature are shuffled among them.`,
      },
      { kind: 'plots', plots: [importancePlot(importance.slice(0, PLOTTED_FEATURES), metric)] },
      {
        kind: 'table',
        caption: 'Permutation importance, most important first',
        head: ['Feature', 'Importance', interval.head],
        rows: importance.map(({ feature, value }, index) => [
          feature,
          metricText(value),
          interval.cells[index] ?? '',
        ]),
        numeric: [1, 2],
      },
    ],
  };
}
