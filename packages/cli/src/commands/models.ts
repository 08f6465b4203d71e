import type { Command } from 'commander';
import { everyItem, type Client } from '@perennial/client';
import { nameSchema, type ModelVersion } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface ModelsOptions extends ConnectionOptions {
  json: boolean;
}

export function registerModels(program: Command, output: Output): void {
  const command = program
    .command('models')
    .description('list models, the versions of one (flight-delay), or show one version (flight-delay@3)')
    .argument('[model]')
    .option('--json', 'print JSON', false)
    .action((model: string | undefined, options: ModelsOptions) => models(model, options, output));
  withConnection(command);
}

async function models(name: string | undefined, options: ModelsOptions, output: Output): Promise<void> {
  const client = connect(options);
  if (name === undefined) return listModels(client, options, output);
  const { model, version } = parseModelName(name);
  if (version === undefined) return listVersions({ client, model, json: options.json }, output);
  writeJson(output, await client.getVersion({ params: { model, version } }));
}

/** `name` or `name@version`. */
function parseModelName(text: string): { model: string; version?: number } {
  const [model = '', version, ...rest] = text.split('@');
  const valid =
    nameSchema.safeParse(model).success &&
    rest.length === 0 &&
    (version === undefined || /^[1-9]\d*$/.test(version));
  if (!valid)
    throw new UsageError(`'${text}' is not a model (flight-delay) or a version of one (flight-delay@3).`);
  return version === undefined ? { model } : { model, version: Number(version) };
}

async function listModels(client: Client, { json }: ModelsOptions, output: Output): Promise<void> {
  const all = await collect((cursor) => client.listModels({ query: { cursor } }));
  if (json) return writeJson(output, all);
  writeTable(
    output,
    ['model', 'versions', 'champion', 'created'],
    all.map((model) => [model.name, model.latestVersion, model.championVersion, model.createdAt]),
  );
}

async function listVersions(
  { client, model, json }: { client: Client; model: string; json: boolean },
  output: Output,
): Promise<void> {
  const all = await collect((cursor) => client.listVersions({ params: { model }, query: { cursor } }));
  if (json) return writeJson(output, all);
  writeTable(
    output,
    ['version', 'verdict', 'data as of', 'metric', 'aliases', 'artifact'],
    all.map(versionRow),
  );
}

function versionRow({ version, gate, asOf, aliases, artifact }: ModelVersion): (string | number | null)[] {
  const [primary] = gate?.comparisons ?? [];
  const value = primary?.candidate ?? null;
  const metric = primary === undefined || value === null ? null : `${primary.metric} ${value.toFixed(4)}`;
  return [version, gate?.verdict ?? 'imported', asOf.slice(0, 10), metric, aliases.join(', '), artifact.slice(0, 19)];
}

async function collect<Item>(fetchPage: Parameters<typeof everyItem<Item>>[0]): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of everyItem(fetchPage)) items.push(item);
  return items;
}
