import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { freePort, stopProcess, untilReady } from '../services/service.ts';
import { REPOSITORY, readCompose, type ComposeService } from './compose-file.ts';
import { execForm, readDockerfile, type Stage } from './dockerfile.ts';

/** The servers that take the place of the containers `postgres` and `minio`. */
export interface NativeBackends {
  databaseUrl: string;
  /** Without one, artifacts are in a folder of each service, and no bucket is made. */
  s3?: { endpoint: string; accessKey: string; secretKey: string } | undefined;
}

export interface NativeOptions extends NativeBackends {
  /** For what each service keeps. */
  folder: string;
  /** @default the repository's own */
  pipelines?: string;
}

export interface NativeService {
  name: string;
  /** Where it answers. */
  url: string;
  /** The end of what it has said. */
  words: () => string;
  stop: () => Promise<void>;
}

const ADMIN_TOKEN = 'admin-token-of-the-native-run';
/** For the variables without a default; the servers that take part have accounts of their own. */
const VARIABLES = {
  POSTGRES_PASSWORD: 'unused',
  S3_SECRET_KEY: 'unused-unused',
  PERENNIAL_ADMIN_TOKEN: ADMIN_TOKEN,
};

const STAGE_WORDS = 'deploy/Dockerfile';

/**
 * Starts what docker-compose.yml says of the platform on this machine: each service's own command line and environment, but for addresses and folders;
 * each waited for by its own health check.
 * @throws when one ends, or is not well within a minute
 */
export async function startNatively(options: NativeOptions): Promise<NativeService[]> {
  const { services } = readCompose(VARIABLES);
  const image = lastStage();
  const platform = Object.entries(services).filter(([, service]) => service.build !== undefined);
  const once = platform.filter(([, service]) => service.healthcheck?.disable === true);
  const needed = once.filter(([name]) => name !== 'bucket' || options.s3 !== undefined);
  for (const [name, service] of needed) runToEnd(name, await describe({ name, service, image, options }));
  const running: NativeService[] = [];
  try {
    for (const [name, service] of platform.filter((entry) => !once.includes(entry)))
      running.push(await startService(name, await describe({ name, service, image, options })));
    return running;
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

/** All at once, as an engine does it. */
export async function stopAll(services: NativeService[]): Promise<void> {
  await Promise.all(services.map((service) => service.stop()));
}

export function adminToken(): string {
  return ADMIN_TOKEN;
}

/** What an engine would run in the container. */
interface Launch {
  command: string[];
  healthcheck: string[];
  environment: Record<string, string>;
}

function lastStage(): Stage {
  const stage = readDockerfile(STAGE_WORDS).at(-1);
  if (stage === undefined) throw new Error(`${STAGE_WORDS} has no stage.`);
  return stage;
}

async function describe({
  name,
  service,
  image,
  options,
}: {
  name: string;
  service: ComposeService;
  image: Stage;
  options: NativeOptions;
}): Promise<Launch> {
  // An entrypoint of the service's own takes the image's command away, too.
  const command = service.command ?? (service.entrypoint === undefined ? execForm(image, 'CMD') : []);
  return {
    command: [...(service.entrypoint ?? execForm(image, 'ENTRYPOINT')), ...command],
    healthcheck: execForm(image, 'HEALTHCHECK'),
    environment: {
      ...withBackends(service.environment ?? {}, options),
      PATH: process.env['PATH'] ?? '',
      NODE_ENV: 'production',
      PERENNIAL_HOME: join(options.folder, name),
      // The volume that all containers share.
      PERENNIAL_SIGNING_KEY: join(options.folder, 'keys', 'signing.pem'),
      PERENNIAL_PIPELINES: options.pipelines ?? join(REPOSITORY, 'pipelines'),
      PERENNIAL_PORT: `${await freePort()}`,
    },
  };
}

function withBackends(
  environment: Record<string, string>,
  { databaseUrl, s3 }: NativeBackends,
): Record<string, string> {
  const others = Object.entries(environment).filter(([name]) => s3 !== undefined || !name.startsWith('S3_'));
  return {
    ...Object.fromEntries(others),
    DATABASE_URL: databaseUrl,
    ...(s3 === undefined
      ? {}
      : { S3_ENDPOINT: s3.endpoint, S3_ACCESS_KEY: s3.accessKey, S3_SECRET_KEY: s3.secretKey }),
  };
}

/** `node` is the one that runs us; the image's working directory is the root of the repository. */
function processOptions({ environment }: Launch): { cwd: string; env: Record<string, string> } {
  return { cwd: REPOSITORY, env: environment };
}

function program(word: string | undefined): string {
  return word === 'node' || word === undefined ? process.execPath : word;
}

function runToEnd(name: string, launch: Launch): void {
  const [first, ...rest] = launch.command;
  const { status, stderr } = spawnSync(program(first), rest, {
    ...processOptions(launch),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
}

async function startService(name: string, launch: Launch): Promise<NativeService> {
  const [first, ...rest] = launch.command;
  const child = spawn(program(first), rest, {
    ...processOptions(launch),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const words = await untilReady(child, () => isWell(launch)).catch(async (error: unknown) => {
    await end(child);
    throw error;
  });
  const port = launch.environment['PERENNIAL_PORT'] ?? '';
  return { name, url: `http://127.0.0.1:${port}`, words, stop: () => end(child) };
}

async function isWell(launch: Launch): Promise<boolean> {
  const [first, ...rest] = launch.healthcheck;
  const check = spawn(program(first), rest, { ...processOptions(launch), stdio: 'ignore' });
  return new Promise((resolve, reject) => {
    check.on('exit', (status) => resolve(status === 0)).on('error', reject);
  });
}

const end = (child: ChildProcess): Promise<void> => stopProcess(child, 'SIGTERM');
