import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { SingleBar } from 'cli-progress';
import type { Client } from '@perennial/client';
import { MAX_LOOKUPS, type Precomputation } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { BadOutcomeError, UsageError } from '../errors.ts';
import { parseLimit } from '../limit.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface PrecomputeOptions extends ConnectionOptions {
  keys?: string;
  detach: boolean;
  json: boolean;
}

const LOOK_EVERY_MILLISECONDS = 500;

export function registerPrecompute(program: Command, output: Output): void {
  withConnection(
    program
      .command('precompute')
      .description('compute the answers for the known entities before they are asked for')
      .argument('<model>')
      .option('--keys <condition>', 'only entities for which this SQL holds, such as "country = \'NL\'"')
      .option('--detach', 'start it and return at once', false)
      .option('--json', 'write the outcome as JSON', false)
      .action((model: string, options: PrecomputeOptions) => precompute(model, options, output)),
  );
  const precomputations = program
    .command('precomputations')
    .description('answers that are computed before they are asked for');
  withConnection(registerList(precomputations, output));
  withConnection(registerCancel(precomputations, output));
  withConnection(registerLookup(program, output));
}

function registerList(parent: Command, output: Output): Command {
  return parent
    .command('list')
    .description('precomputations of a model, newest first')
    .argument('<model>')
    .option('--limit <number>', 'how many', parseLimit, 20)
    .option('--json', 'print JSON', false)
    .action(
      async (
        model: string,
        { limit, json, ...connection }: ConnectionOptions & { limit: number; json: boolean },
      ) => {
        const page = await connect(connection).listPrecomputations({ params: { model }, query: { limit } });
        if (json) return writeJson(output, page.items);
        writeTable(
          output,
          ['id', 'version', 'state', 'cause', 'done', 'of', 'refused', 'asked at'],
          page.items.map(({ id, version, state, cause, done, rows, refused, createdAt }) => [
            id,
            version,
            state,
            cause,
            done,
            rows,
            refused,
            createdAt,
          ]),
        );
      },
    );
}

function registerCancel(parent: Command, output: Output): Command {
  return parent
    .command('cancel')
    .description('stop a precomputation; what answers now goes on answering')
    .argument('<model>')
    .argument('<precomputation>')
    .action(async (model: string, precomputation: string, options: ConnectionOptions) => {
      const { id, state } = await connect(options).cancelPrecomputation({
        params: { model, precomputation },
      });
      output.write(`${id} ${state}\n`);
    });
}

function registerLookup(program: Command, output: Output): Command {
  return program
    .command('lookup')
    .description('the answers that were computed for some entities before they were asked for')
    .argument('<model>')
    .argument('<key...>')
    .action(async (model: string, keys: string[], options: ConnectionOptions) => {
      if (keys.length > MAX_LOOKUPS)
        throw new UsageError(`At most ${MAX_LOOKUPS} keys can be looked up at once.`);
      const found = await connect(options).lookupPredictions({ params: { model }, body: { keys } });
      writeJson(output, found);
      if (found.missing.length > 0) throw new BadOutcomeError();
    });
}

async function precompute(model: string, options: PrecomputeOptions, output: Output): Promise<void> {
  const client = connect(options);
  const body = options.keys === undefined ? {} : { keys: options.keys };
  const asked = await client.startPrecomputation({ params: { model }, body });
  if (!options.json) output.write(`${asked.id} of ${asked.model}@${asked.version}\n`);
  const left = options.detach ? asked : await watch(asked, client, { ...options, output });
  if (options.json) writeJson(output, left);
  else writeOutcome(left, output);
  if (left.state === 'failed' || left.state === 'cancelled') throw new BadOutcomeError();
}

/** Follows a precomputation until it ends, or the person has seen enough: it runs on the workers either way. */
async function watch(
  asked: Precomputation,
  client: Client,
  { json, output }: { json: boolean; output: Output },
): Promise<Precomputation> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  process.once('SIGINT', leave);
  const watcher = json ? silent : output.interactive ? progressBar() : stateLines(output);
  const params = { model: asked.model, precomputation: asked.id };
  let current = asked;
  try {
    while (isUnderWay(current) && !left.signal.aborted) {
      watcher.show(current);
      await setTimeout(LOOK_EVERY_MILLISECONDS, undefined, { signal: left.signal }).catch(() => undefined);
      if (!left.signal.aborted) current = await client.getPrecomputation({ params });
    }
  } finally {
    process.off('SIGINT', leave);
    watcher.stop();
  }
  return current;
}

function isUnderWay({ state }: Precomputation): boolean {
  return state === 'queued' || state === 'running';
}

interface StateWatcher {
  show: (precomputation: Precomputation) => void;
  stop: () => void;
}

const silent: StateWatcher = { show: () => undefined, stop: () => undefined };

/** For a person at a terminal. */
function progressBar(): StateWatcher {
  const format = '{state} [{bar}] {percentage}% {value} of {total} entities';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true });
  bar.start(1, 0, { state: 'queued' });
  return {
    show: ({ state, rows, done }) => {
      if (rows !== null) bar.setTotal(rows);
      bar.update(done, { state });
    },
    stop: () => bar.stop(),
  };
}

/** For a log. */
function stateLines(output: Output): StateWatcher {
  let last: string | undefined;
  return {
    show: ({ state, done, rows }) => {
      const line = rows === null ? `${state} …` : `${state} ${done} of ${rows} …`;
      if (line !== last) output.write(`${line}\n`);
      last = line;
    },
    stop: () => undefined,
  };
}

function writeOutcome({ id, model, state, done, refused, error }: Precomputation, output: Output): void {
  switch (state) {
    case 'queued':
    case 'running':
      return output.write(
        `It goes on at the workers. How far it is: perennial precomputations list ${model}\n`,
      );
    case 'live':
      return output.write(
        `live: ${done - refused} answers${refused > 0 ? `, ${refused} rows refused` : ''}\n`,
      );
    case 'superseded':
      return output.write('superseded: a newer one, or a new champion, took its place\n');
    case 'cancelled':
      return output.writeError(`perennial: ${id} was cancelled\n`);
    case 'failed':
      return output.writeError(`perennial: ${error?.message ?? 'it failed'}\n`);
  }
}
