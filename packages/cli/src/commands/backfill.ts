import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import { SingleBar } from 'cli-progress';
import type { Client } from '@perennial/client';
import { DAY_MILLISECONDS, type Backfill } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { BadOutcomeError, UsageError } from '../errors.ts';
import type { Output } from '../output.ts';

interface BackfillOptions extends ConnectionOptions {
  from?: string;
  to?: string;
  force: boolean;
  resume?: string;
  stop?: string;
  detach: boolean;
}

const LOOK_EVERY_MILLISECONDS = 500;

export function registerBackfill(program: Command, output: Output): void {
  const command = program
    .command('backfill')
    .description('run a pipeline once for each day of a stretch, in order, and watch it')
    .argument('[pipeline]')
    .option('--from <day>', 'first day, such as 2001-03-01')
    .option('--to <day>', 'last day')
    .option('--force', 'do the work again even where an earlier output would stand for it', false)
    .option('--resume <backfill>', 'go on with one that has stopped, at the day it stopped at')
    .option('--stop <backfill>', 'stop one after the run that is under way')
    .option('--detach', 'start it and return at once', false)
    .action((pipeline: string | undefined, options: BackfillOptions) => backfill(pipeline, options, output));
  withConnection(command);
}

async function backfill(
  pipeline: string | undefined,
  options: BackfillOptions,
  output: Output,
): Promise<void> {
  const client = connect(options);
  const begun = await begin(pipeline, options, client);
  output.write(`${begun.id} of ${begun.pipeline}, ${begun.from} to ${begun.to}: ${begun.state}\n`);
  if (options.detach || options.stop !== undefined) return;
  const left = await watch(begun, client, output);
  if (left.state === 'running') return writeLeftRunning(left, output);
  output.write(`${left.id} ${left.state}, ${left.done} of ${daysOf(left)} days done\n`);
  if (left.reason !== null)
    output.write(`${left.reason}\nGo on with: perennial backfill --resume ${left.id}\n`);
  if (left.state === 'stopped') throw new BadOutcomeError();
}

function begin(
  pipeline: string | undefined,
  { from, to, force, resume, stop }: BackfillOptions,
  client: Client,
): Promise<Backfill> {
  if (pipeline === undefined && from === undefined && to === undefined) {
    if (resume !== undefined && stop === undefined)
      return client.resumeBackfill({ params: { backfill: resume } });
    if (stop !== undefined && resume === undefined)
      return client.stopBackfill({ params: { backfill: stop } });
  }
  if ((pipeline === undefined || from === undefined || to === undefined || resume) ?? stop)
    throw new UsageError(
      'Pass a pipeline with --from and --to, or --resume or --stop with a backfill alone.',
    );
  return client.startBackfill({ params: { pipeline }, body: { from, to, force } });
}

/** Follows a backfill until it ends, or the person has seen enough: it runs on the server either way. */
async function watch(begun: Backfill, client: Client, output: Output): Promise<Backfill> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  process.once('SIGINT', leave);
  const watcher = output.interactive ? dayBar(begun) : dayLines(begun, output);
  let current = begun;
  try {
    while (current.state === 'running' && !left.signal.aborted) {
      await setTimeout(LOOK_EVERY_MILLISECONDS, undefined, { signal: left.signal }).catch(() => undefined);
      if (!left.signal.aborted) current = await client.getBackfill({ params: { backfill: begun.id } });
      watcher.show(current);
    }
  } finally {
    process.off('SIGINT', leave);
    watcher.stop();
  }
  return current;
}

interface DayWatcher {
  show: (backfill: Backfill) => void;
  stop: () => void;
}

/** For a person at a terminal. */
function dayBar(begun: Backfill): DayWatcher {
  const format = '{day} [{bar}] {value}/{total} days';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true });
  bar.start(daysOf(begun), begun.done, { day: begun.nextDay ?? begun.to });
  return {
    show: ({ done, nextDay, to }) => bar.update(done, { day: nextDay ?? to }),
    stop: () => bar.stop(),
  };
}

/** For a log: a line for each day that is done. */
function dayLines(begun: Backfill, output: Output): DayWatcher {
  let { done } = begun;
  return {
    show: (current) => {
      for (; done < current.done; done++) output.write(`${dayAt(current.from, done)} done\n`);
    },
    stop: () => undefined,
  };
}

function writeLeftRunning({ id }: Backfill, output: Output): void {
  output.write(`It goes on at the server. Stop it with: perennial backfill --stop ${id}\n`);
}

function daysOf({ from, to }: Backfill): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MILLISECONDS) + 1;
}

function dayAt(from: string, index: number): string {
  return new Date(Date.parse(from) + index * DAY_MILLISECONDS).toISOString().slice(0, 10);
}
