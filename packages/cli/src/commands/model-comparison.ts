import type { Command } from 'commander';
import type { VersionComparison } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { parseVersion } from '../model-name.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface CompareOptions extends ConnectionOptions {
  json: boolean;
}

/** Longer values are cut: what they are in full stands in the JSON. */
const WIDEST = 60;

export function registerModelComparison(models: Command, output: Output): void {
  const command = models
    .command('compare')
    .description('say what two versions differ in: flight-delay 11 12')
    .argument('<model>')
    .argument('<a>')
    .argument('<b>')
    .option('--json', 'print JSON', false)
    // commander passes the options after the arguments, and the command itself last.
    .action(async (...given: [string, string, string, CompareOptions, Command]) => {
      const [model, a, b, { json, ...connection }] = given;
      const query = { a: parseVersion(a), b: parseVersion(b) };
      const comparison = await connect(connection).compareVersions({ params: { model }, query });
      if (json) writeJson(output, comparison);
      else writeComparison(output, comparison);
    });
  withConnection(command);
}

function writeComparison(
  output: Output,
  { a, b, metrics, sameTestRows, differences }: VersionComparison,
): void {
  const rows = metrics.map((row) => [row.metric, digits(row.a), digits(row.b), digits(row.difference)]);
  writeTable(output, ['metric', `version ${a}`, `version ${b}`, 'difference'], rows);
  if (!sameTestRows)
    output.write(
      'They were evaluated on different test rows: the metrics say little about which is better.\n',
    );
  if (differences.length === 0) return output.write('Nothing else differs.\n');
  const others = differences.map(({ path, a: left, b: right }) => [path, shown(left), shown(right)]);
  writeTable(output, ['field', `version ${a}`, `version ${b}`], others);
}

function digits(value: number | null): string | null {
  return value === null ? null : value.toFixed(4);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
  return text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text;
}
