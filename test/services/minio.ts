import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, stopProcess, untilReady, type Service } from './service.ts';

/** Beside the sources, also when this file was built into `dist`. */
const BUILD = ['minio/build', '../../services/minio/build']
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path));

export interface MinioService extends Service {
  endpoint: string;
  accessKey: string;
  secretKey: string;
}

/**
 * The path of a MinIO server, which is built first where it has not been: several minutes.
 * @throws when there is neither one in the cache nor a Go to build it with
 */
export async function minioBinary(): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', [BUILD ?? 'minio/build']);
  return stdout.trim();
}

/** Starts a MinIO server on a free port, with an account and a folder of its own. */
export async function startMinio(): Promise<MinioService> {
  const binary = await minioBinary();
  const folder = await mkdtemp(join(tmpdir(), 'perennial-minio-'));
  const address = `127.0.0.1:${await freePort()}`;
  const [accessKey, secretKey] = [randomBytes(8).toString('hex'), randomBytes(16).toString('hex')];
  const child = spawn(binary, ['server', folder, '--address', address, '--quiet'], {
    env: {
      HOME: folder,
      MINIO_ROOT_USER: accessKey,
      MINIO_ROOT_PASSWORD: secretKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      // Else it refuses a folder on the disk that the system runs from.
      MINIO_CI_CD: 'on',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = async (): Promise<void> => {
    await stopProcess(child, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  await untilReady(child, () => answers(`http://${address}/minio/health/ready`)).catch(failAfter(stop));
  const environment = {
    S3_TEST_ENDPOINT: `http://${accessKey}:${secretKey}@${address}`,
    S3_TEST_ACCESS_KEY: accessKey,
    S3_TEST_SECRET_KEY: secretKey,
  };
  return { environment, pid: child.pid ?? 0, endpoint: `http://${address}`, accessKey, secretKey, stop };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

function failAfter(stop: () => Promise<void>): (error: unknown) => Promise<never> {
  return async (error) => {
    await stop();
    throw error;
  };
}
