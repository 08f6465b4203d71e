import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../errors.ts';
import { loadConfig } from './config.ts';

const TOKEN = 'a-token-of-some-length';
const S3 = {
  S3_ENDPOINT: 'http://127.0.0.1:9000',
  S3_BUCKET: 'artifacts',
  S3_ACCESS_KEY: 'access',
  S3_SECRET_KEY: 'secret',
};

function issuesOf(variables: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig({}, variables);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    for (const { variable, message } of error.issues)
      expect(error.message).toContain(`${variable} ${message}`);
    return error.issues.map(({ variable, message }) => `${variable} ${message}`);
  }
}

describe('the configuration', () => {
  it('is whole when nothing is set', () => {
    const home = resolve('.perennial');
    expect(loadConfig({}, {})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      adminToken: null,
      logLevel: 'info',
      maxBodyBytes: 8_388_608,
      maxUploadBytes: 134_217_728,
      workerConcurrency: 1,
      webhooks: { allowPrivate: false },
      pipelines: resolve('pipelines'),
      database: { kind: 'embedded', folder: `${home}/postgres` },
      artifacts: { kind: 'folder', folder: `${home}/artifacts` },
      journal: {
        folder: `${home}/journal`,
        durability: 'disk',
        maxBytes: 17_179_869_184,
        whenFull: 'refuse',
      },
      servingFolder: `${home}/serving`,
      workFolder: `${home}/work`,
    });
  });

  it('takes a variable that is set to nothing for one that is not set', () => {
    const empty = Object.fromEntries(
      ['PERENNIAL_HOST', 'PERENNIAL_PORT', 'PERENNIAL_ADMIN_TOKEN', 'DATABASE_URL', 'S3_ENDPOINT'].map(
        (name) => [name, ''],
      ),
    );
    expect({ ...loadConfig({}, empty), environment: {} }).toEqual(loadConfig({}, {}));
  });

  it('lets the command line win over the environment', () => {
    expect(loadConfig({ PERENNIAL_PORT: '9000' }, { PERENNIAL_PORT: '7000' }).port).toBe(9000);
  });

  it('keeps everything of ours below the home', () => {
    const config = loadConfig({ PERENNIAL_HOME: '/srv/perennial' }, {});
    const folders = [config.journal.folder, config.servingFolder, config.workFolder];
    for (const folder of folders) expect(folder).toMatch(/^\/srv\/perennial\//);
  });

  it('names a database and an object store that are not ours', () => {
    const config = loadConfig({}, { ...S3, S3_REGION: 'eu-central-1', DATABASE_URL: 'postgres://u:p@h/d' });
    expect(config.database).toEqual({ kind: 'url', url: 'postgres://u:p@h/d' });
    expect(config.artifacts).toMatchObject({
      kind: 's3',
      endpoint: 'http://127.0.0.1:9000',
      bucket: 'artifacts',
      accessKey: 'access',
      secretKey: 'secret',
      region: 'eu-central-1',
    });
  });
});

describe('sign-in', () => {
  const OPENID = {
    PERENNIAL_PUBLIC_URL: 'https://perennial.example/',
    PERENNIAL_OIDC_ISSUER: 'https://id.example/realms/ml',
    PERENNIAL_OIDC_CLIENT_ID: 'perennial',
    PERENNIAL_OIDC_CLIENT_SECRET: 'hidden-from-messages',
    PERENNIAL_OIDC_ROLES: 'ml-admins=admin, ml=operator,ml=approver,cn=a\\=b=viewer',
  };

  it('by OpenID Connect is off until it is set up', () => {
    expect(loadConfig({}, {})).toMatchObject({
      openId: null,
      publicUrl: null,
      trustedProxies: 0,
      requestsPerMinute: 600_000,
    });
  });

  it('by OpenID Connect gives each group its roles', () => {
    const { openId, publicUrl } = loadConfig({}, OPENID);
    expect(publicUrl).toBe('https://perennial.example');
    expect(openId).toMatchObject({ issuer: 'https://id.example/realms/ml', mapping: { claim: 'groups' } });
    expect([...(openId?.mapping.roles ?? [])]).toEqual([
      ['ml-admins', ['admin']],
      ['ml', ['operator', 'approver']],
      ['cn=a\\=b', ['viewer']],
    ]);
  });

  it.each(Object.keys(OPENID))('half set up, without %s, is refused', (missing) => {
    const issues = issuesOf({ ...OPENID, [missing]: '' });
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatch(new RegExp(`^${missing} is needed when PERENNIAL_OIDC_`));
  });

  it.each([
    ['PERENNIAL_OIDC_ROLES', 'ml'],
    ['PERENNIAL_OIDC_ROLES', 'ml=owner'],
    ['PERENNIAL_OIDC_ROLES', '=admin'],
    ['PERENNIAL_OIDC_ISSUER', 'http://id.example'],
    ['PERENNIAL_OIDC_ISSUER', 'id.example'],
    ['PERENNIAL_PUBLIC_URL', 'https://perennial.example/below'],
    ['PERENNIAL_PUBLIC_URL', 'ftp://perennial.example'],
  ])('with %s=%s is refused', (variable, value) => {
    const issues = issuesOf({ ...OPENID, [variable]: value });
    expect(issues).toEqual([expect.stringMatching(new RegExp(`^${variable} must be`))]);
    expect(issues.join()).not.toContain('hidden');
  });

  it.each(['http://localhost:9000', 'http://127.0.0.1:9000', 'http://[::1]:9000'])(
    'by a provider on this machine (%s) may go without TLS',
    (issuer) => {
      expect(issuesOf({ ...OPENID, PERENNIAL_OIDC_ISSUER: issuer })).toEqual([]);
    },
  );
});

