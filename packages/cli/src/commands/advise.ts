import type { Command } from 'commander';
import type { Advice, ServingOption } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface AdviseOptions extends ConnectionOptions {
  window?: string;
  json?: boolean;
}

export function registerAdvise(program: Command, output: Output): void {
  const command = program
    .command('advise')
    .description('say how a model should be served: when asked, from a table computed before, or both')
    .argument('<model>')
    .option('--window <duration>', 'how far back to look at the prediction log', '7d')
    .option('--json', 'all figures as JSON')
    .action((model: string, options: AdviseOptions) => advise(model, options, output));
  withConnection(command);
}

async function advise(model: string, options: AdviseOptions, output: Output): Promise<void> {
  const query = options.window === undefined ? {} : { window: options.window };
  const advice = await connect(options).getAdvice({ params: { model }, query });
  if (options.json === true) return writeJson(output, advice);
  writeAdvice(output, advice);
}

function writeAdvice(output: Output, advice: Advice): void {
  const { predictions, predictionsPerDay, keyless, keys, options, recommendation, reasons } = advice;
  const spread = keys === null ? '' : `, ${keys.distinct.toLocaleString('en-US')} different keys`;
  output.write(
    `${predictions.toLocaleString('en-US')} predictions (${Math.round(predictionsPerDay).toLocaleString('en-US')} a day, ${keyless.toLocaleString('en-US')} without a key)${spread}\n\n`,
  );
  if (keys !== null) writeCurve(output, keys.curve);
  if (options.length > 0) writeOptions(output, options);
  output.write(`${recommendation === null ? 'No recommendation' : `Recommended: ${recommendation}`}\n`);
  for (const reason of reasons) output.write(`  ${reason}\n`);
}

function writeCurve(output: Output, curve: NonNullable<Advice['keys']>['curve']): void {
  writeTable(
    output,
    ['most asked-for keys', 'share of predictions'],
    curve.map(({ keys, share }) => [keys.toLocaleString('en-US'), percent(share)]),
  );
  output.write('\n');
}

function writeOptions(output: Output, options: ServingOption[]): void {
  writeTable(
    output,
    ['serving', 'keys', 'from table', 'unanswered', 'CPU s/day', 'storage', 'mean latency'],
    options.map((option) => [
      option.way,
      option.keys.toLocaleString('en-US'),
      percent(option.fromTable),
      percent(option.unanswered),
      option.secondsPerDay?.toFixed(1) ?? null,
      option.storageBytes === null ? null : `${(option.storageBytes / 1e6).toFixed(1)} MB`,
      option.latencyMicroseconds === null ? null : `${(option.latencyMicroseconds / 1_000).toFixed(2)} ms`,
    ]),
  );
  output.write('\n');
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
