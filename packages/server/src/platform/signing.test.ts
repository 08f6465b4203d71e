import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testSigning } from '@perennial/registry/testing';
import type { SigningConfig } from '../config/signing-keys.ts';
import { ConfigurationError } from '../errors.ts';
import { openSigner } from './signing.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-signing-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const own = (): SigningConfig => ({
  key: { kind: 'own', file: join(folder, 'keys', 'signing.pem') },
  trusted: [],
});

async function put(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

async function issuesOf(config: SigningConfig): Promise<string> {
  try {
    await openSigner(config);
    return '';
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message;
  }
}

describe("an installation's own key", () => {
  it('is made at the first start, for its owner alone, and is the same ever after', async () => {
    const [id] = (await openSigner(own())).trusted.ids();
    const file = join(folder, 'keys', 'signing.pem');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'keys'))).mode & 0o777).toBe(0o700);
    expect((await openSigner(own())).trusted.ids()).toEqual([id]);
  });

  it('is one, however many processes start at once, and nothing is left beside it', async () => {
    const signers = await Promise.all(Array.from({ length: 10 }, () => openSigner(own())));
    expect(new Set(signers.flatMap(({ trusted }) => trusted.ids())).size).toBe(1);
    expect(await readdir(join(folder, 'keys'))).toEqual(['signing.pem']);
  });

  it('that is damaged is not replaced: what it has signed would be lost', async () => {
    await openSigner(own());
    const file = join(folder, 'keys', 'signing.pem');
    await writeFile(file, 'damaged');
    expect(await issuesOf(own())).toContain(`names ${file}: it is not a private key`);
    expect(await readFile(file, 'utf8')).toBe('damaged');
  });
});

describe('keys that are given', () => {
  it('are the one to sign with and those to trust besides', async () => {
    const [mine, old] = [testSigning(), testSigning()];
    const signer = await openSigner({
      key: { kind: 'given', file: await put('key.pem', mine.pem) },
      trusted: [await put('old.pem', old.key.publicKey.pem)],
    });
    expect(new Set(signer.trusted.ids())).toEqual(new Set([mine.key.id, old.key.id]));
  });

  it('may be public ones alone, of a process that signs nothing', async () => {
    const { key } = testSigning();
    const file = await put('public.pem', key.publicKey.pem);
    expect((await openSigner({ key: { kind: 'none' }, trusted: [file] })).trusted.ids()).toEqual([key.id]);
  });

  it('are never made, and what is wrong with them is said without showing them', async () => {
    const missing = join(folder, 'missing.pem');
    expect(await issuesOf({ key: { kind: 'given', file: missing }, trusted: [] })).toContain(
      `PERENNIAL_SIGNING_KEY names ${missing}: there is no such file`,
    );
    const { pem } = testSigning();
    const secret = await put('secret.pem', pem);
    const message = await issuesOf({ key: { kind: 'none' }, trusted: [secret] });
    expect(message).toContain('PERENNIAL_TRUSTED_KEYS');
    expect(message).toContain('it is a private key');
    expect(message).not.toContain(pem.split('\n')[1]);
    expect(await issuesOf({ key: { kind: 'given', file: folder }, trusted: [] })).toContain('EISDIR');
  });
});
