import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdGenerator, ManualClock } from '@perennial/contract';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { Closers } from '../platform/closers.ts';
import { createLogger } from '../platform/logger.ts';
import { UnauthenticatedError } from '../errors.ts';
import type { Credentials } from '../http/authentication.ts';
import { openAccess, type Access } from './access.ts';
import { createToken, revokeTokenById, type TokenDeskParts } from './token-desk.ts';

const clock = new ManualClock('2024-03-11T03:00:00Z');
const ids = new IdGenerator(clock);
const logger = createLogger('silent');
const closers = new Closers(logger);
const asker = { by: 'token:admin', origin: 'in-process request' };

let folder: string;
let test: TestDatabase;
let here: Access;
let elsewhere: Access;
let desk: TokenDeskParts;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-access-'));
  test = await createTestDatabase();
  here = await openServer('here');
  elsewhere = await openServer('elsewhere');
  desk = { database: test.database, clock, ids, table: here.table };
});
afterAll(async () => {
  await closers.closeAll();
  await test.drop();
  await rm(folder, { recursive: true });
});

function openServer(name: string): Promise<Access> {
  const config = {
    adminToken: 'the-configured-admin-token',
    accessFolder: join(folder, name),
    requestsPerMinute: 600_000,
    openId: null,
    publicUrl: null,
  };
  return openAccess(config, { database: test.database, clock, closers, logger });
}

const showing = (authorization: string): Credentials => ({
  method: 'GET',
  authorization,
  cookie: undefined,
  host: 'perennial.example',
  origin: undefined,
  fetchSite: undefined,
  address: '203.0.113.7',
});
const isLetIn = async ({ authenticate }: Access, secret: string): Promise<boolean> => {
  try {
    await authenticate(showing(`Bearer ${secret}`));
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(UnauthenticatedError);
    return false;
  }
};

describe('two servers on one database', () => {
  it('both let a new token in, and shut it out when one of them revokes it', async () => {
    const { secret, id } = await createToken(desk, { name: 'shared', roles: ['viewer'] }, asker);
    expect(await isLetIn(here, secret)).toBe(true);
    await expect.poll(() => isLetIn(elsewhere, secret)).toBe(true);
    await revokeTokenById(desk, id, asker);
    expect(await isLetIn(here, secret)).toBe(false);
    await expect.poll(() => isLetIn(elsewhere, secret)).toBe(false);
  });

  it('both shut a token out the moment it expires', async () => {
    const expiresAt = new Date(clock.now().getTime() + 1_000).toISOString();
    const { secret } = await createToken(desk, { name: 'short', roles: ['viewer'], expiresAt }, asker);
    await expect.poll(() => isLetIn(elsewhere, secret)).toBe(true);
    clock.advance(1_000);
    expect(await isLetIn(here, secret)).toBe(false);
    expect(await isLetIn(elsewhere, secret)).toBe(false);
  });
});

describe('while an address is told to wait for its wrong tokens', () => {
  it('tokens go on, and the configuration’s, which could be guessed, does not', async () => {
    const { secret } = await createToken(desk, { name: 'behind a proxy', roles: ['viewer'] }, asker);
    const server = await openServer('attacked');
    for (let i = 0; i < 30; i++) expect(await isLetIn(server, `guess ${i}`)).toBe(false);
    await expect(isLetIn(server, 'another guess')).rejects.toThrow();
    expect(await isLetIn(server, secret)).toBe(true);
    const right = () => server.authenticate(showing('Bearer the-configured-admin-token'));
    await expect(Promise.resolve().then(right)).rejects.toThrow('wait until the minute is over');
    expect(await isLetIn(here, 'the-configured-admin-token')).toBe(true);
  });
});
