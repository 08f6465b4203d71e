import type { Command } from 'commander';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { writeJson, type Output } from '../output.ts';

export function registerPersonalData(program: Command, output: Output): void {
  const data = program.command('personal-data').description('what is on record about one key');
  withConnection(registerExport(data, output));
  withConnection(registerErase(data, output));
}

function registerExport(data: Command, output: Output): Command {
  return data
    .command('export')
    .description('print everything on record about a key, as JSON')
    .argument('<key>')
    .action(async (key: string, connection: ConnectionOptions) => {
      writeJson(output, await connect(connection).exportPersonalData({ query: { key } }));
    });
}

interface EraseOptions extends ConnectionOptions {
  reason: string;
  datasets: boolean;
  json: boolean;
}

function registerErase(data: Command, output: Output): Command {
  return data
    .command('erase')
    .description('erase what is on record about a key')
    .argument('<key>')
    .requiredOption('--reason <text>', 'why, for the audit')
    .option('--datasets', 'also remove the dataset versions that have rows of the key', false)
    .option('--json', 'print JSON', false)
    .action(async (key: string, { reason, datasets, json, ...connection }: EraseOptions) => {
      const erased = await connect(connection).erasePersonalData({ body: { key, reason, datasets } });
      if (json) return writeJson(output, erased);
      output.write(`${erased.predictions} predictions and ${erased.groundTruth} facts erased\n`);
      output.write(
        `${erased.entityFeatures} last known rows and ${erased.precomputedPredictions} precomputed answers erased\n`,
      );
      for (const dataset of erased.datasets) output.write(`removed: ${dataset}\n`);
      for (const dataset of erased.remaining) output.write(`still has rows of it: ${dataset}\n`);
    });
}
