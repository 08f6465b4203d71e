import type { Command } from 'commander';
import { createLogger, loadConfig, startPlatform, type ConfigOverrides } from '@perennial/server';
import type { Output } from '../output.ts';

interface PlaceOptions {
  host?: string;
  port?: string;
  home?: string;
  pipelines?: string;
}

interface ServerOptions extends PlaceOptions {
  processes?: string;
}

interface UpOptions extends ServerOptions {
  roles?: string;
}

interface WorkerOptions extends PlaceOptions {
  queues?: string;
  concurrency?: string;
}

const PROCESSES = [
  '--processes <n>',
  'processes that answer requests on the one port (PERENNIAL_PROCESSES)',
] as const;

/** The commands that start a process of the platform: all of it, or one role on a machine of its own. */
export function registerUp(program: Command, output: Output): void {
  withPlace(program.command('up').description('start the platform: server, scheduler and one worker'))
    .option('--roles <list>', 'only these of server, scheduler and worker (PERENNIAL_ROLES)')
    .option(...PROCESSES)
    .action((options: UpOptions) =>
      start({ ...serverOverrides(options), ...given('PERENNIAL_ROLES', options.roles) }, output),
    );
  withPlace(program.command('server').description('start a server; needs DATABASE_URL'))
    .option(...PROCESSES)
    .action((options: ServerOptions) =>
      start({ ...serverOverrides(options), PERENNIAL_ROLES: 'server' }, output),
    );
  withPlace(program.command('worker').description('start a worker; needs DATABASE_URL'))
    .option('--queues <list>', 'only the jobs of these queues (PERENNIAL_QUEUES)')
    .option('--concurrency <n>', 'jobs at the same time (PERENNIAL_WORKER_CONCURRENCY)')
    .action((options: WorkerOptions) => start(workerOverrides(options), output));
  withPlace(program.command('scheduler').description('start a scheduler; needs DATABASE_URL')).action(
    (options: PlaceOptions) => start({ ...placeOf(options), PERENNIAL_ROLES: 'scheduler' }, output),
  );
}

function withPlace(command: Command): Command {
  return command
    .option('--host <host>', 'address to listen on (PERENNIAL_HOST)')
    .option('--port <port>', 'port to listen on (PERENNIAL_PORT)')
    .option('--home <folder>', 'folder for everything the platform keeps (PERENNIAL_HOME)')
    .option('--pipelines <folder>', 'folder of the pipeline files (PERENNIAL_PIPELINES)');
}

async function start(overrides: ConfigOverrides, output: Output): Promise<void> {
  const config = loadConfig(overrides);
  // From here on: a signal during the start must not leave the embedded database behind.
  const stopped = stopSignal();
  const platform = await startPlatform({ config, logger: createLogger(config.logLevel) });
  const api = config.roles.includes('server') ? `; API: ${platform.url}/docs` : '';
  output.write(`Perennial is up at ${platform.url} (${config.roles.join(', ')})\n`);
  output.write(`Pipelines: ${platform.pipelines.join(', ') || 'none'}${api}\n`);
  await stopped;
  output.write('Stopping…\n');
  await platform.close();
}

function placeOf({ host, port, home, pipelines }: PlaceOptions): ConfigOverrides {
  return {
    ...given('PERENNIAL_HOST', host),
    ...given('PERENNIAL_PORT', port),
    ...given('PERENNIAL_HOME', home),
    ...given('PERENNIAL_PIPELINES', pipelines),
  };
}

function serverOverrides({ processes, ...place }: ServerOptions): ConfigOverrides {
  return { ...placeOf(place), ...given('PERENNIAL_PROCESSES', processes) };
}

function workerOverrides({ queues, concurrency, ...place }: WorkerOptions): ConfigOverrides {
  return {
    ...placeOf(place),
    PERENNIAL_ROLES: 'worker',
    ...given('PERENNIAL_QUEUES', queues),
    ...given('PERENNIAL_WORKER_CONCURRENCY', concurrency),
  };
}

function given(variable: keyof ConfigOverrides, value: string | undefined): ConfigOverrides {
  return value === undefined ? {} : { [variable]: value };
}

/** Resolves at the first SIGINT or SIGTERM; a second SIGINT ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.once('SIGINT', () => process.exit(130));
      resolve();
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}
