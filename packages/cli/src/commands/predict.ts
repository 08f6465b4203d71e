import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { predictLater } from '../async-prediction.ts';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { writeJson, type Output } from '../output.ts';

interface PredictOptions extends ConnectionOptions {
  data?: string;
  file?: string;
  key?: string[];
  async?: boolean;
  wait?: boolean;
}

export function registerPredict(program: Command, output: Output): void {
  const command = program
    .command('predict')
    .description('ask the champion of a model')
    .argument('<model>')
    .option('--data <json>', 'one instance, or an array of them')
    .option('--file <path>', 'a file that holds the same; - for standard input')
    .option(
      '--key <key...>',
      'the key of each instance; without instances, the entities that are asked about',
    )
    .option('--async', 'have it answered later: prints the id at once')
    .option('--wait', 'with --async: wait until it is answered')
    .action((model: string, options: PredictOptions) => predict(model, options, output));
  withConnection(command);
}

async function predict(model: string, options: PredictOptions, output: Output): Promise<void> {
  const keys = options.key === undefined ? {} : { keys: options.key };
  const request = { params: { model }, body: { ...(await readInstances(options)), ...keys } };
  const client = connect(options);
  if (options.async === true) return predictLater(client, { request, wait: options.wait === true }, output);
  if (options.wait === true) throw new UsageError('--wait is for what is answered later: add --async.');
  writeJson(output, await client.predict(request));
}

async function readInstances(options: PredictOptions): Promise<{ instances?: unknown[] }> {
  const { data, file, key } = options;
  if (key !== undefined && data === undefined && file === undefined) return {};
  const given = parseJson(await readInput(options));
  return { instances: Array.isArray(given) ? (given as unknown[]) : [given] };
}

async function readInput({ data, file }: PredictOptions): Promise<string> {
  if (data !== undefined && file === undefined) return data;
  if (file !== undefined && data === undefined) return file === '-' ? text(process.stdin) : readText(file);
  throw new UsageError(
    "Pass the instances with either --data '{…}' or --file <path>, or keys alone with --key.",
  );
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`The file ${file} cannot be read: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new UsageError(`The instances are not valid JSON: ${cause instanceof Error ? cause.message : ''}`, {
      cause,
    });
  }
}
