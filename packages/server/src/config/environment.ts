import { JOB_QUEUES, durationSchema } from '@perennial/contract';
import { z } from 'zod';
import { ConfigurationError, type ConfigurationIssue } from '../errors.ts';
import { connectionIssues } from './connections.ts';
import { byteCount } from './byte-count.ts';
import { isReceiverUrl, lineageIssues } from './open-lineage.ts';
import { roleMapping } from './role-mapping.ts';
import { signingIssues } from './signing-keys.ts';

/** An environment variable that is set to nothing counts as not set. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
const withDefault = <T extends z.ZodType>(schema: T, value: z.input<T>) =>
  z.preprocess((given) => (given === undefined || given === '' ? value : given), schema);

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .refine((text) => /^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: ({ input }) => `must be a whole number from ${min} to ${max}, not '${String(input)}'`,
    })
    .transform(Number);
const oneOf = <const T extends [string, ...string[]]>(...values: T) =>
  z.enum(values, {
    error: ({ input }) => `must be one of ${values.join(', ')}, not '${String(input)}'`,
  });
const listOf = <const Word extends string>(...words: [Word, ...Word[]]) =>
  z
    .string()
    .transform((text) => text.split(',').map((word) => word.trim()))
    .pipe(z.array(oneOf(...words)));

/** What a process does: answer requests, see to due times and files, work off the queue. */
export const ROLES = ['server', 'scheduler', 'worker'] as const;
export type ProcessRole = (typeof ROLES)[number];

const QUEUES = [...new Set(Object.values(JOB_QUEUES))] as [string, ...string[]];

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).pathname === '/';

/** Whether nobody on the way can read or change what is said to an address. */
function isProtected(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname.replace(/[[\]]/g, '')));
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

const environmentSchema = z.object({
  PERENNIAL_HOME: withDefault(z.string(), '.perennial'),
  PERENNIAL_HOST: withDefault(z.string(), '127.0.0.1'),
  PERENNIAL_PORT: withDefault(wholeNumber(0, 65_535), '8080'),
  PERENNIAL_PIPELINES: withDefault(z.string(), 'pipelines'),
  PERENNIAL_ADMIN_TOKEN: optional(
    z.string().regex(/^[\x21-\x7e]{16,}$/, 'must be at least 16 visible ASCII characters without spaces'),
  ),
  PERENNIAL_LOG_LEVEL: withDefault(oneOf('debug', 'info', 'warn', 'error', 'silent'), 'info'),
  PERENNIAL_DURABILITY: withDefault(oneOf('disk', 'process', 'none'), 'disk'),
  // Below two segments of 64 MiB the journal would be full while its only segment is still being written.
  PERENNIAL_JOURNAL_MAX_BYTES: withDefault(
    wholeNumber(128 * 1024 * 1024, 10 ** 15 - 1),
    String(16 * 1024 ** 3),
  ),
  PERENNIAL_JOURNAL_WHEN_FULL: withDefault(oneOf('refuse', 'drop-and-count'), 'refuse'),
  PERENNIAL_ROLES: withDefault(listOf(...ROLES), ROLES.join(',')),
  PERENNIAL_PROCESSES: withDefault(wholeNumber(1, 64), '1'),
  PERENNIAL_QUEUES: optional(listOf(...QUEUES)),
  PERENNIAL_WORKER_CONCURRENCY: withDefault(wholeNumber(1, 64), '1'),
  PERENNIAL_BATCH_FOLDER: optional(z.string()),
  PERENNIAL_BATCH_BUCKET: optional(z.string()),
  PERENNIAL_MAX_BODY_BYTES: withDefault(wholeNumber(1_024, 1_073_741_824), String(8 * 1024 * 1024)),
  // Above this a body's text is longer than a JavaScript string can be.
  PERENNIAL_MAX_UPLOAD_BYTES: withDefault(wholeNumber(1_024, 500_000_000), String(128 * 1024 * 1024)),
  PERENNIAL_MODELS_MEMORY: withDefault(byteCount(1_048_576), '1GiB'),
  PERENNIAL_METRICS_ALIASES: optional(listOf('triton', 'kserve')),
  PERENNIAL_DRAIN_DELAY: withDefault(wholeNumber(0, 300), '0'),
  PERENNIAL_OTLP_ENDPOINT: optional(
    z.string().refine(isReceiverUrl, 'must be an http:// or https:// URL without user or password'),
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    z.string().refine(isReceiverUrl, 'must be an http:// or https:// URL without user or password'),
  ),
  PERENNIAL_TRACE_RATIO: withDefault(
    z
      .string()
      .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a number from 0 to 1')
      .transform(Number),
    '1',
  ),
  PERENNIAL_ASYNC_EXPIRY: withDefault(durationSchema, '24h'),
  PERENNIAL_ASYNC_QUEUE: withDefault(wholeNumber(1, 1_000_000), '10000'),
  PERENNIAL_WEBHOOK_ALLOW_PRIVATE: withDefault(oneOf('true', 'false'), 'false'),
  PERENNIAL_SIGNING_KEY: optional(z.string()),
  PERENNIAL_TRUSTED_KEYS: optional(z.string()),
  PERENNIAL_REQUESTS_PER_MINUTE: withDefault(wholeNumber(1, 1_000_000_000), '600000'),
  PERENNIAL_TRUSTED_PROXIES: withDefault(wholeNumber(0, 10), '0'),
  PERENNIAL_PUBLIC_URL: optional(
    z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }).refine(isOrigin, {
      error: 'must be a URL without a path: the platform is at the root of its host',
    }),
  ),
  PERENNIAL_OIDC_ISSUER: optional(
    z.string().refine(isProtected, {
      error: 'must be an https:// URL: only a provider on this machine may go without TLS',
    }),
  ),
  PERENNIAL_OIDC_CLIENT_ID: optional(z.string()),
  PERENNIAL_OIDC_CLIENT_SECRET: optional(z.string()),
  PERENNIAL_OIDC_ROLES_CLAIM: withDefault(z.string(), 'groups'),
  PERENNIAL_OIDC_ROLES: optional(roleMapping),
  PERENNIAL_OPENLINEAGE_URL: optional(
    z.string().refine(isReceiverUrl, 'must be an http:// or https:// URL without user or password'),
  ),
  PERENNIAL_OPENLINEAGE_API_KEY: optional(
    z.string().regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters without spaces'),
  ),
  PERENNIAL_OPENLINEAGE_NAMESPACE: withDefault(
    z.string().regex(/^[\x21-\x7e]{1,1024}$/, 'must be visible ASCII characters without spaces'),
    'perennial',
  ),
  // What may hold a password is not repeated in a message.
  DATABASE_URL: optional(z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })),
  S3_ENDPOINT: optional(z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })),
  S3_BUCKET: optional(z.string()),
  S3_ACCESS_KEY: optional(z.string()),
  S3_SECRET_KEY: optional(z.string()),
  S3_REGION: optional(z.string()),
});

