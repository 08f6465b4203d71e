import type { Command } from 'commander';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { parseLimit } from '../limit.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface AlertsOptions extends ConnectionOptions {
  model?: string;
  limit: string;
  json: boolean;
}

export function registerAlerts(program: Command, output: Output): void {
  const command = program
    .command('alerts')
    .description('say what a person should look at, newest first')
    .option('--model <model>', 'only those of this model')
    .option('--limit <number>', 'how many at most, 1 to 500', '20')
    .option('--json', 'print JSON, with all that is known of each', false)
    .action((options: AlertsOptions) => alerts(options, output));
  withConnection(command);
}

async function alerts(options: AlertsOptions, output: Output): Promise<void> {
  const query = { limit: parseLimit(options.limit), model: options.model };
  const { items } = await connect(options).listAlerts({ query });
  if (options.json) return writeJson(output, items);
  writeTable(
    output,
    ['at', 'severity', 'model', 'what', 'run'],
    items.map(({ at, severity, model, version, title, run }) => [
      at,
      severity,
      version === null ? model : `${model}@${version}`,
      title,
      run,
    ]),
  );
}