describe('a bad value', () => {
  it.each([
    ['PERENNIAL_PORT', '65536', "must be a whole number from 0 to 65535, not '65536'"],
    ['PERENNIAL_PORT', 'http', "must be a whole number from 0 to 65535, not 'http'"],
    ['PERENNIAL_PORT', '80.5', "must be a whole number from 0 to 65535, not '80.5'"],
    ['PERENNIAL_PORT', ' ', "must be a whole number from 0 to 65535, not ' '"],
    ['PERENNIAL_PORT', '-1', "must be a whole number from 0 to 65535, not '-1'"],
    ['PERENNIAL_WORKER_CONCURRENCY', '0', "must be a whole number from 1 to 64, not '0'"],
    ['PERENNIAL_MAX_BODY_BYTES', '1e9', "must be a whole number from 1024 to 1073741824, not '1e9'"],
    ['PERENNIAL_WEBHOOK_ALLOW_PRIVATE', 'yes', "must be one of true, false, not 'yes'"],
    ['PERENNIAL_LOG_LEVEL', 'loud', "must be one of debug, info, warn, error, silent, not 'loud'"],
    ['PERENNIAL_DURABILITY', 'yes', "must be one of disk, process, none, not 'yes'"],
    ['PERENNIAL_JOURNAL_WHEN_FULL', 'drop', "must be one of refuse, drop-and-count, not 'drop'"],
    [
      'PERENNIAL_JOURNAL_MAX_BYTES',
      '1000',
      "must be a whole number from 134217728 to 999999999999999, not '1000'",
    ],
    ['PERENNIAL_ADMIN_TOKEN', 'short', 'must be at least 16 visible ASCII characters without spaces'],
    [
      'PERENNIAL_ADMIN_TOKEN',
      'with a space in it',
      'must be at least 16 visible ASCII characters without spaces',
    ],
    ['DATABASE_URL', 'mysql://root:hunter2@h/d', 'must be a postgres:// URL'],
    ['DATABASE_URL', 'nonsense', 'must be a postgres:// URL'],
  ])('of %s (%j) is told with what is allowed', (variable, value, message) => {
    expect(issuesOf({ [variable]: value })).toEqual([`${variable} ${message}`]);
  });

  it('is told beside every other, in one go', () => {
    const issues = issuesOf({
      PERENNIAL_PORT: 'x',
      PERENNIAL_HOST: '0.0.0.0',
      S3_ENDPOINT: 'ftp://h',
      S3_BUCKET: 'b',
    });
    expect(issues).toEqual([
      "PERENNIAL_PORT must be a whole number from 0 to 65535, not 'x'",
      'S3_ENDPOINT must be an http:// or https:// URL',
      'S3_ACCESS_KEY is needed when S3_ENDPOINT is set',
      'S3_SECRET_KEY is needed when S3_ENDPOINT is set',
      'PERENNIAL_ADMIN_TOKEN must be set to listen on 0.0.0.0: only loopback goes without a token',
    ]);
  });

  it('that holds a secret is not repeated', () => {
    expect(issuesOf({ DATABASE_URL: 'mysql://root:hunter2@h/d' }).join()).not.toContain('hunter2');
    expect(issuesOf({ PERENNIAL_ADMIN_TOKEN: 'hunter2' }).join()).not.toContain('hunter2');
  });
});

describe('an address beyond loopback', () => {
  it.each(['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org'])(
    'such as %s needs a token',
    (host) => {
      expect(issuesOf({ PERENNIAL_HOST: host })).toEqual([
        `PERENNIAL_ADMIN_TOKEN must be set to listen on ${host}: only loopback goes without a token`,
      ]);
      expect(loadConfig({}, { PERENNIAL_HOST: host, PERENNIAL_ADMIN_TOKEN: TOKEN })).toMatchObject({
        host,
        adminToken: TOKEN,
      });
    },
  );

  it.each(['127.0.0.1', '::1', 'localhost'])('is not %s, which goes without', (host) => {
    expect(loadConfig({}, { PERENNIAL_HOST: host }).adminToken).toBeNull();
  });
});

describe('an object store', () => {
  it.each(Object.keys(S3))('without %s is refused rather than replaced by a folder', (missing) => {
    const variables = Object.fromEntries(Object.entries(S3).filter(([name]) => name !== missing));
    expect(issuesOf(variables)).toEqual([
      expect.stringMatching(`^${missing} is needed when S3_\\w+ is set$`),
    ]);
  });
});
