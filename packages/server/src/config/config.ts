import { join, resolve } from 'node:path';
import { durationMilliseconds } from '@perennial/contract';
import { readConnections, type Connections } from './connections.ts';
import { signingConfig, type SigningConfig } from './signing-keys.ts';
import { readEnvironment, type Environment, type ProcessRole } from './environment.ts';
import { lineageConfig, type LineageConfig } from './open-lineage.ts';
import type { OpenIdConfig } from './role-mapping.ts';

/** Everything that differs from one installation to another, typed and complete. */
export interface Config {
  host: string;
  port: number;
  /** Bearer token with every role; null only on loopback. */
  adminToken: string | null;
  /** Of callers that have no limit of their own. */
  requestsPerMinute: number;
  /** How many proxies of the installation stand in front: as many last entries of X-Forwarded-For are believed. */
  trustedProxies: number;
  /** Where people reach the platform: `https://perennial.example`; null: as each request says. */
  publicUrl: string | null;
  /** Sign-in of people by OpenID Connect; null: none. */
  openId: OpenIdConfig | null;
  /** The last known tokens, by their hashes. */
  accessFolder: string;
  logLevel: Environment['PERENNIAL_LOG_LEVEL'];
  maxBodyBytes: number;
  /** Of a request that brings a file. */
  maxUploadBytes: number;
  /** What this process does. */
  roles: readonly ProcessRole[];
  /** Processes that serve on the one port. */
  processes: number;
  /** Queues whose jobs this process takes; null for all. */
  queues: readonly string[] | null;
  workerConcurrency: number;
  /** Folder of the pipeline files. */
  pipelines: string;
  batches: {
    /** Below which batches may read files. */
    folder: string;
    /** Whose objects batches may read; null: none. */
    bucket: string | null;
  };
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
  /** Addresses of the databases that pipelines may read. */
  connections: Connections;
  journal: {
    folder: string;
    durability: Environment['PERENNIAL_DURABILITY'];
    /** Most bytes of predictions that wait to be shipped before the journal counts as full. */
    maxBytes: number;
    whenFull: Environment['PERENNIAL_JOURNAL_WHEN_FULL'];
  };
  /** Other servers' names that metrics have as well. */
  metricsAliases: readonly ('triton' | 'kserve')[];
  /** How long the server goes on taking requests once it has said that it is not ready any more. */
  drainMilliseconds: number;
  /** Where traces go; null: nowhere. */
  tracing: { endpoint: string; ratio: number } | null;
  asyncPredictions: {
    /** How long a result is kept, and how long it may take to come. */
    keptMilliseconds: number;
    /** Most unfinished ones of a model. */
    queueLimit: number;
  };
  /** Models cached by digest, and the last known champions. */
  servingFolder: string;
  /** Most memory that loaded models take together, in bytes. */
  modelsMemoryBytes: number;
  signing: SigningConfig;
  workFolder: string;
  webhooks: {
    /** Whether they may be sent to addresses of the machine's own network, the machine's own among them. */
    allowPrivate: boolean;
  };
  /** Where OpenLineage events go. */
  lineage: LineageConfig;
  /** What the command line says. */
  overrides: ConfigOverrides;
  /** All the process's variables, secrets among them: for processes that run author's code, which are given few of them. */
  environment: Readonly<Record<string, string | undefined>>;
}

export type ConfigOverrides = Partial<Record<keyof Environment, string>>;

/**
 * The configuration from the environment.
 * @param overrides what the command line says; wins over the environment
 * @throws ConfigurationError
 */
