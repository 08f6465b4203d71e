import { describe, expect, it } from 'vitest';
import { withoutSecrets } from './secret-text.ts';

const TOKEN = `perennial_${'aB3-_'.repeat(8)}xyz`;

describe('a text of the audit', () => {
  it.each([
    [`I used ${TOKEN}, sorry`, 'I used [redacted], sorry'],
    ['whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD is the secret', '[redacted] is the secret'],
    ['authorization: Bearer abcdefgh.ijkl', 'authorization: Bearer [redacted]'],
    ['Basic dXNlcjpwYXNz', 'Basic [redacted]'],
    ['from postgres://ada:hunter2@db.example/flights', 'from postgres://[redacted]@db.example/flights'],
    ['-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n', '[redacted]\n'],
    ['-----BEGIN ED25519 PRIVATE KEY-----\nMC4CAQ', '[redacted]'],
  ])('%j has no secret any more', (text, without) => {
    expect(withoutSecrets(text)).toBe(without);
  });

  it.each([
    'token:airline app',
    'https://hooks.example/a@b',
    'basic research',
    'a perennial_plant',
    'user:ada@example.org',
  ])('%j stays as it is', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('holds nothing that the database has no room for', () => {
    expect(withoutSecrets('a\0b\ud800c😀')).toBe('a\uFFFDb\uFFFDc😀');
  });
});

describe('details', () => {
  it('have no secrets at any depth, in names, lists and values', () => {
    expect(withoutSecrets({ list: [{ note: TOKEN }], [TOKEN]: 1, n: 1, yes: true, none: null })).toEqual({
      list: [{ note: '[redacted]' }],
      '[redacted]': 1,
      n: 1,
      yes: true,
      none: null,
    });
  });

  it.each([
    'secret',
    'clientSecret',
    'password',
    'Authorization',
    'cookie',
    'api_key',
    'apiKey',
    'privateKey',
  ])('never hold a text under the name %j', (name) => {
    expect(withoutSecrets({ inner: { [name]: 'hunter2' } })).toEqual({ inner: { [name]: '[redacted]' } });
  });
});
