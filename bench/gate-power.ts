import { parseArgs } from 'node:util';
import { METRIC_TITLES } from '@perennial/contract';
import { RandomStream, estimateDifference } from '@perennial/validation';
import { SIMULATED_METRICS, simulateModels, type SimulatedMetric } from '@perennial/validation/testing';

const USAGE = `Prints how often the gate passes a candidate of known quality, by metric and number of test rows.

  --short         a few simulations on 1,000 rows: to see that it runs
`;

const ERROR = 0.05;
const MARGINS: Record<SimulatedMetric, number> = { auc: 0.01, logLoss: 0.01, accuracy: 0.01, rmse: 0.2 };
/** What the candidate truly is, in margins by which it is worse. */
const CANDIDATES = [
  { title: 'better by half', worseBy: -0.5 },
  { title: 'equal', worseBy: 0 },
  { title: 'worse by half', worseBy: 0.5 },
  { title: 'worse by the margin', worseBy: 1 },
];
/** Fewer simulations of more rows, which take longer. */
const SIZES = [
  { rows: 1_000, simulations: 500 },
  { rows: 10_000, simulations: 200 },
  { rows: 100_000, simulations: 50 },
];
const SHORT = [{ rows: 1_000, simulations: 20 }];

interface Cell {
  metric: SimulatedMetric;
  rows: number;
  simulations: number;
  worseBy: number;
}

async function sharePassing({ metric, rows, simulations, worseBy }: Cell): Promise<number> {
  const margin = MARGINS[metric];
  let passed = 0;
  for (let simulation = 0; simulation < simulations; simulation++) {
    const seed = ['power', metric, String(rows), String(worseBy), String(simulation)];
    const models = simulateModels(metric, {
      random: new RandomStream(seed),
      rows,
      worseBy: worseBy * margin,
    });
    const found = await estimateDifference({
      spec: { kind: 'notWorse', metric, margin, confidence: 1 - ERROR, replicates: 400 },
      error: ERROR,
      seed,
      ...models,
      clusters: null,
    });
    if (found.kind === 'estimate' && found.pNotWorse < ERROR) passed++;
  }
  return passed / simulations;
}

function row(cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

async function printPower(sizes: { rows: number; simulations: number }[]): Promise<void> {
  const count = new Intl.NumberFormat('en-US');
  console.log(row(['metric', 'margin', 'rows', ...CANDIDATES.map(({ title }) => title)]));
  console.log(row(['---', '---', '---', ...CANDIDATES.map(() => '---')]));
  for (const metric of SIMULATED_METRICS) {
    for (const { rows, simulations } of sizes) {
      const shares: string[] = [];
      for (const { worseBy } of CANDIDATES) {
        const share = await sharePassing({ metric, rows, simulations, worseBy });
        shares.push(`${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`);
      }
      console.log(row([METRIC_TITLES[metric], String(MARGINS[metric]), count.format(rows), ...shares]));
    }
  }
  const errors = sizes.map(({ rows, simulations }) => {
    const error = 100 * Math.sqrt((ERROR * (1 - ERROR)) / simulations);
    return `${error.toFixed(1)} % on ${count.format(rows)} rows (${simulations} simulations)`;
  });
  console.log(`\nMonte-Carlo standard error of a share of 5 %: ${errors.join(', ')}.`);
}

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(USAGE);
else await printPower(values.short ? SHORT : SIZES);
