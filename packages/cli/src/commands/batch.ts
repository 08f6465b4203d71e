import { setTimeout } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import { SingleBar } from 'cli-progress';
import type { Client } from '@perennial/client';
import { batchSchema, type Batch, type BatchInput } from '@perennial/contract';
import { batchInput, formatOf } from '../batch-input.ts';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { downloadOutput } from '../download-output.ts';
import { BadOutcomeError, UsageError } from '../errors.ts';
import { parseLimit } from '../limit.ts';
import { parseModelName } from '../model-name.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

type Format = Extract<BatchInput, { format: unknown }>['format'];

interface BatchOptions extends ConnectionOptions {
  input?: string;
  format?: Format;
  keys?: string;
  output?: string;
  cancel?: string;
  fetch?: string;
  detach: boolean;
  json: boolean;
}

const LOOK_EVERY_MILLISECONDS = 500;

export function registerBatch(program: Command, output: Output): void {
  const command = program
    .command('batch')
    .description('score files, or a split of a dataset version, into one Parquet file at the platform')
    .argument('[model]', 'such as flight-delay, or flight-delay@12')
    .option(
      '--input <where>',
      'a path where the platform may read, s3:<prefix>, or <dataset version>/<split>',
    )
    .addOption(
      new Option('--format <format>', 'where the ending does not say').choices(['parquet', 'csv', 'ndjson']),
    )
    .option('--keys <columns>', 'columns of the input to pass through, parted by commas')
    .option('--output <file>', 'fetch the output into this file')
    .option('--detach', 'start it and return at once', false)
    .option('--cancel <batch>', 'end a batch that has not ended')
    .option('--fetch <batch>', 'fetch the output of a batch that is complete (needs --output)')
    .option('--json', 'print JSON', false)
    .action((model: string | undefined, options: BatchOptions) => batch(model, options, output));
  withConnection(command);
  const list = program
    .command('batches')
    .description('batches, newest first')
    .argument('[model]')
    .option('--limit <number>', 'at most so many', parseLimit, 20)
    .option('--json', 'print JSON', false)
    .action((model: string | undefined, options: ListOptions) => batches(model, options, output));
  withConnection(list);
}

async function batch(model: string | undefined, options: BatchOptions, output: Output): Promise<void> {
  const client = connect(options);
  if (options.cancel !== undefined) {
    const cancelled = await client.cancelBatch({ params: { batch: options.cancel } });
    return options.json ? writeJson(output, cancelled) : output.write(`${cancelled.id} cancelled\n`);
  }
  if (options.fetch !== undefined) return fetchOutput(options.fetch, client, { ...options, to: output });
  const begun = await start(model, options, client);
  if (!options.json) output.write(`${begun.id} of ${begun.model}@${begun.version}: ${begun.state}\n`);
  const left = options.detach ? begun : await watch(begun, client, { json: options.json, output });
  if (options.json) writeJson(output, left);
  else writeOutcome(left, output);
  if (left.state === 'failed' || left.state === 'cancelled') throw new BadOutcomeError();
  if (left.state === 'completed' && options.output !== undefined)
    await fetchOutput(left.id, client, { ...options, to: output });
}

function start(
  text: string | undefined,
  { input, format, keys }: BatchOptions,
  client: Client,
): Promise<Batch> {
  if (text === undefined || input === undefined)
    throw new UsageError('Pass a model with --input, or --cancel or --fetch with a batch alone.');
  const { model, version } = parseModelName(text);
  return client.startBatch({
    params: { model },
    body: {
      input: batchInput(input, format ?? formatOf(input)),
      keys: keys === undefined ? [] : keys.split(',').map((key) => key.trim()),
      ...(version === undefined ? {} : { version }),
    },
  });
}

async function fetchOutput(
  id: string,
  client: Client,
  { output: file, json, to }: BatchOptions & { to: Output },
): Promise<void> {
  if (file === undefined) throw new UsageError('--fetch needs --output: say which file to write.');
  const found = batchSchema.shape.id.safeParse(id);
  if (!found.success) throw new UsageError(`'${id}' is not a batch, such as batch_0190….`);
  const { bytes, rows } = await downloadOutput(client, { batch: id, file });
  if (!json) to.write(`${file}: ${rows} rows, ${bytes} bytes\n`);
}

/** Follows a batch until it ends, or the person has seen enough: it runs on the server either way. */
async function watch(
  begun: Batch,
  client: Client,
  { json, output }: { json: boolean; output: Output },
): Promise<Batch> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  process.once('SIGINT', leave);
  const watcher = json ? silent : output.interactive ? rowBar() : stateLines(output);
  let current = begun;
  try {
    while (isUnderWay(current) && !left.signal.aborted) {
      await setTimeout(LOOK_EVERY_MILLISECONDS, undefined, { signal: left.signal }).catch(() => undefined);
      if (!left.signal.aborted) current = await client.getBatch({ params: { batch: begun.id } });
      watcher.show(current);
    }
  } finally {
    process.off('SIGINT', leave);
    watcher.stop();
  }
  return current;
}

function isUnderWay({ state }: Batch): boolean {
  return state === 'queued' || state === 'running';
}

interface BatchWatcher {
  show: (batch: Batch) => void;
  stop: () => void;
}

const silent: BatchWatcher = { show: () => undefined, stop: () => undefined };

/** For a person at a terminal. */
function rowBar(): BatchWatcher {
  const format = '{state} [{bar}] {value}/{total} rows, {duration_formatted}';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true });
  bar.start(1, 0, { state: 'queued' });
  return {
    show: ({ state, rows, done }) => {
      // A batch of no rows would divide by none.
      bar.setTotal(Math.max(1, rows ?? 1));
      bar.update(done, { state });
    },
    stop: () => bar.stop(),
  };
}

/** For a log: a line whenever something has changed. */
function stateLines(output: Output): BatchWatcher {
  let last = '';
  return {
    show: (batch) => {
      const { state, rows, done } = batch;
      const line = rows === null ? `${state} …` : `${state}, ${done} of ${rows} rows`;
      if (line !== last && isUnderWay(batch)) output.write(`${line}\n`);
      last = line;
    },
    stop: () => undefined,
  };
}

function writeOutcome({ id, state, output: made, error }: Batch, output: Output): void {
  switch (state) {
    case 'queued':
    case 'running':
      return output.write(`It goes on at the server. End it with: perennial batch --cancel ${id}\n`);
    case 'completed':
      return output.write(
        `completed: ${made?.rows ?? 0} rows, ${made?.bytes ?? 0} bytes, ${made?.digest ?? ''}\n`,
      );
    case 'cancelled':
      return output.write('cancelled\n');
    case 'failed':
      return output.writeError(`perennial: ${error?.message ?? 'it failed'}\n`);
  }
}

interface ListOptions extends ConnectionOptions {
  limit: number;
  json: boolean;
}

async function batches(model: string | undefined, options: ListOptions, output: Output): Promise<void> {
  const { items } = await connect(options).listBatches({
    query: { limit: options.limit, ...(model === undefined ? {} : { model }) },
  });
  if (options.json) return writeJson(output, items);
  writeTable(
    output,
    ['batch', 'version', 'state', 'done', 'rows', 'asked by', 'at'],
    items.map((item) => [
      item.id,
      `${item.model}@${item.version}`,
      item.state,
      item.done,
      item.rows,
      item.requestedBy,
      item.createdAt,
    ]),
  );
}
