import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { signingConfig, signingIssues } from './signing-keys.ts';

const ALL = ['server', 'scheduler', 'worker'];
const home = '/srv/perennial';

describe('the key of a process', () => {
  it.each([
    ['has an embedded database', { roles: ALL, embedded: true }],
    ['does everything on a database elsewhere', { roles: ALL, embedded: false }],
  ])('that %s is its own, below its home', (_, installation) => {
    expect(signingConfig({}, { home, ...installation })).toEqual({
      key: { kind: 'own', file: '/srv/perennial/keys/signing.pem' },
      trusted: [],
    });
    expect(signingIssues({}, installation)).toEqual([]);
  });

  it('is the one that it is given, wherever it runs', () => {
    for (const roles of [ALL, ['server'], ['worker'], ['scheduler']]) {
      const installation = { roles, embedded: false };
      const given = { PERENNIAL_SIGNING_KEY: '/run/secrets/key.pem' };
      expect(signingConfig(given, { home, ...installation }).key).toEqual({
        kind: 'given',
        file: '/run/secrets/key.pem',
      });
      expect(signingIssues(given, installation)).toEqual([]);
    }
  });

  it.each([['worker'], ['worker', 'scheduler'], ['server', 'worker']])(
    'must be given to one that is only %s %s, even where it has keys to trust',
    (...roles) => {
      const trusting = { PERENNIAL_TRUSTED_KEYS: 'public.pem' };
      expect(signingIssues(trusting, { roles, embedded: false })).toEqual([
        { variable: 'PERENNIAL_SIGNING_KEY', message: expect.stringContaining('must be set') as string },
      ]);
    },
  );

  it('must be given to one that only serves, or the keys that it is to trust', () => {
    const installation = { roles: ['server'], embedded: false };
    const trusting = { PERENNIAL_TRUSTED_KEYS: ' public.pem, ,/etc/old.pem' };
    expect(signingIssues({}, installation)).toHaveLength(1);
    expect(signingIssues(trusting, installation)).toEqual([]);
    expect(signingConfig(trusting, { home, ...installation })).toEqual({
      key: { kind: 'none' },
      trusted: [resolve('public.pem'), '/etc/old.pem'],
    });
  });

  it('is not asked for of one that only schedules: it signs nothing and serves nothing', () => {
    const installation = { roles: ['scheduler'], embedded: false };
    expect(signingIssues({}, installation)).toEqual([]);
    expect(signingConfig({}, { home, ...installation }).key).toEqual({ kind: 'none' });
  });
});
