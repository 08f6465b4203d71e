import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { everyItem, type Client } from '@perennial/client';
import type { Endpoint, Residency, ServingSpec } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { parseLimit } from '../limit.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

export function registerEndpoints(program: Command, output: Output): void {
  const endpoints = program
    .command('endpoints')
    .description('how models are served, and which are in memory');
  for (const register of [registerList, registerTop]) withConnection(register(endpoints, output));
}

interface ListOptions extends ConnectionOptions {
  json: boolean;
}

function registerList(endpoints: Command, output: Output): Command {
  return endpoints
    .command('list', { isDefault: true })
    .description('show how every model is served')
    .option('--json', 'print JSON', false)
    .action(async ({ json, ...connection }: ListOptions) => {
      const client = connect(connection);
      const items: Endpoint[] = [];
      for await (const item of everyItem((cursor) => client.listEndpoints({ query: { cursor } })))
        items.push(item);
      if (json) return writeJson(output, items);
      const rows = items.map(({ name, serving, source, updatedAt }) => [
        name,
        serving.modes.join(', '),
        keptFor(serving),
        source,
        updatedAt,
      ]);
      writeTable(output, ['endpoint', 'modes', 'answers kept', 'said by', 'since'], rows);
    });
}

function keptFor({ cache }: ServingSpec): string | null {
  return cache?.predictions?.maxAge ?? null;
}

interface TopOptions extends ConnectionOptions {
  limit: string;
  json: boolean;
}

/** Between two looks, in milliseconds. */
const REFRESH_MILLISECONDS = 2_000;
/** Clears the screen and goes to its top left. */
const CLEAR = '\u001B[2J\u001B[H';

function registerTop(endpoints: Command, output: Output): Command {
  return endpoints
    .command('top')
    .description('show which models the server holds in memory; again and again where somebody watches')
    .option('--limit <number>', 'how many at most, 1 to 500', '20')
    .option('--json', 'print JSON, once', false)
    .action(async ({ limit, json, ...connection }: TopOptions) => {
      const client = connect(connection);
      const query = { limit: parseLimit(limit) };
      if (json) return writeJson(output, await client.listResidents({ query }));
      if (!output.interactive) return writeResidency(output, await client.listResidents({ query }));
      return watch(client, query, output);
    });
}

/** Until the process is interrupted. */
async function watch(client: Client, query: { limit: number }, output: Output): Promise<never> {
  for (;;) {
    const residency = await client.listResidents({ query });
    output.write(CLEAR);
    writeResidency(output, residency);
    await setTimeout(REFRESH_MILLISECONDS);
  }
}

function writeResidency(output: Output, residency: Residency): void {
  const { residents, residentBytes, memoryBytes, loads, evictions, coldWaiting, coldRefused } = residency;
  output.write(`${residents} in memory, ${megabytes(residentBytes)} of ${megabytes(memoryBytes)} MB\n`);
  output.write(`loads ${loads}, evictions ${evictions}, waiting ${coldWaiting}, refused ${coldRefused}\n`);
  const rows = residency.models.map(({ model, version, state, bytes, requests, users, lastUsedAt }) => [
    model,
    version,
    state,
    bytes === null ? null : megabytes(bytes),
    requests,
    users,
    lastUsedAt,
  ]);
  writeTable(output, ['model', 'version', 'state', 'MB', 'requests', 'now', 'last asked'], rows);
  for (const { model, version, problem } of residency.refused)
    output.write(`refused: ${model}@${version}: ${problem}\n`);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}
