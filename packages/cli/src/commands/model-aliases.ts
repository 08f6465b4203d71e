import type { Command } from 'commander';
import { everyItem, type Client } from '@perennial/client';
import type { Alias, AliasMove } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { parseVersion } from '../model-name.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface AliasOptions extends ConnectionOptions {
  reason?: string;
  expectedRevision?: string;
  at?: string;
  history: boolean;
  remove: boolean;
  json: boolean;
}

export function registerModelAliases(models: Command, output: Output): void {
  const command = models
    .command('alias')
    .description(
      'show the aliases of a model, where one points, or point one to a version: flight-delay challenger 12',
    )
    .argument('<model>')
    .argument('[alias]')
    .argument('[version]')
    .option('--reason <text>', 'why it moves')
    .option(
      '--expected-revision <number>',
      'move it only if it is at this revision still, 0 if it is not set',
    )
    .option('--at <instant>', 'where it pointed then, such as 2001-03-01T00:00:00Z')
    .option('--history', 'every move, newest first', false)
    .option('--remove', 'remove the alias; its history stays', false)
    .option('--json', 'print JSON', false)
    .action((...given: [string, string | undefined, string | undefined, AliasOptions, Command]) => {
      const [model, alias, version, options] = given;
      return aliases({ model, alias, version }, options, output);
    });
  withConnection(command);
}

interface Named {
  model: string;
  alias: string | undefined;
  version: string | undefined;
}

async function aliases(
  { model, alias, version }: Named,
  options: AliasOptions,
  output: Output,
): Promise<void> {
  const client = connect(options);
  if (alias === undefined) return listAliases(client, { model, json: options.json }, output);
  const params = { model, alias };
  if (version !== undefined) {
    const moved = await client.moveAlias({ params, body: moveOf(version, options) });
    return options.json
      ? writeJson(output, moved)
      : output.write(`${model}@${alias} is version ${moved.version}\n`);
  }
  if (options.remove) return writeMoves(output, options, [await client.removeAlias({ params })]);
  if (options.history)
    return writeMoves(
      output,
      options,
      await collect((cursor) => client.listAliasMoves({ params, query: { cursor } })),
    );
  const { at } = options;
  return writeMoves(output, options, [
    await client.getAlias({ params, query: at === undefined ? {} : { at } }),
  ]);
}

function moveOf(version: string, { reason, expectedRevision }: AliasOptions) {
  if (reason === undefined) throw new UsageError('Moving an alias takes a reason: --reason "…".');
  if (expectedRevision !== undefined && !/^\d{1,9}$/.test(expectedRevision))
    throw new UsageError(`'${expectedRevision}' is not a revision (3).`);
  const expected = expectedRevision === undefined ? {} : { expectedRevision: Number(expectedRevision) };
  return { version: parseVersion(version), reason, ...expected };
}

async function listAliases(
  client: Client,
  { model, json }: { model: string; json: boolean },
  output: Output,
): Promise<void> {
  const all = await collect<Alias>((cursor) => client.listAliases({ params: { model }, query: { cursor } }));
  if (json) return writeJson(output, all);
  const rows = all.map(({ alias, version, revision, updatedAt }) => [alias, version, revision, updatedAt]);
  writeTable(output, ['alias', 'version', 'revision', 'since'], rows);
}

function writeMoves(output: Output, { json }: AliasOptions, moves: AliasMove[]): void {
  if (json) return writeJson(output, moves);
  const rows = moves.map((move) => [
    move.revision,
    move.version ?? 'removed',
    move.previousVersion,
    move.at,
    move.by,
    move.reason,
  ]);
  writeTable(output, ['revision', 'version', 'before', 'at', 'by', 'why'], rows);
}

async function collect<Item>(fetchPage: Parameters<typeof everyItem<Item>>[0]): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of everyItem(fetchPage)) items.push(item);
  return items;
}
