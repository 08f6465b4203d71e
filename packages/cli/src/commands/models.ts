import type { Command } from 'commander';
import { everyItem, type Client } from '@perennial/client';
import type { ModelVersion } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { parseModelName } from '../model-name.ts';
import { writeJson, writeTable, type Output } from '../output.ts';
import { registerModelAliases } from './model-aliases.ts';
import { registerModelComparison } from './model-comparison.ts';
import { registerModelTags } from './model-tags.ts';

interface ModelsOptions extends ConnectionOptions {
  json: boolean;
}

export function registerModels(program: Command, output: Output): void {
  const command = program
    .command('models')
    .description('list models, the versions of one (flight-delay), or show one version (flight-delay@3)')
    .argument('[model]')
    .option('--json', 'print JSON', false)
    // Without it, options after the name of a command below would count as options of this one.
    .enablePositionalOptions()
    .action((model: string | undefined, options: ModelsOptions) => models(model, options, output));
  withConnection(command);
  registerSearch(command, output);
  registerModelTags(command, output);
  registerModelComparison(command, output);
  registerModelAliases(command, output);
}

interface SearchOptions extends ModelsOptions {
  tag?: string;
}

function registerSearch(models: Command, output: Output): void {
  const command = models
    .command('search')
    .description('list the models whose name, description or tags hold every one of some words')
    .argument('[words...]')
    .option('--tag <tag>', 'only those with this tag: key=value, or key alone')
    .option('--json', 'print JSON', false)
    .action((words: string[], { tag, ...options }: SearchOptions) => {
      const search = words.length === 0 ? undefined : words.join(' ');
      return listModels(connect(options), { search, tag, json: options.json }, output);
    });
  withConnection(command);
}

async function models(name: string | undefined, options: ModelsOptions, output: Output): Promise<void> {
  const client = connect(options);
  if (name === undefined) return listModels(client, options, output);
  const { model, version } = parseModelName(name);
  if (version === undefined) return listVersions({ client, model, json: options.json }, output);
  writeJson(output, await client.getVersion({ params: { model, version } }));
}

interface Wanted {
  search?: string | undefined;
  tag?: string | undefined;
  json: boolean;
}

async function listModels(client: Client, { search, tag, json }: Wanted, output: Output): Promise<void> {
  const all = await collect((cursor) => client.listModels({ query: { cursor, search, tag } }));
  if (json) return writeJson(output, all);
  writeTable(
    output,
    ['model', 'versions', 'champion', 'tags', 'created'],
    all.map((model) => [
      model.name,
      model.latestVersion,
      model.championVersion,
      Object.entries(model.tags)
        .map(([key, value]) => `${key}=${value}`)
        .join('\n'),
      model.createdAt,
    ]),
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
  return [
    version,
    gate?.verdict ?? 'imported',
    asOf.slice(0, 10),
    metric,
    aliases.join(', '),
    artifact.slice(0, 19),
  ];
}

async function collect<Item>(fetchPage: Parameters<typeof everyItem<Item>>[0]): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of everyItem(fetchPage)) items.push(item);
  return items;
}
