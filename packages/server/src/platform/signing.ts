import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { Signer } from '@perennial/registry';
import {
  PublicKey,
  SigningKey,
  SigningKeyInvalidError,
  TrustedKeys,
  generateSigningKey,
} from '@perennial/registry/attestation';
import { listSigningKeys, transaction, type Database } from '@perennial/storage';
import type { Clock } from '@perennial/contract';
import type { SigningConfig } from '../config/signing-keys.ts';
import { ConfigurationError } from '../errors.ts';
import type { Logger } from './logger.ts';

/**
 * The keys of this process: its own, which is made where there is none yet, and those it was told to trust. What the database says of keys counts
 * for nothing here: whoever can write to it could add one.
 * @throws ConfigurationError naming the variable whose file cannot be used
 */
export async function openSigner({ key, trusted }: SigningConfig): Promise<Signer> {
  const own = await openKey(key);
  const others = await Promise.all(trusted.map((file) => readTrustedKey(file)));
  const keys = new TrustedKeys(own === null ? others : [own.publicKey, ...others]);
  return new Signer({ key: own, trusted: keys });
}

/**
 * Puts the public half of the process's key on record, and says in the log which keys on record this process does not trust: versions that they have
 * signed are not served here.
 */
export async function registerSigningKey(
  signer: Signer,
  { database, clock, logger }: { database: Database; clock: Clock; logger: Logger },
): Promise<void> {
  await transaction(database, (tx) =>
    signer.register(tx, { at: clock.now(), by: 'platform', origin: 'platform' }),
  );
  for (const { id, createdAt } of await listSigningKeys(database.orm)) {
    if (signer.trusted.find(id) === undefined)
      logger.warn(
        { key: id, createdAt },
        'versions signed with a key that is not trusted here are not served',
      );
  }
}

async function openKey(key: SigningConfig['key']): Promise<SigningKey | null> {
  switch (key.kind) {
    case 'none':
      return null;
    case 'given':
      return usable('PERENNIAL_SIGNING_KEY', key.file, (pem) => SigningKey.read(pem));
    case 'own':
      await makeKeyFile(key.file);
      return usable('PERENNIAL_HOME', key.file, (pem) => SigningKey.read(pem));
  }
}

function readTrustedKey(file: string): Promise<PublicKey> {
  return usable('PERENNIAL_TRUSTED_KEYS', file, (pem) => PublicKey.read(pem));
}

async function usable<Key>(variable: string, file: string, read: (pem: string) => Key): Promise<Key> {
  try {
    return read(await readFile(file, 'utf8'));
  } catch (error) {
    throw new ConfigurationError([{ variable, message: `names ${file}: ${whyNot(error)}` }]);
  }
}

function whyNot(error: unknown): string {
  if (error instanceof SigningKeyInvalidError) return error.problem;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
}

/**
 * Makes a key where there is none. It is written whole under another name first and then linked to its own, which fails where there is one: of two
 * processes that start at once both go on with the same key, and a power cut leaves a whole key or none.
 */
async function makeKeyFile(file: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (await exists(file)) return;
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeDurably(temporary, generateSigningKey());
    await link(temporary, file).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(folder);
}

async function exists(file: string): Promise<boolean> {
  try {
    await (await open(file, 'r')).close();
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A new name is only sure to be found again once its folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
