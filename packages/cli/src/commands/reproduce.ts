import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { SingleBar } from 'cli-progress';
import type { Client } from '@perennial/client';
import { nameSchema, versionNumberSchema, type Reproduction } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { BadOutcomeError, UsageError } from '../errors.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface ReproduceOptions extends ConnectionOptions {
  detach: boolean;
  json: boolean;
}

const LOOK_EVERY_MILLISECONDS = 500;

export function registerReproduce(program: Command, output: Output): void {
  const command = program
    .command('reproduce')
    .description(
      'make a version again from its manifest: exit status 1 where it differs, 2 where it cannot be made',
    )
    .argument('<version>', 'a model and a version, such as flight-delay@12')
    .option('--json', 'write the outcome as JSON', false)
    .option('--detach', 'start it and return at once', false)
    .action((version: string, options: ReproduceOptions) => reproduce(version, options, output));
  withConnection(command);
}

async function reproduce(text: string, options: ReproduceOptions, output: Output): Promise<void> {
  const client = connect(options);
  const asked = await client.startReproduction({ params: parseVersion(text) });
  if (!options.json) output.write(`${asked.id} of ${asked.model}@${asked.version}\n`);
  const left = options.detach ? asked : await watch(asked, client, { ...options, output });
  if (options.json) writeJson(output, left);
  else writeOutcome(left, output);
  if (left.state === 'different') throw new BadOutcomeError(1);
  if (left.state === 'failed') throw new BadOutcomeError(2);
}

/** @throws UsageError when it is no model and version */
function parseVersion(text: string): { model: string; version: number } {
  const [name, number, ...rest] = text.split('@');
  const model = nameSchema.safeParse(name);
  const version = versionNumberSchema.safeParse(number);
  if (rest.length === 0 && model.success && version.success)
    return { model: model.data, version: version.data };
  throw new UsageError(`'${text}' is not a model and a version, such as flight-delay@12.`);
}

/** Follows a reproduction until it ends, or the person has seen enough: it runs on the server either way. */
async function watch(
  asked: Reproduction,
  client: Client,
  { json, output }: { json: boolean; output: Output },
): Promise<Reproduction> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  process.once('SIGINT', leave);
  const watcher = json ? silent : output.interactive ? clock() : stateLines(output);
  let current = asked;
  try {
    while (isUnderWay(current) && !left.signal.aborted) {
      watcher.show(current);
      await setTimeout(LOOK_EVERY_MILLISECONDS, undefined, { signal: left.signal }).catch(() => undefined);
      if (!left.signal.aborted)
        current = await client.getReproduction({ params: { reproduction: asked.id } });
    }
  } finally {
    process.off('SIGINT', leave);
    watcher.stop();
  }
  return current;
}

function isUnderWay({ state }: Reproduction): boolean {
  return state === 'queued' || state === 'running';
}

interface StateWatcher {
  show: (reproduction: Reproduction) => void;
  stop: () => void;
}

const silent: StateWatcher = { show: () => undefined, stop: () => undefined };

/** For a person at a terminal: how long it has been at it, since how much is left is not known. */
function clock(): StateWatcher {
  const bar = new SingleBar({
    format: '{state} {duration_formatted}',
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(1, 0, { state: 'queued' });
  return { show: ({ state }) => bar.update({ state }), stop: () => bar.stop() };
}

/** For a log. */
function stateLines(output: Output): StateWatcher {
  let last: string | undefined;
  return {
    show: ({ state }) => {
      if (state !== last) output.write(`${state} …\n`);
      last = state;
    },
    stop: () => undefined,
  };
}

function writeOutcome({ id, state, differences, error }: Reproduction, output: Output): void {
  switch (state) {
    case 'queued':
    case 'running':
      return output.write(`It goes on at the server. Its outcome will be at /v1/reproductions/${id}\n`);
    case 'identical':
      return output.write('identical\n');
    case 'different':
      output.write(`different in ${differences.length} ${differences.length === 1 ? 'place' : 'places'}\n`);
      return writeTable(
        output,
        ['what', 'recorded', 'found'],
        differences.map(({ what, recorded, found }) => [what, recorded, found]),
      );
    case 'failed':
      return output.writeError(`perennial: ${error?.message ?? 'it failed'}\n`);
  }
}
