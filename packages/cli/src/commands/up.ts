import type { Command } from 'commander';
import { createLogger, loadConfig, startPlatform, type ConfigOverrides } from '@perennial/server';
import type { Output } from '../output.ts';

interface UpOptions {
  host?: string;
  port?: string;
  home?: string;
  pipelines?: string;
}

export function registerUp(program: Command, output: Output): void {
  program
    .command('up')
    .description('start the platform: server, scheduler and one worker')
    .option('--host <host>', 'address to listen on (PERENNIAL_HOST)')
    .option('--port <port>', 'port to listen on (PERENNIAL_PORT)')
    .option('--home <folder>', 'folder for everything the platform keeps (PERENNIAL_HOME)')
    .option('--pipelines <folder>', 'folder of the pipeline files (PERENNIAL_PIPELINES)')
    .action((options: UpOptions) => up(options, output));
}

async function up(options: UpOptions, output: Output): Promise<void> {
  const config = loadConfig(overridesOf(options));
  // From here on: a signal during the start must not leave the embedded database behind.
  const stopped = stopSignal();
  const platform = await startPlatform({ config, logger: createLogger(config.logLevel) });
  output.write(`Perennial is up at ${platform.url}\n`);
  output.write(`Pipelines: ${platform.pipelines.join(', ') || 'none'}; API: ${platform.url}/docs\n`);
  await stopped;
  output.write('Stopping…\n');
  await platform.close();
}

function overridesOf({ host, port, home, pipelines }: UpOptions): ConfigOverrides {
  return {
    ...(host === undefined ? {} : { PERENNIAL_HOST: host }),
    ...(port === undefined ? {} : { PERENNIAL_PORT: port }),
    ...(home === undefined ? {} : { PERENNIAL_HOME: home }),
    ...(pipelines === undefined ? {} : { PERENNIAL_PIPELINES: pipelines }),
  };
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
