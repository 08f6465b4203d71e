import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMinio } from '../services/minio.ts';
import { startPostgresql } from '../services/postgresql.ts';
import type { Service } from '../services/service.ts';
import { adminToken, startNatively, stopAll, type NativeService } from './native-services.ts';

/**
 * Runs the services of docker-compose.yml on this machine until each is well.
 * @param stay goes on until SIGINT or SIGTERM
 * @returns the exit status
 */
export async function runNatively({ stay }: { stay: boolean }): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'perennial-native-'));
  const backends: Service[] = [];
  let services: NativeService[] = [];
  try {
    const postgresql = await startPostgresql();
    backends.push(postgresql);
    const s3 = await startMinio();
    backends.push(s3);
    const databaseUrl = postgresql.environment['DATABASE_URL'] ?? '';
    services = await startNatively({ folder, databaseUrl, s3 });
    for (const { name, url } of services) process.stdout.write(`${name.padEnd(12)} is well at ${url}\n`);
    if (stay) await untilSignal();
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await stopAll(services);
    for (const backend of backends) await backend.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilSignal(): Promise<void> {
  process.stdout.write(`The admin token is ${adminToken()}; Ctrl-C ends all.\n`);
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
}
