import { join, resolve } from 'node:path';
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
  journal: { folder: string; durability: Environment['PERENNIAL_DURABILITY'] };
  /** Models cached by digest, and the last known champions. */
  servingFolder: string;
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
    database:
      environment.DATABASE_URL === undefined
        ? { kind: 'embedded', folder: join(home, 'postgres') }
        : { kind: 'url', url: environment.DATABASE_URL },
    artifacts: artifactsConfig(environment, home),
    connections: readConnections(variables),
    journal: { folder: join(home, 'journal'), durability: environment.PERENNIAL_DURABILITY },
    servingFolder: join(home, 'serving'),
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