export type Environment = z.infer<typeof environmentSchema>;
type Variable = keyof Environment;

/**
 * Reads the variables the platform knows. The only place that reads the environment.
 * @throws ConfigurationError naming every bad variable and what is allowed
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const parsed = environmentSchema.safeParse(variables);
  const bad = (parsed.error?.issues ?? []).map((issue): ConfigurationIssue => ({
    variable: issue.path.join('.'),
    message: issue.message,
  }));
  const issues = [
    ...bad,
    ...incompleteStore(variables),
    ...bucketWithoutStore(variables),
    ...missingToken(variables),
    ...incompleteSignIn(variables),
    ...missingDatabase(variables),
    ...connectionIssues(variables),
    ...lineageIssues(variables),
    ...missingKey(parsed.data),
  ];
  if (!parsed.success || issues.length > 0) throw new ConfigurationError(issues);
  return parsed.data;
}

const isSet = (variables: NodeJS.ProcessEnv, name: Variable) => (variables[name] ?? '') !== '';

/** An object store half named would quietly be the local folder, or fail at the first artifact. */
function incompleteStore(variables: NodeJS.ProcessEnv): ConfigurationIssue[] {
  const needed = ['S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'] as const;
  const given = [...needed, 'S3_REGION' as const].filter((name) => isSet(variables, name));
  const [first] = given;
  if (first === undefined) return [];
  return needed
    .filter((name) => !isSet(variables, name))
    .map((variable) => ({ variable, message: `is needed when ${first} is set` }));
}

/** A bucket is one of the store's. */
function bucketWithoutStore(variables: NodeJS.ProcessEnv): ConfigurationIssue[] {
  if (!isSet(variables, 'PERENNIAL_BATCH_BUCKET') || isSet(variables, 'S3_ENDPOINT')) return [];
  return [{ variable: 'S3_ENDPOINT', message: 'is needed when PERENNIAL_BATCH_BUCKET is set' }];
}

/** Sign-in half set up would be found out by the first person who tries it. */
function incompleteSignIn(variables: NodeJS.ProcessEnv): ConfigurationIssue[] {
  const needed = [
    'PERENNIAL_OIDC_ISSUER',
    'PERENNIAL_OIDC_CLIENT_ID',
    'PERENNIAL_OIDC_CLIENT_SECRET',
    'PERENNIAL_OIDC_ROLES',
  ] as const;
  const [first] = [...needed, 'PERENNIAL_OIDC_ROLES_CLAIM' as const].filter((name) => isSet(variables, name));
  if (first === undefined) return [];
  return [...needed, 'PERENNIAL_PUBLIC_URL' as const]
    .filter((name) => !isSet(variables, name))
    .map((variable) => ({ variable, message: `is needed when ${first} is set` }));
}

function missingToken(variables: NodeJS.ProcessEnv): ConfigurationIssue[] {
  if (isSet(variables, 'PERENNIAL_ADMIN_TOKEN') || !isSet(variables, 'PERENNIAL_HOST')) return [];
  const host = variables['PERENNIAL_HOST'] ?? '';
  if (LOOPBACK.has(host)) return [];
  const message = `must be set to listen on ${host}: only loopback goes without a token`;
  return [{ variable: 'PERENNIAL_ADMIN_TOKEN', message }];
}

/** Told once everything else is right: a role that is not one needs no key. */
function missingKey(environment: Environment | undefined): ConfigurationIssue[] {
  if (environment === undefined) return [];
  const { PERENNIAL_ROLES: roles, DATABASE_URL } = environment;
  return signingIssues(environment, { roles, embedded: DATABASE_URL === undefined });
}

/** The embedded database belongs to one process, which must then do everything. */
function missingDatabase(variables: NodeJS.ProcessEnv): ConfigurationIssue[] {
  if (isSet(variables, 'DATABASE_URL') || !isSet(variables, 'PERENNIAL_ROLES')) return [];
  const roles = (variables['PERENNIAL_ROLES'] ?? '').split(',').map((word) => word.trim());
  const known = roles.every((role) => (ROLES as readonly string[]).includes(role));
  if (!known || ROLES.every((role) => roles.includes(role))) return [];
  const message = `must be set for a process that is only ${roles.join(' and ')}: the embedded database belongs to one process`;
  return [{ variable: 'DATABASE_URL', message }];
}
