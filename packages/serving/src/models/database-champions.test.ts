import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CHAMPION } from '@perennial/contract';
import { moveAlias, openDatabase, type Database } from '@perennial/storage';
import { createTestDatabase, type TestDatabase } from '@perennial/storage/testing';
import { doorTo } from '../testing/database-door.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import type { Delay } from '../waiting/delay.ts';
import { ChampionTable } from './champion-table.ts';
import { databaseChampions } from './database-champions.ts';

let server: TestDatabase;
// One for each test: rows of versions and of their aliases' moves are never deleted.
beforeEach(async () => {
  server = await createTestDatabase();
  const { sql } = server.database;
  await sql`insert into models (name, created_at, latest_version) values ('delay', now(), 2), ('idle', now(), 0)`;
  await sql`
    insert into model_versions (model, version, artifact_digest, artifact_bytes, signature, lineage, gate, card, as_of, created_at)
    select 'delay', version, 'sha256:' || repeat(version::text, 64), 1, '{}', '{}', '{}', '{}', '2001-03-04Z', now()
    from generate_series(1, 2) as version`;
});
afterEach(() => server.drop());

async function promote(version: number): Promise<void> {
  await server.database.orm.transaction((tx) =>
    moveAlias(tx, {
      model: 'delay',
      alias: CHAMPION,
      version,
      expectedRevision: version - 1,
      releaseId: null,
      at: new Date(),
      by: 'test',
      reason: 'test',
    }),
  );
}

/** A poll that never comes, so that only notifications can bring the news. */
const noPoll: Delay = (_, signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

async function openTable(database: Database): Promise<ChampionTable> {
  const snapshotFile = join(await temporaryFolder(), 'champions.json');
  const table = await ChampionTable.open({ ...databaseChampions(database), snapshotFile, delay: noPoll });
  onTestFinished(() => table.close());
  return table;
}

/** Resolves once the table has the version, as told by its own loads. */
function whenServed(table: ChampionTable, version: number): Promise<void> {
  return new Promise((resolve) => {
    const check = () => table.find('delay')?.version === version && resolve();
    table.onLoaded(check);
    check();
  });
}

describe('champions of the database', () => {
  test('are what its aliases say', async () => {
    await promote(1);
    const table = await openTable(server.database);
    expect(table.find('delay')).toEqual({
      version: 1,
      artifact: `sha256:${'1'.repeat(64)}`,
      asOf: '2001-03-04T00:00:00.000Z',
      revision: 1,
    });
    expect(table.find('idle')).toBeNull();
    expect(table.find('nothing')).toBeUndefined();
  });

  test('are followed by the notification of a move', async () => {
    const table = await openTable(server.database);
    expect(table.find('delay')).toBeNull();
    await promote(1);
    await whenServed(table, 1);
    await promote(2);
    await whenServed(table, 2);
    expect(table.find('delay')?.version).toBe(2);
  });

  test('are caught up with when the connection comes back: moves announced in between were lost', async () => {
    const { address, door } = await doorTo(server.address);
    const database = await openDatabase({ ...address, maxConnections: 2 });
    onTestFinished(() => database.close());
    const table = await openTable(database);
    await promote(1);
    await whenServed(table, 1);
    await door.shut();
    await promote(2);
    await door.open();
    await whenServed(table, 2);
    expect(table.find('delay')?.version).toBe(2);
  });
});
