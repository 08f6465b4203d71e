import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseError } from '../errors.ts';
import { createTestDatabase, type TestDatabase } from '../testing/test-database.ts';

/** Tables of facts, and the tables whose emptying would empty them too. */
const FACTS = {
  audit_entries: [],
  release_events: ['releases'],
  alias_moves: ['releases'],
  model_versions: ['runs', 'models', 'dataset_versions'],
  attestations: ['signing_keys', 'model_versions'],
};

/** PostgreSQL's `restrict_violation`, or that another table refers to the one to be emptied. */
const REFUSED = { sqlState: expect.stringMatching(/^(23001|0A000)$/) as string };

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

describe.each(Object.entries(FACTS))('%s', (table, parents) => {
  const attempt = (statement: string) => test.database.sql.unsafe(statement);

  it.each([
    'update {} set {column} = {column}',
    'delete from {}',
    'truncate {}',
    'truncate {} cascade',
    'with gone as (delete from {} returning *) select * from gone',
    'merge into {} using (select 1) as one on true when matched then delete',
  ])('refuses `%s`, even where it would touch no row', async (statement) => {
    const [first] = await test.database.sql<{ column: string }[]>`
      select column_name as column from information_schema.columns
      where table_name = ${table} and table_schema = 'public' order by ordinal_position limit 1`;
    const refused = attempt(statement.replaceAll('{column}', `"${first?.column}"`).replaceAll('{}', table));
    await expect(refused).rejects.toBeInstanceOf(DatabaseError);
    await expect(refused).rejects.toMatchObject(REFUSED);
  });

  it('is not emptied with what it refers to', async () => {
    for (const parent of parents)
      await expect(attempt(`truncate ${parent} cascade`)).rejects.toMatchObject(REFUSED);
    await expect(attempt(`truncate ${[table, ...parents].join(', ')} cascade`)).rejects.toMatchObject(
      REFUSED,
    );
  });
});
