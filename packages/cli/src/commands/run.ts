import type { Command } from 'commander';
import { SingleBar } from 'cli-progress';
import { watchRun, type Client, type RunMessage } from '@perennial/client';
import { daySchema, instantSchema, runSchema, storedRunEventSchema, type Run } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { BadOutcomeError, UsageError } from '../errors.ts';
import type { Output } from '../output.ts';

interface RunOptions extends ConnectionOptions {
  asOf?: string;
  force: boolean;
  detach: boolean;
}

export function registerRun(program: Command, output: Output): void {
  const command = program
    .command('run')
    .description('run a pipeline and watch it to its end')
    .argument('<pipeline>')
    .option('--as-of <instant>', 'look at the world from this instant (ISO 8601); now when absent')
    .option('--force', 'do the work again even where an earlier output would stand for it', false)
    .option('--detach', 'start it and return at once', false)
    .action((pipeline: string, options: RunOptions) => run(pipeline, options, output));
  withConnection(command);
}

async function run(pipeline: string, options: RunOptions, output: Output): Promise<void> {
  const client = connect(options);
  const asOf = options.asOf === undefined ? {} : { asOf: instant(options.asOf) };
  const started = await client.startRun({ params: { pipeline }, body: { force: options.force, ...asOf } });
  output.write(`${started.id} started\n`);
  if (options.detach) return;
  const ended = await watch(started.id, client, output);
  writeOutcome(ended, output);
  if (ended.state !== 'succeeded') throw new BadOutcomeError();
}

/** An instant with its zone, or a day in UTC; nothing that would mean another time on another machine. */
function instant(text: string): string {
  if (instantSchema.safeParse(text).success) return new Date(text).toISOString();
  if (daySchema.safeParse(text).success) return `${text}T00:00:00.000Z`;
  throw new UsageError(
    `--as-of '${text}' is neither an ISO 8601 instant, such as 2001-03-01T00:00:00Z, nor a day, such as 2001-03-01.`,
  );
}

async function watch(id: Run['id'], client: Client, output: Output): Promise<Run> {
  const watcher = output.interactive ? progressBar() : eventLines(output);
  try {
    for await (const message of watchRun(client, id)) {
      if (message.type === 'end') return runSchema.parse(message.data);
      watcher.show(message);
    }
  } finally {
    watcher.stop();
  }
  // The server stopped before the run did: whatever it can still say of it.
  return client.getRun({ params: { run: id } });
}

/** How the messages of a run are shown while it is watched. */
interface Watcher {
  show: (message: RunMessage) => void;
  stop: () => void;
}

/** For a person at a terminal. */
function progressBar(): Watcher {
  const format = '{step} [{bar}] {percentage}% {message}';
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true });
  bar.start(1, 0, { step: '', message: '' });
  return {
    show: ({ type, data }) => {
      if (type !== 'progress') return;
      const { step, done, message } = data as { step: string; done: number; message: string };
      bar.update(done, { step: step.padEnd(12), message });
    },
    stop: () => bar.stop(),
  };
}

/** For a log. */
function eventLines(output: Output): Watcher {
  return {
    show: ({ type, data }) => {
      if (type !== 'event') return;
      const { event } = storedRunEventSchema.parse(data);
      if (event.type === 'step-started') output.write(`${event.step} …\n`);
      if (event.type === 'step-succeeded')
        output.write(`${event.step} ${event.reused ? 'reused' : 'done'}\n`);
    },
    stop: () => undefined,
  };
}

function writeOutcome(run: Run, output: Output): void {
  if (run.state === 'succeeded') {
    output.write(`${run.pipeline}@${run.version} registered, verdict ${run.verdict}\n`);
  } else {
    output.write(`${run.id} ${run.state}${run.error ? `: ${run.error.message}` : ''}\n`);
  }
}
