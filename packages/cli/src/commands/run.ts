import type { Command } from 'commander';
import { SingleBar } from 'cli-progress';
import { watchRun } from '@perennial/client';
import { runSchema, storedRunEventSchema, type Run } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
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
  const ended = await watch(started.id, { client, options, output });
  writeOutcome(ended, output);
  if (ended.state !== 'succeeded') process.exitCode = 1;
}

function instant(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new UsageError(`--as-of '${text}' is not an ISO 8601 instant, such as 2001-03-01T00:00:00Z.`);
  return date.toISOString();
}

interface Watching {
  client: ReturnType<typeof connect>;
  options: RunOptions;
  output: Output;
}

async function watch(id: Run['id'], { client, options, output }: Watching): Promise<Run> {
  const bar = new SingleBar({
    format: '{step} [{bar}] {percentage}% {message}',
    hideCursor: true,
    noTTYOutput: false,
    clearOnComplete: true,
  });
  if (output.interactive) bar.start(1, 0, { step: '', message: '' });
  try {
    const token = options.token === undefined ? {} : { token: options.token };
    for await (const message of watchRun(client, id, token)) {
      if (message.type === 'end') return runSchema.parse(message.data);
      if (message.type === 'progress') updateBar(bar, message.data);
      else if (!output.interactive) writeEvent(message.data, output);
    }
  } finally {
    bar.stop();
  }
  return client.getRun({ params: { run: id } });
}

function updateBar(bar: SingleBar, data: unknown): void {
  const { step, done, message } = data as { step: string; done: number; message: string };
  bar.update(done, { step: step.padEnd(12), message });
}

function writeEvent(data: unknown, output: Output): void {
  const { event } = storedRunEventSchema.parse(data);
  if (event.type === 'step-started') output.write(`${event.step} …\n`);
  else if (event.type === 'step-succeeded')
    output.write(`${event.step} ${event.reused ? 'reused' : 'done'}\n`);
}

function writeOutcome(run: Run, output: Output): void {
  if (run.state === 'succeeded') {
    output.write(`${run.pipeline}@${run.version} registered, verdict ${run.verdict}\n`);
  } else {
    output.write(`${run.id} ${run.state}${run.error ? `: ${run.error.message}` : ''}\n`);
  }
}
