import { JOB_QUEUES, durationSchema } from '@perennial/contract';
import { z } from 'zod';
import { ConfigurationError, type ConfigurationIssue } from '../errors.ts';

/** An environment variable that is set to nothing counts as not set. */
const optional = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());
const withDefault = <T extends z.ZodType>(schema: T, value: z.input<T>) =>
  z.preprocess((given) => (given === undefined || given === '' ? value : given), schema);

/** `a,b` */
const listOf = <const Word extends string>(words: readonly [Word, ...Word[]]) =>
  z
    .string()
    .transform((text) => text.split(',').map((word) => word.trim()))
    .pipe(z.array(z.enum(words)).min(1));

/** What a process does: answer requests, see to due times and files, work off the queue. */
export const ROLES = ['server', 'scheduler', 'worker'] as const;
export type ProcessRole = (typeof ROLES)[number];

const QUEUES = [...new Set(Object.values(JOB_QUEUES))] as [string, ...string[]];

const environmentSchema = z
  .object({
    PERENNIAL_HOME: withDefault(z.string(), '.perennial'),
    PERENNIAL_HOST: withDefault(z.string(), '127.0.0.1'),
    PERENNIAL_PORT: withDefault(z.coerce.number().int().min(0).max(65_535), 8080),
    PERENNIAL_PIPELINES: withDefault(z.string(), 'pipelines'),
    PERENNIAL_ADMIN_TOKEN: optional(z.string().min(16, 'must be at least 16 characters')),
    PERENNIAL_LOG_LEVEL: withDefault(z.enum(['debug', 'info', 'warn', 'error', 'silent']), 'info'),
    PERENNIAL_DURABILITY: withDefault(z.enum(['disk', 'process', 'none']), 'disk'),
    PERENNIAL_ROLES: withDefault(listOf(ROLES), ROLES.join(',')),
    PERENNIAL_QUEUES: optional(listOf(QUEUES)),
    PERENNIAL_WORKER_LEASE: withDefault(durationSchema, '10s'),
    PERENNIAL_WORKER_CONCURRENCY: withDefault(z.coerce.number().int().min(1).max(64), 1),
    PERENNIAL_MAX_BODY_BYTES: withDefault(z.coerce.number().int().min(1_024), 8 * 1024 * 1024),
    DATABASE_URL: optional(z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' })),
    S3_ENDPOINT: optional(z.url()),
    S3_BUCKET: optional(z.string()),
    S3_ACCESS_KEY: optional(z.string()),
    S3_SECRET_KEY: optional(z.string()),
    S3_REGION: optional(z.string()),
  })
  .superRefine((environment, context) => {
    if (environment.S3_ENDPOINT === undefined) return;
    for (const name of ['S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'] as const) {
      if (environment[name] === undefined) {
        context.addIssue({ code: 'custom', path: [name], message: 'is needed when S3_ENDPOINT is set' });
      }
    }
  });

export type Environment = z.infer<typeof environmentSchema>;

/**
 * Reads the variables the platform knows. The only place that reads the environment.
 * @throws ConfigurationError naming every bad variable and what is allowed
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const parsed = environmentSchema.safeParse(variables);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue): ConfigurationIssue => ({
    variable: issue.path.join('.'),
    message: issue.message,
  }));
  throw new ConfigurationError(issues);
}
