import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LiveToken } from '@perennial/storage';
import { TokenTable, type TokenTableOptions } from './token-table.ts';

let folder: string;
let snapshotFile: string;
let tokens: LiveToken[];
let away: boolean;
let problems: unknown[];
let announce: () => void;
let poll: () => void;
let loads: number;
const open: TokenTable[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perennial-tokens-'));
  snapshotFile = join(folder, 'access', 'tokens.json');
  tokens = [token('a'), token('b')];
  away = false;
  problems = [];
  loads = 0;
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((table) => table.close()));
  await rm(folder, { recursive: true });
});

const token = (hash: string, given: Partial<LiveToken> = {}): LiveToken => ({
  id: `id-${hash}`,
  name: `name-${hash}`,
  hash,
  roles: ['viewer'],
  models: null,
  requestsPerMinute: null,
  expiresAt: null,
  ...given,
});

function refuseIfAway(): Promise<void> {
  return away ? Promise.reject(new Error('the database is away')) : Promise.resolve();
}

async function openTable(given: Partial<TokenTableOptions> = {}): Promise<TokenTable> {
  const table = await TokenTable.open({
    snapshotFile,
    loadTokens: async () => {
      loads++;
      await refuseIfAway();
      return [...tokens];
    },
    subscribe: async (handler) => {
      await refuseIfAway();
      announce = handler;
      return () => Promise.resolve();
    },
    repeat: (work) => {
      poll = work;
      return () => undefined;
    },
    onProblem: (problem) => problems.push(problem),
    ...given,
  });
  open.push(table);
  return table;
}

describe('a token table', () => {
  it('finds tokens by their hashes', async () => {
    const table = await openTable();
    expect(table.find('a')).toMatchObject({ name: 'name-a' });
    expect(table.find('c')).toBeUndefined();
  });

  it('forgets a revoked token and knows a new one when that is announced', async () => {
    const table = await openTable();
    tokens = [token('b'), token('c')];
    announce();
    await expect.poll(() => table.find('c')).toBeDefined();
    expect(table.find('a')).toBeUndefined();
  });

  it('finds out with the next poll what no announcement told it', async () => {
    const table = await openTable();
    tokens = [];
    poll();
    await expect.poll(() => table.find('a')).toBeUndefined();
  });

  it('looks once a second at most for a token that it does not know', async () => {
    const table = await openTable();
    tokens = [...tokens, token('c')];
    expect(await table.findOrLoad('c')).toBeDefined();
    const before = loads;
    for (let guess = 0; guess < 100; guess++)
      expect(await table.findOrLoad(`guess ${guess}`)).toBeUndefined();
    expect(loads).toBe(before);
  });

  it('has what was changed before the call once refresh resolves, though a load was under way', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let calls = 0;
    const table = await openTable({
      loadTokens: async () => {
        const seen = [...tokens];
        if (++calls === 2) await held;
        return seen;
      },
    });
    const slow = table.refresh();
    await Promise.resolve();
    await Promise.resolve();
    tokens = [];
    const refreshed = table.refresh();
    release();
    await Promise.all([slow, refreshed]);
    expect(table.find('a')).toBeUndefined();
  });
});

describe('while the database is away', () => {
  it('a server that runs goes on with what it knows', async () => {
    const table = await openTable();
    away = true;
    poll();
    await expect.poll(() => problems.length).toBe(1);
    expect(table.find('a')).toBeDefined();
  });

  it('a server that starts knows what an earlier one knew, and catches up', async () => {
    await openTable();
    away = true;
    const expiresAt = new Date('2027-01-01T00:00:00Z');
    const table = await openTable();
    expect(table.find('b')).toEqual(token('b'));
    away = false;
    tokens = [token('b', { expiresAt })];
    poll();
    await expect.poll(() => table.find('a')).toBeUndefined();
    tokens = [];
    announce();
    await expect.poll(() => table.find('b')).toBeUndefined();
  });

  it('a server that never knew any says so', async () => {
    away = true;
    await expect(openTable()).rejects.toThrow('the database is away');
  });

  it.each(['', '{', '{"format":2,"tokens":[]}', '{"format":1,"tokens":[{"hash":"a"}]}'])(
    'a snapshot that cannot be understood (%j) is none',
    async (content) => {
      await openTable();
      await writeFile(snapshotFile, content);
      away = true;
      await expect(openTable()).rejects.toThrow('the database is away');
    },
  );
});

describe('the snapshot', () => {
  it('is for the process’s own user only', async () => {
    await openTable();
    expect((await stat(snapshotFile)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'access'))).mode & 0o777).toBe(0o700);
  });

  it('keeps an expiry to the millisecond', async () => {
    const expiresAt = new Date('2027-01-01T00:00:00.123Z');
    tokens = [token('a', { expiresAt, models: ['m'], requestsPerMinute: 3 })];
    await openTable();
    away = true;
    expect((await openTable()).find('a')).toEqual(tokens[0]);
    expect(await readFile(snapshotFile, 'utf8')).toContain('2027-01-01T00:00:00.123Z');
  });
});