export function loadConfig(
  overrides: ConfigOverrides = {},
  variables: NodeJS.ProcessEnv = process.env,
): Config {
  const environment = readEnvironment({ ...variables, ...overrides });
  const home = resolve(environment.PERENNIAL_HOME);
  return {
    host: environment.PERENNIAL_HOST,
    port: environment.PERENNIAL_PORT,
    adminToken: environment.PERENNIAL_ADMIN_TOKEN ?? null,
    requestsPerMinute: environment.PERENNIAL_REQUESTS_PER_MINUTE,
    trustedProxies: environment.PERENNIAL_TRUSTED_PROXIES,
    publicUrl: publicUrlOf(environment),
    openId: openIdConfig(environment),
    accessFolder: join(home, 'access'),
    logLevel: environment.PERENNIAL_LOG_LEVEL,
    maxBodyBytes: environment.PERENNIAL_MAX_BODY_BYTES,
    maxUploadBytes: environment.PERENNIAL_MAX_UPLOAD_BYTES,
    roles: environment.PERENNIAL_ROLES,
    processes: environment.PERENNIAL_PROCESSES,
    queues: environment.PERENNIAL_QUEUES ?? null,
    workerConcurrency: environment.PERENNIAL_WORKER_CONCURRENCY,
    pipelines: resolve(environment.PERENNIAL_PIPELINES),
    batches: {
      folder: resolve(environment.PERENNIAL_BATCH_FOLDER ?? environment.PERENNIAL_PIPELINES),
      bucket: environment.PERENNIAL_BATCH_BUCKET ?? null,
    },
    database:
      environment.DATABASE_URL === undefined
        ? { kind: 'embedded', folder: join(home, 'postgres') }
        : { kind: 'url', url: environment.DATABASE_URL },
    artifacts: artifactsConfig(environment, home),
    connections: readConnections(variables),
    journal: {
      folder: join(home, 'journal'),
      durability: environment.PERENNIAL_DURABILITY,
      maxBytes: environment.PERENNIAL_JOURNAL_MAX_BYTES,
      whenFull: environment.PERENNIAL_JOURNAL_WHEN_FULL,
    },
    metricsAliases: environment.PERENNIAL_METRICS_ALIASES ?? [],
    drainMilliseconds: environment.PERENNIAL_DRAIN_DELAY * 1_000,
    tracing: tracingConfig(environment),
    asyncPredictions: {
      keptMilliseconds: durationMilliseconds(environment.PERENNIAL_ASYNC_EXPIRY),
      queueLimit: environment.PERENNIAL_ASYNC_QUEUE,
    },
    servingFolder: join(home, 'serving'),
    modelsMemoryBytes: environment.PERENNIAL_MODELS_MEMORY,
    signing: signingConfig(environment, {
      home,
      roles: environment.PERENNIAL_ROLES,
      embedded: environment.DATABASE_URL === undefined,
    }),
    workFolder: join(home, 'work'),
    webhooks: { allowPrivate: environment.PERENNIAL_WEBHOOK_ALLOW_PRIVATE === 'true' },
    lineage: lineageConfig(environment),
    overrides,
    environment: { ...variables },
  };
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

function publicUrlOf({ PERENNIAL_PUBLIC_URL }: Environment): string | null {
  return PERENNIAL_PUBLIC_URL === undefined ? null : new URL(PERENNIAL_PUBLIC_URL).origin;
}

function tracingConfig(environment: Environment): Config['tracing'] {
  const endpoint = environment.PERENNIAL_OTLP_ENDPOINT ?? environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint === undefined ? null : { endpoint, ratio: environment.PERENNIAL_TRACE_RATIO };
}

function openIdConfig(environment: Environment): OpenIdConfig | null {
  const { PERENNIAL_OIDC_ISSUER: issuer, PERENNIAL_OIDC_ROLES: roles } = environment;
  if (issuer === undefined || roles === undefined) return null;
  return {
    issuer,
    clientId: environment.PERENNIAL_OIDC_CLIENT_ID ?? '',
    clientSecret: environment.PERENNIAL_OIDC_CLIENT_SECRET ?? '',
    mapping: { claim: environment.PERENNIAL_OIDC_ROLES_CLAIM, roles },
  };
}
