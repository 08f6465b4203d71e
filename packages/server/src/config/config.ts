import { join, resolve } from 'node:path';
import { durationMilliseconds } from '@perennial/contract';
import { ConfigurationError } from '../errors.ts';
import { ROLES, readEnvironment, type Environment, type ProcessRole } from './environment.ts';

/** Everything that differs from one installation to another, typed and complete. */
export interface Config {
  host: string;
  port: number;
  /** Bearer token with every role; null only on loopback. */
  adminToken: string | null;
  logLevel: Environment['PERENNIAL_LOG_LEVEL'];
  maxBodyBytes: number;
  /** What this process does. */
  roles: readonly ProcessRole[];
  /** Queues whose jobs this process takes; null for all. */
  queues: readonly string[] | null;
  workerConcurrency: number;
  /** Silence after which a worker's jobs are given to others. */
  workerLeaseMilliseconds: number;
  /** Folder of the pipeline files. */
  pipelines: string;
  database: { kind: 'embedded'; folder: string } | { kind: 'url'; url: string };
  artifacts:
    | { kind: 'folder'; folder: string }
    | {
        kind: 's3';
        endpoint: string;
        bucket: string;
        accessKey: string;
        secretKey: string;
        region: string | null;
        cacheFolder: string;
      };
  journal: { folder: string; durability: Environment['PERENNIAL_DURABILITY'] };
  /** Models cached by digest, and the last known champions. */
  servingFolder: string;
  workFolder: string;
}

export type ConfigOverrides = Partial<Record<keyof Environment, string>>;

/**
 * The configuration from the environment.
 * @param overrides what the command line says; wins over the environment
 * @throws ConfigurationError
 */
export function loadConfig(overrides: ConfigOverrides = {}): Config {
  const environment = readEnvironment({ ...process.env, ...overrides });
  requireTokenBeyondLoopback(environment);
  requireSharedDatabase(environment);
  const home = resolve(environment.PERENNIAL_HOME);
  return {
    host: environment.PERENNIAL_HOST,
    port: environment.PERENNIAL_PORT,
    adminToken: environment.PERENNIAL_ADMIN_TOKEN ?? null,
    logLevel: environment.PERENNIAL_LOG_LEVEL,
    maxBodyBytes: environment.PERENNIAL_MAX_BODY_BYTES,
    roles: environment.PERENNIAL_ROLES,
    queues: environment.PERENNIAL_QUEUES ?? null,
    workerLeaseMilliseconds: durationMilliseconds(environment.PERENNIAL_WORKER_LEASE),
    workerConcurrency: environment.PERENNIAL_WORKER_CONCURRENCY,
    pipelines: resolve(environment.PERENNIAL_PIPELINES),
    database:
      environment.DATABASE_URL === undefined
        ? { kind: 'embedded', folder: join(home, 'postgres') }
        : { kind: 'url', url: environment.DATABASE_URL },
    artifacts: artifactsConfig(environment, home),
    journal: { folder: join(home, 'journal'), durability: environment.PERENNIAL_DURABILITY },
    servingFolder: join(home, 'serving'),
    workFolder: join(home, 'work'),
  };
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

function requireTokenBeyondLoopback({ PERENNIAL_HOST, PERENNIAL_ADMIN_TOKEN }: Environment): void {
  if (LOOPBACK.has(PERENNIAL_HOST) || PERENNIAL_ADMIN_TOKEN !== undefined) return;
  throw new ConfigurationError([
    {
      variable: 'PERENNIAL_ADMIN_TOKEN',
      message: `must be set to listen on ${PERENNIAL_HOST}: only loopback goes without a token`,
    },
  ]);
}

/** The embedded database belongs to one process, which must then do everything. */
function requireSharedDatabase({ PERENNIAL_ROLES, DATABASE_URL }: Environment): void {
  if (DATABASE_URL !== undefined || ROLES.every((role) => PERENNIAL_ROLES.includes(role))) return;
  throw new ConfigurationError([
    {
      variable: 'DATABASE_URL',
      message: `must be set for a process that is only ${PERENNIAL_ROLES.join(' and ')}: the embedded database belongs to one process`,
    },
  ]);
}

function artifactsConfig(environment: Environment, home: string): Config['artifacts'] {
  const { S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION } = environment;
  if (S3_ENDPOINT === undefined) return { kind: 'folder', folder: join(home, 'artifacts') };
  return {
    kind: 's3',
    endpoint: S3_ENDPOINT,
    bucket: S3_BUCKET ?? '',
    accessKey: S3_ACCESS_KEY ?? '',
    secretKey: S3_SECRET_KEY ?? '',
    region: S3_REGION ?? null,
    cacheFolder: join(home, 'artifact-cache'),
  };
}
