import { Option, type Command } from 'commander';
import type { TriggerCause, TriggerOutcome, TriggerRecord } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { parseLimit } from '../limit.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface TriggersOptions extends ConnectionOptions {
  limit: string;
  outcome?: TriggerOutcome;
  json: boolean;
}

export function registerTriggers(program: Command, output: Output): void {
  const command = program
    .command('triggers')
    .description('say why runs started and why they did not, newest first')
    .argument('[pipeline]')
    .addOption(
      new Option('--outcome <outcome>', 'only those that came to this').choices(['ran', 'merged', 'skipped']),
    )
    .option('--limit <number>', 'how many at most, 1 to 500', '20')
    .option('--json', 'print JSON', false)
    .action((pipeline: string | undefined, options: TriggersOptions) => triggers(pipeline, options, output));
  withConnection(command);
}

async function triggers(
  pipeline: string | undefined,
  options: TriggersOptions,
  output: Output,
): Promise<void> {
  const query = { limit: parseLimit(options.limit), pipeline, outcome: options.outcome };
  const { items } = await connect(options).listTriggers({ query });
  if (options.json) return writeJson(output, items);
  writeTable(output, ['at', 'pipeline', 'why', 'outcome', 'run', 'reason'], items.map(row));
}

function row({ at, pipeline, kind, cause, outcome, run, reason }: TriggerRecord): (string | null)[] {
  const what = describeCause(cause);
  return [at, pipeline, what === undefined ? kind : `${kind}: ${what}`, outcome, run, reason];
}

function describeCause({ due, files, stream, staleness, backfill }: TriggerCause): string | undefined {
  if (due !== undefined) return `due ${due}`;
  if (files !== undefined) return describeFiles(files.map((file) => file.name));
  if (stream !== undefined) return `${stream.events} events in ${stream.stream}`;
  return staleness ?? backfill;
}

function describeFiles([first = 'none', ...more]: string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}
