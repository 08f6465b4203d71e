import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startMinio } from './minio.ts';
import { startPostgresql } from './postgresql.ts';
import type { Service } from './service.ts';

/**
 * `node test/dist/services/with-services.js [--minio] [--postgresql] -- command…` runs a command with these servers started for it, tells it of them
 * in its environment (S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY and S3_TEST_SECRET_KEY; DATABASE_URL), stops them and ends as the command did.
 */
const STARTERS: Record<string, () => Promise<Service>> = {
  '--minio': startMinio,
  '--postgresql': startPostgresql,
};

const USAGE = `Usage: with-services [${Object.keys(STARTERS).join('] [')}] -- command…\n`;

async function main(args: string[]): Promise<number> {
  const separator = args.indexOf('--');
  const starters = args.slice(0, Math.max(separator, 0)).map((option) => STARTERS[option]);
  const [command, ...rest] = args.slice(separator + 1);
  if (separator < 0 || command === undefined || starters.includes(undefined)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const services: Service[] = [];
  try {
    for (const start of starters) if (start !== undefined) services.push(await start());
    return await runWith(services, [command, ...rest]);
  } finally {
    for (const service of services) await service.stop();
  }
}

async function runWith(services: Service[], [command = '', ...args]: string[]): Promise<number> {
  const environment = Object.assign(
    {},
    ...services.map((service) => service.environment),
  ) as NodeJS.ProcessEnv;
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: 'inherit' });
  // The command decides how it ends, and the servers must outlive it.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

process.exitCode = await main(process.argv.slice(2));
